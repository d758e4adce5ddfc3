"""What a form cannot hold: the table, what is said of a graph, and that it is true."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from format_samples import HOSTILE, empty, full, hostile, many, masked
from hypothesis import given, settings
from hypothesis import strategies as st

from distortion_graph import DistortionGraph
from distortion_graph.cli.compare import Format
from distortion_graph.formats import published
from distortion_graph.formats.files import read_graph_and_form
from distortion_graph.formats.forms import (
    TABLE_FORMS,
    graph_files,
    graph_text,
    output_paths,
)
from distortion_graph.formats.losses import LOST, MASK_FORMS, Form, loss_lines, lost_parts
from distortion_graph.graph import (
    Evidence,
    FurtherDistortion,
    ImageInfo,
    Judgement,
    LabelBelief,
    Node,
    NodeJudgement,
    Scene,
    SceneNode,
    Scores,
    judge,
)

FORMS = get_args(Form)
READ = ("native", "published", "node-link", "graphml", "json-ld")


NODE = Node(distortion=LabelBelief(label="blur"), severity=LabelBelief(label="minor"), score=0.5)
FURTHER = (FurtherDistortion(label="noise", severity="severe"),)


def bare(**changes):
    """A graph that has only what every form holds."""
    region = {"id": 0, "name": "a", "anchor": NODE, "target": NODE}
    region |= {"comparison": {"label": "same", "margin": 0.0}} | changes
    value = empty().model_dump() | {"regions": [region]}
    return DistortionGraph.model_validate(value)


def measured_further():
    """A graph with a value of a further metric and no other evidence."""
    graph = bare().model_copy(update={"metrics": full().metrics})
    (region,) = graph.regions
    region = region.model_copy(update={"evidence": Evidence(more={"flip": 0.5})})
    return graph.model_copy(update={"regions": (region,)})


def test_the_table_has_every_form_and_the_command_line_too():
    assert tuple(LOST) == FORMS == tuple(form.value for form in Format)
    assert {form for form in FORMS if not LOST[form]} == {*READ} - {"published"}
    page = Path(__file__).parents[2] / "docs" / "formats.md"
    for form, parts in LOST.items():
        row = next(r for r in page.read_text("utf-8").splitlines() if r.startswith(f"| `{form}`"))
        assert row.endswith(f"| {', '.join(parts) or 'nothing'} |"), form


@pytest.mark.parametrize("form", FORMS)
def test_a_bare_graph_loses_nothing(form):
    assert lost_parts(bare(), form) == ()
    said = list(loss_lines(bare(), form))
    expected = [f"{form} holds masks; left out where there is none: region 0 (a)"]
    assert said == (expected if form in MASK_FORMS else [])


def test_what_is_said_of_a_full_graph():
    assert list(loss_lines(full(), "published")) == [
        "published cannot hold: model, pictures, reference, picture hashes, transparency, region "
        "ids, areas, masks, boxes, probabilities, probabilities of other labels, known, opinion, "
        "further distortions, evidence, metric descriptions, differences, judgements, scene; they "
        "are left out"
    ]
    assert list(loss_lines(full(), "csv")) == [
        "csv cannot hold: model, pictures, reference, picture hashes, transparency, metric "
        "descriptions; they are left out"
    ]
    assert list(loss_lines(full(), "coco")) == [
        "coco cannot hold: reference, transparency, probabilities of other labels, judgements, "
        "scene, relations; they are left out",
        "coco holds masks; left out where there is none: region 2 (Schläger)",
    ]
    assert list(loss_lines(many(), "native")) == []


@pytest.mark.parametrize(
    ("part", "graph"),
    [
        ("areas", bare(area_fraction=0.5)),
        ("region ids", bare(id=4)),
        ("score digits", bare(anchor=full().regions[0].anchor.model_copy(update={"score": 1 / 3}),
                              comparison={"label": "same", "margin": 1 / 3 - 0.5})),
        ("opinion", bare(target=NODE.model_copy(update={"opinion": 0.5}))),
        ("opinion", bare().model_copy(update={"scene": Scene(target=SceneNode(opinion=0.5))})),
        ("further distortions", bare(target=NODE.model_copy(update={"also": FURTHER}))),
        ("evidence", bare(evidence={"ssim": 0.5})),
        ("evidence", measured_further()),
        ("metric descriptions", bare().model_copy(update={"metrics": full().metrics})),
        ("differences", bare(differs={"share": 0.0, "equal": 1.0, "size": (4, 3)})),
        ("judgements", bare(judged={"comparison": "same"})),
        ("pictures", bare().model_copy(update={"anchor": ImageInfo(width=4, height=3)})),
        ("reference", bare().model_copy(update={"scores": Scores(source="measured")})),
        ("reference", bare().model_copy(update={"reference": full().reference})),
        ("scene", bare().model_copy(update={"scene": full().scene})),
        ("model", bare().model_copy(update={"model": full().model})),
        ("vocabulary", hostile()),
    ],
)  # fmt: skip
def test_each_part_is_named_where_it_is(part, graph):
    assert part in lost_parts(graph, "published")
    assert part not in lost_parts(bare(), "published")


def test_predicted_scores_are_implied():
    graph = bare().model_copy(update={"scores": Scores(source="predicted")})
    assert lost_parts(graph, "published") == ()


def test_empty_evidence_is_none():
    assert lost_parts(bare(evidence={}), "published") == ()


def test_many_regions_without_masks_are_counted():
    line = list(loss_lines(hostile(), "cvat"))[-1]
    assert line.endswith("and 6 more")


@given(st.integers(0, 2**20))
@settings(max_examples=30)
def test_published_loses_nothing_that_is_not_said(seed):
    """Where nothing is said to be lost, the way there and back is exact."""
    graph = bare(name=f"region {seed}")
    assert lost_parts(graph, "published") == ()
    assert published.loads(published.dumps(graph)) == graph


@pytest.mark.parametrize("form", [form for form in FORMS if form not in TABLE_FORMS])
@pytest.mark.parametrize("graph", [full(), many(3), masked()[0], empty()])
def test_the_text_of_every_form_ends_in_one_line_end_and_is_utf_8(form, graph, tmp_path):
    text = graph_text(graph, form)
    assert text.endswith("\n") and not text.endswith("\n\n")
    ((path, data),) = graph_files(graph, form, tmp_path / "g")
    assert (path, data.decode()) == (tmp_path / "g", text)
    path.write_bytes(data)
    if form in READ:
        back, found = read_graph_and_form(path)
        assert found == form
        assert back == graph or form == "published"


def test_tables_are_two_files_beside_each_other(tmp_path):
    assert [p.name for p in output_paths(tmp_path / "t.csv", "csv")] == [
        "t.nodes.csv",
        "t.edges.csv",
    ]
    assert [p.name for p in output_paths(Path("a.b/t"), "parquet")] == [
        "t.nodes.parquet",
        "t.edges.parquet",
    ]
    files = graph_files(full(), "parquet", tmp_path / "t.parquet")
    assert [path.name for path, _ in files] == ["t.nodes.parquet", "t.edges.parquet"]
    assert all(data.startswith(b"PAR1") for _, data in files)


@pytest.mark.parametrize("form", [form for form in READ if form != "published"])
@pytest.mark.parametrize("by", [None, *HOSTILE])
def test_a_judgement_comes_back_whoever_made_it(form, by, tmp_path):
    said = Judgement(by=by, target=NodeJudgement(severity="minor"))
    graph = judge(bare(), 0, said)
    path = tmp_path / "g"
    path.write_bytes(graph_text(graph, form).encode())
    assert read_graph_and_form(path) == (graph, form)
