"""What a person says of a region: where it stands, what is refused, and how it turns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from graph_samples import changed, native
from pydantic import ValidationError

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import (
    DistortionGraph,
    Judgement,
    NodeJudgement,
    graph_from_value,
    judge,
    load_graph,
)

SAID = Judgement(
    by="bob",
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    target=NodeJudgement(distortion="rain", severity="severe"),
    comparison="significantly_better",
)


def graph():
    return DistortionGraph.model_validate(native())


def test_a_judgement_makes_a_new_graph_and_leaves_all_else():
    old = graph()
    new = judge(old, 2, SAID)
    assert old == graph() and new != old
    assert new.region(2).judged == SAID and new.region(7) == old.region(7)
    assert judge(new, 2, None) == old
    assert load_graph(new.to_json()) == new


def test_it_is_a_valid_graph_whichever_way_it_was_made():
    new = judge(graph(), 2, SAID)
    assert DistortionGraph.model_validate(new.model_dump(mode="json", by_alias=True)) == new


def test_seen_from_the_target_it_is_mirrored():
    turned = judge(graph(), 2, SAID).swapped()
    said = turned.region(2).judged
    assert said is not None
    assert (said.anchor, said.target) == (SAID.target, SAID.anchor)
    assert said.comparison == "significantly_worse"
    assert (said.by, said.at) == (SAID.by, SAID.at)
    assert turned.swapped() == judge(graph(), 2, SAID)


@pytest.mark.parametrize("region", [3, 9])
def test_a_region_that_is_not_there_is_refused(region):
    with pytest.raises(GraphError, match=rf"no region with the id {region} \(ids: 7, 2\)"):
        judge(graph(), region, SAID)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            Judgement(anchor=NodeJudgement(distortion="blurr")),
            "region 7.judged.anchor.distortion: unknown distortion 'blurr'",
        ),
        (
            Judgement(target=NodeJudgement(severity="bad")),
            "region 7.judged.target.severity: unknown severity 'bad'",
        ),
        (
            Judgement(comparison="better"),
            "region 7.judged.comparison: unknown comparison 'better'",
        ),
        (
            Judgement(anchor=NodeJudgement(distortion="clean", severity="minor")),
            "region 7.judged.anchor: distortion 'clean' with severity 'minor', expected both or",
        ),
    ],
)
def test_labels_that_the_vocabulary_does_not_have_are_refused(said, line):
    with pytest.raises(GraphError) as caught:
        judge(graph(), 7, said)
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("comparison", "better", "regions[0].judged.comparison: unknown comparison 'better'"),
        ("at", "yesterday", "regions[0].judged.at: "),
        ("at", 1700000000, "regions[0].judged.at: "),
        ("at", "2026-11-30T12:00:00", "regions[0].judged.at: "),
        ("by", "", "regions[0].judged.by: "),
        ("score", 0.5, "regions[0].judged: unknown key 'score'"),
    ],
)
def test_a_file_with_a_bad_judgement_is_refused_in_one_line(path, value, line):
    with pytest.raises(GraphError) as caught:
        graph_from_value(changed(f"regions.0.judged.{path}", value), "g.json")
    assert str(caught.value).startswith(f"g.json: {line}")
    assert "\n" not in str(caught.value)


def test_saying_nothing_is_no_judgement():
    with pytest.raises(ValidationError, match="nothing is judged"):
        Judgement(by="ada")
    with pytest.raises(GraphError, match=r"regions\[0\].judged: nothing is judged"):
        graph_from_value(changed("regions.0.judged", {"by": "ada"}), "g.json")


@pytest.mark.parametrize("value", [None, ...])
def test_it_may_be_null_or_absent(value):
    assert graph_from_value(changed("regions.0.judged", value), "g").region(7).judged is None
