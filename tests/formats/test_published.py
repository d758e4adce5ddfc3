"""The published four-list form: the exact text, the way back, and what other writers do."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import present

from distortion_graph.base.errors import GraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary
from distortion_graph.formats.published import (
    PUBLISHED_COMPARISON_IDS,
    PUBLISHED_DISTORTION_IDS,
    PUBLISHED_SEVERITY_IDS,
    dumps,
    from_published,
    loads,
    to_published,
)
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Node,
    RegionComparison,
    Relation,
)


def region(region_id, name, anchor, target, label) -> RegionComparison:
    nodes = [
        Node(distortion=LabelBelief(label=d), severity=LabelBelief(label=s), score=score)
        for d, s, score in (anchor, target)
    ]
    return RegionComparison(
        id=region_id,
        name=name,
        anchor=nodes[0],
        target=nodes[1],
        comparison=ComparisonBelief(label=label, margin=anchor[2] - target[2]),
    )


def graph_of(regions, relations=(), vocabulary=DEFAULT_VOCABULARY) -> DistortionGraph:
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=ImageInfo(),
        target=ImageInfo(),
        regions=tuple(regions),
        relations=tuple(relations),
    )


def sample() -> DistortionGraph:
    return graph_of(
        [
            region(9, "person", ("clean", "clean", 1.0), ("blur", "severe", 0.123456), "same"),
            region(4, "racket", ("rain", "minor", 0.5), ("haze", "moderate", 0.75), "same"),
        ],
        [
            Relation(subject=9, predicate="holding", object=4, image="both"),
            Relation(subject=4, predicate="beside", object=9, image="target"),
        ],
    )


PUBLISHED = {
    "objects": [
        {"id": "0", "name": "person", "image": "1"},
        {"id": "1", "name": "racket", "image": "1"},
        {"id": "2", "name": "person", "image": "2"},
        {"id": "3", "name": "racket", "image": "2"},
    ],
    "attributes": [
        {"attribute": "clean", "object": "0", "image": "1"},
        {"attribute": "clean", "object": "0", "image": "1"},
        {"attribute": "1.0", "object": "0", "image": "1"},
        {"attribute": "rain", "object": "1", "image": "1"},
        {"attribute": "minor", "object": "1", "image": "1"},
        {"attribute": "0.5", "object": "1", "image": "1"},
        {"attribute": "blur", "object": "2", "image": "2"},
        {"attribute": "severe", "object": "2", "image": "2"},
        {"attribute": "0.1235", "object": "2", "image": "2"},
        {"attribute": "haze", "object": "3", "image": "2"},
        {"attribute": "moderate", "object": "3", "image": "2"},
        {"attribute": "0.75", "object": "3", "image": "2"},
    ],
    "relationships": [
        {"predicate": "holding", "object": "1", "subject": "0", "image": "1"},
        {"predicate": "holding", "object": "3", "subject": "2", "image": "2"},
        {"predicate": "beside", "object": "2", "subject": "3", "image": "2"},
    ],
    "art": [
        {"predicate": "same", "object": "0", "subject": "2"},
        {"predicate": "same", "object": "1", "subject": "3"},
    ],
}


def published():
    return copy.deepcopy(PUBLISHED)


def test_the_four_lists_to_the_letter():
    assert to_published(sample()) == PUBLISHED
    assert json.loads(dumps(sample())) == PUBLISHED
    assert dumps(sample()) == json.dumps(PUBLISHED)


def test_reading_gives_the_same_labels_scores_and_relations():
    graph = from_published(published())
    assert [r.id for r in graph.regions] == [0, 1]
    assert [r.name for r in graph.regions] == ["person", "racket"]
    assert graph.regions[0].anchor.distortion.label == "clean"
    assert graph.regions[0].target.severity.label == "severe"
    assert graph.regions[0].target.score == 0.1235
    assert graph.regions[0].comparison.label == "same"
    assert graph.regions[0].comparison.margin == 1.0 - 0.1235  # of the scores as read
    assert graph.regions[1].comparison.margin == -0.25
    assert graph.relations == (
        Relation(subject=0, predicate="holding", object=1, image="both"),
        Relation(subject=1, predicate="beside", object=0, image="target"),
    )
    assert graph.scene is None
    assert graph.regions[0].anchor.mask is None
    assert graph.regions[0].anchor.distortion.probabilities is None


def test_files_as_published_give_the_same_graph():
    """Ids of image 2 without the offset, each relation twice, lists in another order."""
    obj = published()
    obj["relationships"] = [
        {"predicate": "holding", "object": "1", "subject": "0", "image": "1"},
        {"predicate": "holding", "object": "1", "subject": "0", "image": "1"},
        {"predicate": "holding", "object": "1", "subject": "0", "image": "2"},
        {"predicate": "holding", "object": "1", "subject": "0", "image": "2"},
        {"predicate": "beside", "object": "0", "subject": "1", "image": "2"},
        {"predicate": "beside", "object": "0", "subject": "1", "image": "2"},
    ]
    obj["objects"].reverse()
    obj["art"].reverse()
    obj["attributes"] = obj["attributes"][6:] + obj["attributes"][:6]
    assert from_published(obj) == from_published(published())


def test_the_same_relation_with_and_without_offset_is_one():
    obj = published()
    obj["relationships"].append(
        {"predicate": "beside", "object": "0", "subject": "1", "image": "2"}
    )
    assert from_published(obj) == from_published(published())


def test_numbers_in_the_place_of_strings_are_understood():
    obj = published()
    for entry in obj["objects"]:
        entry["id"], entry["image"] = int(entry["id"]), int(entry["image"])
    obj["attributes"][2]["attribute"] = 1.0
    assert from_published(obj) == from_published(published())


def test_names():
    obj = published()
    del obj["objects"][0]["name"]
    obj["objects"][1]["name"] = None
    obj["objects"][3]["name"] = ""
    assert [r.name for r in from_published(obj).regions] == ["person", "region 1"]
    blank = region(4, " ", ("rain", "minor", 0.5), ("haze", "moderate", 0.75), "same")
    assert [o["name"] for o in to_published(graph_of([blank]))["objects"]] == ["region 4"] * 2


def test_no_regions():
    empty: dict[str, list[Any]] = {"objects": [], "attributes": [], "relationships": [], "art": []}
    assert to_published(graph_of([])) == empty
    assert from_published(empty).regions == ()


def test_labels_of_another_vocabulary_are_written_as_text_and_read_with_it():
    other = Vocabulary(
        distortions=("dust", "fine"),
        severities=("fine", "bad"),
        comparisons=tuple(
            ComparisonLevel(label=label, rank=k, min_abs_d=0.25 * abs(k))
            for k, label in ((-1, "below"), (0, "level"), (1, "above"))
        ),
    )
    graph = graph_of(
        [region(0, "film", ("fine", "fine", 1.0), ("dust", "bad", 0.5), "above")], (), other
    )
    obj = to_published(graph)
    assert [a["attribute"] for a in obj["attributes"]] == [
        *("fine", "fine", "1.0"),
        *("dust", "bad", "0.5"),
    ]
    assert from_published(obj, other) == graph
    with pytest.raises(GraphError, match="unknown distortion 'fine'"):
        from_published(obj)


def test_the_published_id_tables():
    rows = {  # the table of the published data, by id
        0: "clean", 1: "snow", 2: "contrast_inc", 3: "compression", 4: "brightness",
        5: "oversharpen", 6: "noise", 7: "blur", 8: "haze", 9: "rain", 10: "saturate_inc",
        11: "saturate_dec", 12: "contrast_dec", 13: "darken", 14: "pixelate",
    }  # fmt: skip
    assert {v: k for k, v in PUBLISHED_DISTORTION_IDS.items()} == rows
    assert PUBLISHED_SEVERITY_IDS == {"clean": 0, "minor": 1, "moderate": 2, "severe": 3}
    assert PUBLISHED_COMPARISON_IDS == {
        "same": 0,
        "slightly_worse": 1,
        "significantly_worse": 2,
        "slightly_better": 3,
        "significantly_better": 4,
    }
    assert set(PUBLISHED_DISTORTION_IDS) == set(DEFAULT_VOCABULARY.distortions)
    assert set(PUBLISHED_COMPARISON_IDS) == set(DEFAULT_VOCABULARY.comparison_labels)
    with pytest.raises(TypeError):
        PUBLISHED_DISTORTION_IDS["new"] = 15  # type: ignore[index]


nodes = st.tuples(
    st.sampled_from(DEFAULT_VOCABULARY.distortions),
    st.sampled_from(DEFAULT_VOCABULARY.severities[1:]),
    st.floats(0, 1),
).map(lambda n: ("clean", "clean", n[2]) if n[0] == "clean" else n)


@st.composite
def graphs(draw):
    ids = draw(st.lists(st.integers(0, 999), unique=True, max_size=6))
    labels = st.sampled_from(DEFAULT_VOCABULARY.comparison_labels)
    regions = [region(k, f"thing {k}", draw(nodes), draw(nodes), draw(labels)) for k in ids]
    if not ids:
        return graph_of([])
    triplet = st.tuples(st.sampled_from(ids), st.sampled_from(["on", "by"]), st.sampled_from(ids))
    relations = draw(
        st.dictionaries(triplet, st.sampled_from(["anchor", "target", "both"]), max_size=5)
    )
    return graph_of(
        regions,
        [
            Relation(subject=s, predicate=p, object=o, image=image)
            for (s, p, o), image in relations.items()
        ],
    )


@given(graphs())
def test_round_trip(graph):
    back = loads(dumps(graph))
    position = {r.id: k for k, r in enumerate(graph.regions)}
    assert len(back.regions) == len(graph.regions)
    for mine, read in zip(graph.regions, back.regions, strict=True):
        assert read.name == mine.name
        assert read.comparison.label == mine.comparison.label
        for side in ("anchor", "target"):
            there, here = mine.node(side), read.node(side)
            assert here.distortion.label == there.distortion.label
            assert here.severity.label == there.severity.label
            assert here.score == round(there.score, 4)
        assert read.comparison.margin == present(read.anchor.score) - present(read.target.score)
    assert [(r.subject, r.predicate, r.object, r.image) for r in back.relations] == [
        (position[r.subject], r.predicate, position[r.object], r.image) for r in graph.relations
    ]
    assert dumps(back) == dumps(graph)


def set_at(obj, place, value):
    *parents, last = place
    for part in parents:
        obj = obj[part]
    if value is ...:
        del obj[last]
    else:
        obj[last] = value


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("art",), ..., "art: expected a list, found nothing"),
        (("objects",), {}, "objects: expected a list, found dict"),
        (("objects", 0), "0", "objects[0]: expected an object, found str"),
        (("objects", 3), ..., "objects: expected each region once in each image, found 3 objects"),
        (("objects", 1, "id"), "0", "objects[1].id: 0 is used twice"),
        (("objects", 1, "id"), "4", "objects[1].id: expected a node id 0…3, found '4'"),
        (("objects", 1, "id"), "one", "objects[1].id: expected a node id 0…3, found 'one'"),
        (("objects", 1, "image"), "2", "objects[1]: node 1 in image 2, expected ids 0…1 in image"),
        (("objects", 1, "image"), "3", 'objects[1].image: expected "1" (anchor) or "2" (target)'),
        (("objects", 1, "image"), True, "objects[1].image: expected a string, found True"),
        (("attributes", 2), ..., "attributes: node 0 has 2, expected three: distortion, severity"),
        (("attributes", 3, "image"), "2", "attributes[3]: node 1 does not belong to image 2"),
        (("attributes", 3, "object"), ..., "attributes[3]: the key 'object' is missing"),
        (("attributes", 6, "attribute"), "blurr", "attributes[6].attribute: unknown distortion 'b"),
        (("attributes", 6, "attribute"), "blurr", "did you mean 'blur'?"),
        (("attributes", 7, "attribute"), "0.5", "attributes[7].attribute: unknown severity '0.5'"),
        (("attributes", 8, "attribute"), "good", "attributes[8].attribute: expected a score in"),
        (("attributes", 8, "attribute"), "1.01", "expected a score in [0, 1], found '1.01'"),
        (("attributes", 8, "attribute"), "nan", "expected a score in [0, 1], found 'nan'"),
        (("attributes", 7, "attribute"), "clean", "regions[0].target: distortion 'blur' with seve"),
        (("art", 0), ..., "art: no comparison for region 0 (1 missing)"),
        (("art", 0, "predicate"), "sam", "art[0].predicate: unknown comparison 'sam', expected"),
        (("art", 0, "subject"), "3", "art[0]: object 0 and subject 3, expected an anchor node k"),
        (("relationships", 1, "subject"), "0", "relationships[1]: subject 0 and object 3 are not"),
        (("relationships", 0), PUBLISHED["relationships"][1] | {"image": "1"}, "not two nodes of"),
        (("relationships", 0, "predicate"), "", "relationships[0].predicate: expected a word"),
    ],
)
def test_each_fault_is_one_line_with_its_place(place, value, says):
    obj = published()
    set_at(obj, place, value)
    with pytest.raises(GraphError) as caught:
        loads(json.dumps(obj), where="pair.json")
    text = str(caught.value)
    assert text.startswith("pair.json: ")
    assert says in text
    assert "\n" not in text


def test_contradicting_comparisons_and_text_that_is_not_json():
    obj = published()
    obj["art"].append({"predicate": "slightly_worse", "object": "0", "subject": "2"})
    with pytest.raises(GraphError, match=r"art\[2\]: region 0 is 'slightly_worse', but 'same'"):
        from_published(obj)
    with pytest.raises(GraphError, match="published graph: not valid JSON at line 1, column 2"):
        loads("{")
    with pytest.raises(GraphError, match="expected an object with the lists objects, attributes"):
        loads("[]")


def test_a_graph_without_a_score_cannot_be_written():
    graph = graph_of([region(0, "sky", ("rain", "minor", 0.5), ("haze", "minor", 0.5), "same")])
    part = graph.regions[0]
    unknown = part.model_copy(
        update={
            "target": part.target.model_copy(update={"score": None}),
            "comparison": ComparisonBelief(label="same"),
        }
    )
    with pytest.raises(GraphError, match=r"regions\[0\] \(sky\): a score is null"):
        to_published(graph_of([unknown]))
