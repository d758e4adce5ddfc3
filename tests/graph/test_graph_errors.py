"""One clear line for each way to break a graph, with its place."""

from __future__ import annotations

import json

import pytest
from graph_samples import LABELS, changed, native, node
from optional import present
from pydantic import ValidationError

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import LabelBelief, Node, load_graph


def line(data) -> str:
    """The error of reading `data`; it must be one line."""
    with pytest.raises(GraphError) as caught:
        load_graph(json.dumps(data))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_is_named_in_every_message(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(native()), encoding="utf-8")
    assert load_graph(path) == load_graph(str(path)) == load_graph(path.read_bytes())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_graph(path).regions[0].id == 7
    path.write_text(json.dumps(changed("relations.0.object", 5)))
    with pytest.raises(GraphError, match=r"graph\.json: relations\[0\]\.object: no region .* 5"):
        load_graph(path)
    with pytest.raises(GraphError, match=r"^\S*none\.json: no such file"):
        load_graph(tmp_path / "none.json")
    with pytest.raises(GraphError, match="cannot be read as a graph file"):
        load_graph(tmp_path)
    with pytest.raises(GraphError, match=r"cannot be read as a graph file|no such file"):
        load_graph("x" * 5000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"schema": ', "graph text: not valid JSON at line 1, column 12"),
        ('{"a": NaN}', "NaN is not allowed in JSON"),
        ('{"a": -Infinity}', "-Infinity is not allowed in JSON"),
        ("[1, 2]", "found a JSON list, expected a graph object"),
        (b"\xff\xfe", "not UTF-8 text at byte 0, expected JSON"),
        ("[" * 100_000, "JSON cannot be read"),
        ('{"a": ' + "9" * 5000 + "}", "JSON cannot be read"),
        ("{}", "the key 'schema' is missing, expected 'distortion-graph/1'"),
        (
            '{"objects": [], "attributes": [], "relationships": [], "art": []}',
            "published four-list form",
        ),
    ],
)
def test_text_that_is_no_graph(text, says):
    with pytest.raises(GraphError) as caught:
        load_graph(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["distortion-graph/2", "distortion-graph/10"])
def test_a_newer_schema_says_what_is_understood_and_what_to_do(version):
    data = {**changed("schema", version), "something_new": 1}
    text = line(data)
    assert version in text
    assert "newer than this program: update it" in text
    assert "understood is 'distortion-graph/1'" in text


@pytest.mark.parametrize("version", ["distortion-graph/0", "graph/1", 1, "distortion-graph/x", []])
def test_an_unknown_schema(version):
    text = line(changed("schema", version))
    assert "not a version this program knows" in text
    assert "understood is 'distortion-graph/1'" in text


# --- rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "regions.1.target.distortion",
            {"label": "hase"},
            "graph text: regions[1].target.distortion: unknown distortion 'hase', expected one of "
            f"{', '.join(LABELS)}; did you mean 'haze'?",
        ),
        (
            "regions.0.anchor.severity",
            {"label": "sever"},
            "regions[0].anchor.severity: unknown severity 'sever', expected one of clean, minor, "
            "moderate, severe; did you mean 'severe'?",
        ),
        (
            "regions.0.comparison",
            {"label": "slightly_beter", "margin": 0.7 - 0.6},
            "regions[0].comparison: unknown comparison 'slightly_beter'",
        ),
        (
            "scene.target.distortion_share",
            {"nois": 0.5},
            "scene.target.distortion_share: unknown distortion 'nois'",
        ),
        ("regions.1.comparison.margin", 0.7500001, "regions[1]: comparison.margin is 0.7500001"),
        ("regions.1.comparison.margin", None, "comparison.margin is null, expected anchor score"),
        ("regions.1.target.score", None, "comparison.margin is 0.75, expected anchor score"),
        ("scene.comparison.margin", 0.2, "scene: comparison.margin is 0.2"),
        ("regions.1.id", 7, "regions[1].id: 7 is also the id of regions[0]"),
        ("regions.1.id", "7", "regions[1].id: expected a valid integer, found '7'"),
        ("regions.1.id", True, "regions[1].id: expected a valid integer, found True"),
        ("regions.1.id", -1, "regions[1].id: expected greater than or equal to 0, found -1"),
        ("relations.0.subject", 1, "relations[0].subject: no region has the id 1 (ids: 2, 7)"),
        ("relations.0.image", "2", "relations[0].image: expected 'anchor', 'target' or 'both'"),
        ("regions.0.anchor.score", 1.5, "regions[0].anchor.score: expected less than or equal"),
        ("regions.0.anchor.mask.size", [3, 4], "mask: its size is 3 × 4, but the anchor picture"),
        ("target.width", 2, "regions[0].target.mask: its size is 4 × 3, but the target picture"),
        ("regions.0.anchor.mask.counts", "02", "regions[0].anchor.mask: counts: "),
        ("regions.0.anchor.mask.counts", "02;", "regions[0].anchor.mask: counts: "),
        ("regions.0.anchor.bbox_xywh_px", [3, 0, 1, 2], "[3, 0, 1, 2] leaves the picture"),
        ("regions.0.anchor.bbox_xywh_px", [0, 0, 0, 2], "bbox_xywh_px[2]: expected greater"),
        ("regions.0.target.bbox_xywh_px", [0, 0, 1, 2], "equals the anchor's, expected null"),
        ("regions.1.target.bbox_xywh_px", [0, 0, 1, 2], "given but anchor.bbox_xywh_px is null"),
        ("anchor.sha256_of", None, "anchor: sha256 and sha256_of must be given together"),
        ("anchor.sha256", "xyz", "anchor.sha256: expected a string that should match pattern"),
        ("scene.anchor.distortion_share", {"blur": 0.7, "haze": 0.4}, "sums to 1.1"),
        ("regions.0.name", "", "regions[0].name: "),
        (
            "regions.0.differs.spots",
            [[2, 1, 2, 2]],
            "regions[0].differs: spots[0]: [2, 1, 2, 2] leaves the picture, which is 4 × 3",
        ),
        (
            "scene.differs.spots",
            [[0, 0, 1, 1], [0, 0, 2, 2]],
            "scene.differs: spots[1] is larger than spots[0], expected it before",
        ),
        ("scene.differs.spots", [[0, 0, 0, 1]], "scene.differs.spots[0][2]: expected greater"),
        ("scene.differs.spots", [[0, 0, 1, 1]] * 9, "scene.differs.spots: "),
        ("scene.differs.share", 0.75, "share 0.75 and equal 0.5 are 1.25 together, expected at"),
        ("scene.differs.share", -0.1, "scene.differs.share: expected greater than or equal to 0"),
        (
            "regions.0.differs.size",
            [5, 3],
            "regions[0].differs.size: is 5 × 3, but the pictures are 4 × 3 (height × width)",
        ),
        ("regions.0.comparison", ..., "regions[0]: the key 'comparison' is missing"),
        ("vocabulary", ..., "top level: the key 'vocabulary' is missing"),
        ("vocabulary.severities", ["good", "bad"], "graph text: vocabulary: the first severity"),
        ("regions", {"a": 1}, "regions: expected a list, found {'a': 1}"),
    ],
)
def test_each_broken_rule_is_named_with_its_place(path, value, says):
    assert says in line(changed(path, value))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("regions.0.anchor.sevrity", "regions[0].anchor: unknown key 'sevrity', expected only"),
        ("regions.0.anchor.severity.probabilties", "did you mean 'probabilities'?"),
        ("shema", "top level: unknown key 'shema'"),
        ("scene.scroe", "scene: unknown key 'scroe', expected only anchor, target, comparison"),
    ],
)
def test_unknown_keys_fail_and_the_nearest_key_is_named(path, says):
    assert says in line(changed(path, 1))


def test_a_misspelt_key_is_one_problem_named_by_its_wrong_spelling():
    data = native()
    data["regions"][0]["anchor"]["sevrity"] = data["regions"][0]["anchor"].pop("severity")
    assert line(data).endswith("did you mean 'severity'?")


def test_the_number_of_further_problems_is_told():
    data = native()
    data["regions"][1]["target"]["distortion"] = {"label": "hase"}
    assert line(data).endswith("did you mean 'haze'?")
    data["relations"][0]["object"] = 99
    assert line(data).endswith("(and 1 more problem)")
    data["relations"][0]["subject"] = 98
    assert line(data).endswith("(and 2 more problems)")
    data = changed("anchor.width", 0)
    data["target"]["height"] = "tall"
    assert line(data).endswith("(and 1 more problem)")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p.pop("rain"), "no probability for 'rain'"),
        (lambda p: p.update(rayn=p.pop("rain")), "unknown distortion 'rayn'"),
        (lambda p: p.update(rain=p["rain"] + 0.002), "probabilities sum to 1.002, expected 1"),
        (lambda p: p.update(rain=-0.1), "probabilities.rain: expected greater than or equal to 0"),
        (lambda p: p.update(rain="0"), "probabilities.rain: expected a valid number, found '0'"),
    ],
)
def test_probabilities_have_exactly_the_labels_and_sum_to_one(change, says):
    data = native()
    change(data["regions"][0]["anchor"]["distortion"]["probabilities"])
    assert says in line(data)


def test_probability_is_that_of_the_label():
    assert "probability is 0.5, expected probabilities['blur'] = 0.9" in line(
        changed("regions.0.anchor.distortion.probability", 0.5)
    )
    assert "probability is null" in line(changed("regions.0.comparison.probability", None))
    slightly_off = native()["regions"][0]["anchor"]["distortion"]["probabilities"]
    slightly_off["rain"] += 0.0009  # sums need not be perfect
    load_graph(json.dumps(changed("regions.0.anchor.distortion.probabilities", slightly_off)))


def test_clean_is_a_distortion_exactly_where_it_is_a_severity():
    expected = "regions[0].target: distortion 'noise' with severity 'clean', expected both or"
    assert expected in line(changed("regions.0.target", node("noise", "clean", 0.6)))
    assert "distortion 'clean' with severity 'minor'" in line(
        changed("regions.0.target", node("clean", "minor", 0.6))
    )
    beliefs = {"clean": 0.3, "minor": 0.7, "moderate": 0.0, "severe": 0.0}
    severity = {"label": "minor", "probability": 0.7, "probabilities": beliefs}
    assert "the probability of 'clean' is 0.1 as a distortion and 0.3 as a severity" in line(
        changed("regions.0.target.severity", severity)
    )


def further(label="haze", severity="minor", **more):
    return {"label": label, "severity": severity, **more}


@pytest.mark.parametrize(
    ("also", "says"),
    [
        ([further("hase")], "also[0].label: unknown distortion 'hase', expected one of"),
        ([further(severity="sever")], "also[0].severity: unknown severity 'sever', expected one"),
        ([further("clean")], "also[0].label: is 'clean', expected a distortion"),
        ([further("noise")], "also[0].label: is 'noise', which is the node's own distortion"),
        (
            [further("rain"), further(), further("rain")],
            "also[2].label: is 'rain', which is also[0] already",
        ),
        (
            [further(severity="clean")],
            "also[0].severity: is 'clean', expected how severe 'haze' is",
        ),
        (
            [further(probability=0.5), further("rain"), further("snow", probability=0.625)],
            "also[2].probability: is 0.625 after 0.5, expected the most probable first",
        ),
        ([further(probability=1.5)], "also[0].probability: expected less than or equal to 1"),
        ([{"label": "haze"}], "also[0]: the key 'severity' is missing"),
        ([further(score=1)], "also[0]: unknown key 'score', expected only label, probability, sev"),
        ({"haze": 0.5}, "also: expected a list, found {'haze': 0.5}"),
    ],
)
def test_further_distortions_are_other_distortions_the_most_probable_first(also, says):
    assert f"regions[0].target.{says}" in line(changed("regions.0.target.also", also))


def test_a_clean_region_suffers_nothing_further():
    assert "regions[1].anchor.also: 'haze' beside 'clean', expected an empty list" in line(
        changed("regions.1.anchor.also", [further()])
    )


def test_an_opinion_is_a_number_from_0_to_1():
    for path in ("regions.0.target.opinion", "scene.target.opinion"):
        assert "opinion: expected less than or equal to 1, found 1.5" in line(changed(path, 1.5))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "scene.evidence.more",
            {"vif": 0.5},
            "scene.evidence.more: 'vif' is not among the graph's metrics (names: flip, ssimulacra2",
        ),
        (
            "regions.0.evidence.more",
            {"flip": 1.5},
            "regions[0].evidence.more: flip is 1.5, expected at most 1.0, as metrics says",
        ),
        (
            "regions.0.evidence.more",
            {"ssimulacra2": 100.5},
            "evidence.more: ssimulacra2 is 100.5, expected at most 100.0, as metrics says",
        ),
        (
            "scene.evidence.more",
            {"flip": -0.5},
            "scene.evidence.more: flip is -0.5, expected at least 0.0, as metrics says",
        ),
        ("regions.0.evidence.more", {"flip": "0.5"}, "more.flip: expected a valid number, found"),
        ("metrics.1.name", "flip", "metrics[1].name: 'flip' is also the name of metrics[0]"),
        ("metrics.1.name", "a b", "metrics[1].name: expected a string that should match pattern"),
        ("metrics.1.licence", ..., "metrics[1]: the key 'licence' is missing"),
        ("metrics.1.direction", "up", "metrics[1].direction: expected 'higher_is_better' or"),
    ],
)
def test_further_metrics_are_described_and_keep_to_their_range(path, value, says):
    assert says in line(changed(path, value))


def test_values_of_further_metrics_may_be_low_where_there_is_no_bound():
    graph = load_graph(json.dumps(changed("scene.evidence.more", {"ssimulacra2": -500.5})))
    assert present(present(graph.scene).evidence).more == {"ssimulacra2": -500.5}


def test_numbers_are_finite():
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            Node(distortion=LabelBelief(label="a"), severity=LabelBelief(label="b"), score=bad)
    text = json.dumps(native()).replace("20.5", "1e999")
    with pytest.raises(GraphError, match=r"scene\.evidence\.psnr_db: .*finite"):
        load_graph(text)
