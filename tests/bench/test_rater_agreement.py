"""Agreement of people and model, beside scikit-learn's kappa, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from graph_samples import native
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from distortion_graph.base.errors import GraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.agreement import agreement_table, rater_agreement
from distortion_graph.bench.metrics import cohens_kappa, confusion
from distortion_graph.bench.tables import markdown
from distortion_graph.graph import DistortionGraph, Judgement, NodeJudgement, judge

REGIONS = 6
SCALES = {
    "distortion": WORDS.distortions,
    "severity": WORDS.severities,
    "comparison": WORDS.comparison_labels,
}


def said(rng, by, near=None):
    """A full judgement; with `near`, one that often says the same."""

    def label(kind, old):
        return old if old and rng.random() < 0.6 else str(rng.choice(SCALES[kind]))

    def node(side):
        old = getattr(near, side) if near else None
        d, s = (label(kind, old and getattr(old, kind)) for kind in ("distortion", "severity"))
        return NodeJudgement(distortion=d, severity=s if d != "clean" else "clean")

    def consistent(node):
        minor = node.distortion != "clean" and node.severity == "clean"
        return NodeJudgement(distortion=node.distortion, severity="minor") if minor else node

    return Judgement(
        by=by,
        anchor=consistent(node("anchor")),
        target=consistent(node("target")),
        comparison=label("comparison", near and near.comparison),
    )


def pair(number, rng, target=None):
    """A graph of the pair with this number, its model's answers drawn."""
    value = native() | {"reference": None, "scores": None, "scene": None, "relations": []}
    region = value["regions"][1]
    value["regions"] = []
    for k in range(REGIONS):
        model = said(rng, None)
        nodes = {
            side: {
                "distortion": {"label": getattr(model, side).distortion},
                "severity": {"label": getattr(model, side).severity},
            }
            for side in ("anchor", "target")
        }
        seen = {"comparison": {"label": model.comparison}}
        value["regions"].append(region | {"id": k} | nodes | seen)
    value["anchor"]["sha256"] = f"{number:064x}"
    value["target"]["sha256"] = f"{(1000 + number if target is None else target):064x}"
    value["target"]["sha256_of"] = "file"
    return DistortionGraph.model_validate(value)


def of_model(region):
    return Judgement(
        anchor=NodeJudgement(
            distortion=region.anchor.distortion.label, severity=region.anchor.severity.label
        ),
        target=NodeJudgement(
            distortion=region.target.distortion.label, severity=region.target.severity.label
        ),
        comparison=region.comparison.label,
    )


def judged(graph, by, rng):
    for region in graph.regions:
        graph = judge(graph, region.id, said(rng, by, of_model(region)))
    return graph


def study(people=("ada", "bob"), pairs=5, seed=0):
    """(name, graph) of every person and pair."""
    rng = np.random.default_rng(seed)
    graphs = [pair(k, rng) for k in range(pairs)]
    return [(f"{by}{k}", judged(g, by, rng)) for k, g in enumerate(graphs) for by in people]


def labels(judgement, kind):
    nodes = judgement.anchor, judgement.target
    return (
        [judgement.comparison] if kind == "comparison" else [getattr(node, kind) for node in nodes]
    )


def expected(first, second, kind):
    """scikit-learn's kappa of two lists of judgements."""
    x, y = ([label for j in js for label in labels(j, kind)] for js in (first, second))
    weights = None if kind == "distortion" else "quadratic"
    order = list(SCALES[kind])
    return cohen_kappa_score(x, y, labels=order, weights=weights), len(x)


def judgements(graphs, by):
    return [
        r.judged for _, graph in graphs for r in graph.regions if r.judged and r.judged.by == by
    ]


def rows(result):
    return {(row.first, row.second): row for row in result.raters}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30),
    st.booleans(),
)
def test_kappa_is_scikit_learns(items, ordered):
    x, y = np.array(items).T
    ours = cohens_kappa(confusion(x, y, 4)[:, :-1], ordered=ordered)
    if len({*x, *y}) == 1:
        assert np.isnan(ours)
    else:
        theirs = cohen_kappa_score(x, y, labels=range(4), weights="quadratic" if ordered else None)
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_kappas_of_many_tables_at_once_are_those_of_each():
    tables = np.random.default_rng(0).integers(0, 9, (3, 2, 4, 4))
    at_once = cohens_kappa(tables, ordered=True)
    assert at_once.shape == (3, 2)
    assert at_once[2, 1] == cohens_kappa(tables[2, 1], ordered=True)


def test_every_row_is_what_scikit_learn_finds_in_the_lists():
    graphs = study()
    found = rows(rater_agreement(graphs, draws=0))
    ada, bob = judgements(graphs, "ada"), judgements(graphs, "bob")
    model = [of_model(r) for name, g in graphs if name.startswith("ada") for r in g.regions]
    lists = {
        ("people", "small 1"): (ada + bob, model + model),
        ("ada", "small 1"): (ada, model),
        ("bob", "small 1"): (bob, model),
        ("ada", "bob"): (ada, bob),
    }
    assert found.keys() == lists.keys()
    for names, two in lists.items():
        for kind in SCALES:
            figure = getattr(found[names], kind)
            kappa, items = expected(*two, kind)
            assert (figure.kappa, figure.items) == (pytest.approx(kappa, abs=1e-12), items)


def test_with_three_people_their_row_is_the_mean_of_every_two():
    found = rows(rater_agreement(study(("ada", "bob", "cy")), draws=0))
    between = [
        found[a, b].severity.kappa for a, b in (("ada", "bob"), ("ada", "cy"), ("bob", "cy"))
    ]
    assert found["people", "people"].severity.kappa == pytest.approx(np.mean(between))


def test_who_agrees_with_the_model_in_all_has_kappa_1_and_its_interval():
    graphs = []
    for k in range(4):
        graph = pair(k, np.random.default_rng(k))
        for region in graph.regions:
            graph = judge(graph, region.id, of_model(region).model_copy(update={"by": "ada"}))
        graphs.append((str(k), graph))
    (row,) = rater_agreement(graphs, draws=100).raters
    for figure in (row.distortion, row.severity, row.comparison):
        assert (figure.kappa, figure.equal) == (1.0, 1.0)
        assert figure.interval == pytest.approx((1.0, 1.0))


def test_intervals_hold_the_figure_and_come_from_the_seed():
    graphs = study(pairs=12)
    result = rater_agreement(graphs, seed=3, draws=300)
    assert result == rater_agreement(graphs, seed=3, draws=300)
    assert result != rater_agreement(graphs, seed=4, draws=300)
    for row in result.raters:
        kappa, interval = row.comparison.kappa, row.comparison.interval
        assert kappa is not None and interval is not None
        assert interval[0] < kappa < interval[1]


def test_the_order_of_files_and_the_side_a_pair_was_seen_from_do_not_matter():
    graphs = study()
    turned = [(n, g.swapped() if n.startswith("bob") else g) for n, g in reversed(graphs)]
    result, other = (rater_agreement(g, draws=0) for g in (graphs, turned))
    assert {n: r.severity.kappa for n, r in rows(result).items()} == pytest.approx(
        {n: r.severity.kappa for n, r in rows(other).items()}
    )
    assert rows(result)["ada", "bob"].comparison == rows(other)["ada", "bob"].comparison


def test_pairs_that_share_a_picture_are_drawn_together():
    rng = np.random.default_rng(0)
    apart = [(str(k), judged(pair(k, rng), "ada", rng)) for k in range(3)]
    shared = [(str(k), judged(pair(k, rng, target=5000), "ada", rng)) for k in range(3)]
    result = rater_agreement(apart)
    assert (result.pairs, result.groups) == (3, 3)
    result = rater_agreement(shared)
    assert (result.pairs, result.groups) == (3, 1)
    assert result.raters[0].severity.interval is None
    assert result.regions == 3 * REGIONS


def test_only_what_both_said_counts():
    rng = np.random.default_rng(0)
    graph = judge(pair(0, rng), 0, Judgement(by="ada", comparison="same"))
    other = judge(pair(0, np.random.default_rng(0)), 0, Judgement(
        by="bob", comparison="same", anchor=NodeJudgement(distortion="rain")
    ))  # fmt: skip
    row = rows(rater_agreement([("a", graph), ("b", other)]))["ada", "bob"]
    assert (row.distortion.items, row.distortion.kappa, row.distortion.equal) == (0, None, None)
    assert (row.comparison.items, row.comparison.kappa, row.comparison.equal) == (1, None, 1.0)


def refusal(graphs):
    with pytest.raises(GraphError) as caught:
        rater_agreement(graphs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_refused():
    rng = np.random.default_rng(0)
    bare = pair(0, rng)
    graph = judged(bare, "ada", rng)
    nobody = judged(bare, None, rng)
    assert refusal([("b.json", bare)]).startswith("b.json: no region is judged, expected `judged`")
    assert refusal([("a.json", graph), ("c.json", graph)]) == (
        "c.json: region 0 is judged by 'ada' as in a.json, a graph of the same pictures; expected "
        "one judgement per person"
    )
    assert refusal([("a.json", nobody), ("c.json", nobody)]).endswith(
        "expected one judgement per person (give each person a pseudonym in `by`)"
    )
    unknown = graph.model_copy(
        update={"anchor": graph.anchor.model_copy(update={"sha256": None, "sha256_of": None})}
    )
    assert refusal([("a.json", unknown)]).startswith("a.json: its pictures have no sha256")
    words = WORDS.model_copy(update={"distortions": (*WORDS.distortions, "moire")})
    other = judged(bare, "bob", rng)
    with_words = other.model_copy(update={"vocabulary": words})
    assert refusal([("a.json", graph), ("b.json", with_words)]) == (
        "b.json: another vocabulary than in a.json, expected one for all graphs"
    )
    first = other.regions[0]
    node = first.anchor.model_copy(update={"bbox_xywh_px": (0, 0, 1, 1)})
    moved = other.model_copy(
        update={"regions": (first.model_copy(update={"anchor": node}), *other.regions[1:])}
    )
    assert refusal([("a.json", graph), ("b.json", moved)]) == (
        "b.json: region 0 covers other pixels than in a.json, a graph of the same pictures; "
        "expected the same regions"
    )
    assert refusal([]) == "no graphs, expected at least one that a person has judged"


def test_the_table_has_a_row_for_every_two_raters():
    text = markdown(agreement_table(rater_agreement(study(), draws=50)))
    for row in ("people – small 1", "ada – small 1", "bob – small 1", "ada – bob"):
        assert f"| {row} |" in text
    assert "30 judged regions of 5 pairs of pictures" in text
