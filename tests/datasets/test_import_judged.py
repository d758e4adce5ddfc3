"""A data set of judged graphs: what people say arrives, what they do not say is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from judged_graphs import judged_pair, judgement_of, photo
from optional import present
from PIL import Image

from distortion_graph.base.errors import DatasetError, GraphError
from distortion_graph.datasets.check import check_dataset
from distortion_graph.datasets.info import dataset_info
from distortion_graph.datasets.judged import import_judged
from distortion_graph.datasets.judged.merging import merged
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.make.splits import parse_splits
from distortion_graph.datasets.reader import PandaSet, true_graph
from distortion_graph.graph import Judgement, NodeJudgement, ReferenceInfo
from distortion_graph.graph.judging import judge
from distortion_graph.graph.truth import UNSAID
from distortion_graph.masks.rle import Rle

TEST = parse_splits("test")


def imported(folder, graphs, **options):
    named = [(f"{k}.json", graph) for k, graph in enumerate(graphs)]
    options.setdefault("splits", TEST)
    done = import_judged(named, [folder / "photos"], folder / "root", **options)
    return done, PandaSet(folder / "root")


def only_sample(reader, turned=False):
    (tag,) = reader.tags("test")
    names = ("mixed2", "mixed") if turned else ("mixed", "mixed2")
    return reader.sample("test", PairKey(*names, tag))


@pytest.mark.parametrize("first", ["lower", "higher"])
def test_what_people_say_arrives_in_both_orders(tmp_path, first):
    graph = judged_pair(tmp_path, 1)
    hashes = [present(info.sha256) for info in (graph.anchor, graph.target)]
    if (hashes[0] < hashes[1]) != (first == "lower"):  # the anchor's of the two
        graph = graph.swapped()
    done, reader = imported(tmp_path, [graph])
    assert (done.pairs, done.regions, done.people, done.notes) == ({"test": 1}, 4, 1, [])
    assert reader.keys("test", "hard") == reader.keys("test", "all")
    words = graph.vocabulary
    for turned in (False, True):
        sample, seen = only_sample(reader, turned), graph.swapped() if turned else graph
        assert sample.regions.ids == tuple(r.id for r in graph.regions)
        for k, region in enumerate(seen.regions):
            for side, node in enumerate((region.anchor, region.target)):
                assert words.distortions[sample.labels.distortion[side, k]] == node.distortion.label
                assert words.severities[sample.labels.severity[side, k]] == node.severity.label
            label = words.comparison_labels[sample.labels.comparison[k]]
            assert label == region.comparison.label
            mask = present(graph.regions[k].anchor.mask)
            assert np.array_equal(sample.masks[k], Rle(mask.size, mask.counts).decode())
        assert np.isnan(sample.labels.score).all() and np.isnan(sample.labels.scene_score).all()
        assert sample.labels.scene_comparison == UNSAID
        pixels = [np.asarray(Image.open(p.source)) for p in (seen.anchor, seen.target)]
        assert np.array_equal(sample.anchor, pixels[0]) and np.array_equal(sample.target, pixels[1])
    truth = true_graph(only_sample(reader), words)
    assert all(r.anchor.score is None for r in truth.regions)
    assert [r.comparison.label for r in truth.regions] == [
        r.comparison.label for r in graph.regions
    ]


def test_what_nobody_says_is_missing(tmp_path):
    graph = judged_pair(tmp_path, 1, only=[0])
    graph = judge(graph, 2, Judgement(comparison="slightly_better"))
    graph = judge(graph, 3, Judgement(target=NodeJudgement(severity="minor")))
    _, reader = imported(tmp_path, [graph])
    sample = only_sample(reader)
    assert sample.regions.ids == (0, 2, 3)
    labels, words = sample.labels, graph.vocabulary
    assert labels.distortion[:, 1:].tolist() == [[UNSAID] * 2] * 2
    assert labels.severity[:, 1:].tolist() == [[UNSAID] * 2, [UNSAID, 1]]
    assert labels.comparison[1:].tolist() == [words.comparison_index("slightly_better"), UNSAID]
    back = only_sample(reader, turned=True).labels
    assert back.comparison[1:].tolist() == [words.comparison_index("slightly_worse"), UNSAID]
    assert np.array_equal(labels.swapped(words).comparison, back.comparison)
    with pytest.raises(DatasetError, match="region 2: people did not say all of its labels"):
        true_graph(sample, words)


def test_the_root_is_whole_and_counted(tmp_path):
    graphs = [judged_pair(tmp_path, seed) for seed in (1, 2)]
    imported(tmp_path, graphs)
    report = check_dataset(tmp_path / "root")
    assert [str(f) for f in report.findings] == []
    assert sum(sum(row.values()) for row in report.balance.regions.values()) == 16
    assert sum(report.balance.hard.values()) == 16
    info = dataset_info(tmp_path / "root")
    assert info.comparisons["hard"] == info.comparisons["all"] == report.balance.hard
    assert info.total.without_mask == 0 and sum(info.score_deciles) == 0
    json.dumps(info.to_json(), allow_nan=False)
    assert info.facts["judged"] == {"graphs": 2, "people": 1, "regions": 8}


def changed(root, version, change):
    path = root / "stats" / f"test_stats_{version}.json"
    value = json.loads(path.read_text())
    change(next(iter(value.values())))
    path.write_text(json.dumps(value))


def set_region(key, value):
    return lambda entry: entry["regions"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_region("judged", {"mixed2": "same"}), "judged says otherwise than in mixed"),
        (set_region("judged", {"mixed2": "bad"}), "unknown comparison 'bad'"),
        (set_region("judged", {"blur": "same"}), "is compared with 'blur'"),
        (set_region("judged", ["same"]), "judged must be {version: comparison}"),
        (set_region("judged", None), "is not said what people judged"),
        (set_region("degradation", "fog"), "unknown degradation 'fog'"),
    ],
)
def test_damage_is_found(tmp_path, change, said):
    graph = judged_pair(tmp_path, 1, comparison="slightly_worse")
    imported(tmp_path, [graph])
    changed(tmp_path / "root", "mixed", change)
    report = check_dataset(tmp_path / "root")
    assert any(said in str(finding) for finding in report.findings), report.findings


def test_null_is_damage_where_nobody_judged(tmp_path):
    imported(tmp_path, [judged_pair(tmp_path, 1)])
    changed(tmp_path / "root", "mixed", set_region("judged", None))
    with pytest.raises(DatasetError, match="region 0: score_fr is None, expected a number"):
        only_sample(PandaSet(tmp_path / "root"))


def test_the_majority_counts_and_a_tie_is_said(tmp_path):
    people = {
        "ada": {"comparison": "slightly_better"},
        "bob": {"comparison": "slightly_better"},
        "eve": {"comparison": "same"},
    }
    graphs = [judged_pair(tmp_path, 1, by=by, **said) for by, said in people.items()]
    graphs[2] = graphs[2].swapped()
    done, reader = imported(tmp_path, graphs)
    better = graphs[0].vocabulary.comparison_index("slightly_better")
    assert only_sample(reader).labels.comparison.tolist() == [better] * 4
    assert done.people == 3 and done.notes == []
    region = graphs[0].regions[0]
    two = [judgement_of(region, "x", {"comparison": c}) for c in ("same", "slightly_worse")]
    found = merged(two, graphs[0].vocabulary)
    assert present(found.judgement).comparison is None
    assert found.left_out == ("comparison (same 1, slightly_worse 1)",)


@pytest.mark.parametrize("first", ["lower", "higher"])
def test_what_is_left_out_is_told_as_it_stands_in_the_file_that_is_named(tmp_path, first):
    graph = judged_pair(tmp_path, 1, only=[])
    hashes = [present(info.sha256) for info in (graph.anchor, graph.target)]
    if (hashes[0] < hashes[1]) != (first == "lower"):
        graph = graph.swapped()
    said = ("slightly_better", "minor"), ("significantly_better", "severe")
    graphs = [
        judge(
            graph,
            0,
            Judgement(
                by=by, comparison=label, target=NodeJudgement(distortion="noise", severity=severity)
            ),
        )
        for by, (label, severity) in zip("ab", said, strict=True)
    ]
    done, _ = imported(tmp_path, graphs)
    assert done.notes == [
        "0.json: region 0: no majority, left out: target severity (minor 1, severe 1); "
        "comparison (significantly_better 1, slightly_better 1)"
    ]


def test_labels_that_contradict_each_other_once_counted_are_left_out(tmp_path):
    words = judged_pair(tmp_path, 1).vocabulary
    said = [
        Judgement(anchor=NodeJudgement(distortion="clean", severity="clean"), comparison="same"),
        Judgement(anchor=NodeJudgement(distortion="clean"), comparison="same"),
        Judgement(anchor=NodeJudgement(distortion="blur", severity="minor"), comparison="same"),
        Judgement(anchor=NodeJudgement(severity="minor"), comparison="same"),
    ]
    found = merged(said, words)
    assert found.judgement == Judgement(comparison="same")
    assert found.left_out == ("anchor clean and minor, which contradict",)


def test_pairs_that_share_a_picture_stay_together(tmp_path):
    graphs = [judged_pair(tmp_path, seed) for seed in range(8)]
    shared = graphs[1].model_copy(update={"target": graphs[0].target})
    done, reader = imported(
        tmp_path, [*graphs, shared], splits=parse_splits("train=.5,val=.25,test=.25")
    )
    assert done.pairs.total() == 9 and len(done.pairs) == 3
    split_of = {tag: split for split in reader.splits() for tag in reader.tags(split)}
    together = {split_of[tag] for tag in split_of if tag.startswith(("anchor0", "anchor1-"))}
    assert len(together) == 1


def test_an_original_is_kept_where_it_is_known(tmp_path):
    graph = judged_pair(tmp_path, 1)
    done, reader = imported(tmp_path, [graph])
    (tag,) = reader.tags("test")
    assert done.originals == 0 and not reader.has_clean("test", tag)
    known = graph.model_copy(update={"reference": ReferenceInfo(role="anchor")})
    named = [("a.json", known)]
    assert import_judged(named, [tmp_path / "photos"], tmp_path / "b", splits=TEST).originals == 1
    reader = PandaSet(tmp_path / "b")
    assert np.array_equal(reader.clean("test", tag), only_sample(reader).anchor)


def test_what_cannot_be_imported_is_one_line_and_leaves_nothing(tmp_path):
    graph = judged_pair(tmp_path, 1)
    bare = judge(judged_pair(tmp_path, 1, only=[0]), 0, None)
    resized = graph.model_copy(update={"fit": "resize"})
    for graphs, error, said in (
        ([], GraphError, "no graphs"),
        ([bare], GraphError, "0.json: no region is judged"),
        ([graph, graph], GraphError, "1.json: region 0 is judged by 'ada' as in 0.json"),
        ([resized], DatasetError, "0.json: its pictures are of two sizes"),
    ):
        with pytest.raises(error, match=said):
            imported(tmp_path, graphs)
    Image.fromarray(photo(9)).save(tmp_path / "photos" / "anchor1.png")
    with pytest.raises(DatasetError, match=r"its anchor anchor1\.png: .*has another checksum"):
        imported(tmp_path, [graph])
    (tmp_path / "photos" / "anchor1.png").unlink()
    with pytest.raises(DatasetError, match=r"anchor1\.png: no file in .*photos has its checksum"):
        imported(tmp_path, [graph])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]
