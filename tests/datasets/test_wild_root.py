"""A root of the recipe `wild`: built, checked, read, packed and measured; the published beside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from build_samples import contents_of, make_source, quarters
from check_roots import edit, stats_file
from optional import present

from distortion_graph.base.errors import DatasetError, RecipeError
from distortion_graph.bench.answers import Truth, TruthOfPair
from distortion_graph.bench.benchmark import BenchOptions, benchmark
from distortion_graph.bench.graph_folder import FolderRun
from distortion_graph.bench.true_graphs import write_true_graphs
from distortion_graph.datasets.check.run import check_dataset
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.info import dataset_info
from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
from distortion_graph.datasets.manifest import FileLine, read_manifest
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.shards import ShardSet, pack, unpack
from distortion_graph.datasets.sources import parse_source
from distortion_graph.datasets.stats import read_stats
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.shots import NO_HISTORY, ShotShares, common_shot, version_shot

NAMES = ("a", "b")
TYPES = ("noise", "blur", "darken")
MASKS = np.stack([quarters() == i for i in (1, 2, 5)])
WILD = BuildOptions(
    splits=parse_splits("test"),
    types=TYPES,
    workers=0,
    recipe_name="wild",
    also_share=0.7,
    shot_shares=ShotShares(0.6, 0.4, 0.7),
)
PUBLISHED = replace(WILD, recipe_name="published", also_share=None, shot_shares=None)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return make_source(tmp_path_factory.mktemp("wild") / "lab", NAMES)


@pytest.fixture(scope="module")
def root(lab):
    build(lab, lab.parent / "root")
    return lab.parent / "root"


def build(lab, out, options=WILD):
    return build_dataset([parse_source(str(lab))], out, options)


def file_lines(root):
    lines = read_manifest(root / "manifest.jsonl")
    return [line for line in lines if isinstance(line, FileLine) and not line.clean]


def test_a_root_is_whole_and_says_what_it_is(root):
    report = check_dataset(root)
    assert [f for f in report.findings if f.kind != "balance"] == []
    recipe = present(present(read_description(root)).recipe)
    assert (recipe.name, recipe.labelled_by, recipe.also_share) == ("wild", "loss", 0.7)
    shares = (recipe.look_share, recipe.two_looks_share, recipe.moved_share)
    assert shares == (0.6, 0.4, 0.7)
    assert recipe.also_drawn == WILD.recipe().also_drawn and "noise:sensor" in recipe.also_drawn
    assert "simplejpeg" in present(read_description(root)).software


def test_the_clean_folder_keeps_the_originals(root, lab):
    for name in NAMES:
        original = load_picture(lab / "images" / f"{name}.png").rgb
        assert np.array_equal(PandaSet(root).clean("test", f"{name}.png"), original)


def test_scores_are_against_a_picture_that_the_keys_give_again(root, lab):
    reader, changed = PandaSet(root), 0
    for name in NAMES:
        clean = load_picture(lab / "images" / f"{name}.png").rgb
        common = common_shot(clean, WILD.shots, seed=0, tag=name)
        for version in WILD.versions:
            shot = version_shot(common, WILD.shots, seed=0, tag=name, version=version)
            record = reader.record("test", version, f"{name}.png")
            image = reader.picture("test", version, f"{name}.png")
            scores = HAARPSI.against(shot.rgb).region_scores(image, MASKS)
            assert [region.score for region in record.regions] == scores.tolist()
            changed += not np.array_equal(shot.rgb, clean)
            [line] = [x for x in file_lines(root) if (x.version, x.picture[:1]) == (version, name)]
            facts = json.loads(json.dumps(shot.facts()))
            assert {k: line.facts[k] for k in ("looks", "warp") if k in line.facts} == facts
    assert changed > len(NAMES)


def test_stats_and_manifest_name_the_same_distortions(root):
    several = 0
    for line in file_lines(root):
        record = read_stats(stats_file(root, "test", line.version))[line.picture]
        for region, told in zip(record.regions, line.facts["regions"], strict=True):
            assert region.also is not None
            further = [part["distortion"] for part in told.get("also", [])]
            assert [part.degradation for part in region.also] == further
            assert region.degradation == told["distortion"]
            several += bool(further)
    assert several > 2


def test_clean_by_loss_keeps_what_was_applied_and_the_check_knows(tmp_path, lab):
    weak = replace(
        WILD,
        severity_levels={"minor": (1,), "moderate": (2,), "severe": (3,)},
        severity_weights={"minor": 1},
        types=("darken", "noise"),
    )
    build(lab, tmp_path / "weak", weak)
    draws = [r for line in file_lines(tmp_path / "weak") for r in line.facts["regions"]]
    clean = [d for d in draws if d["distortion"] == "clean" and d["level"] > 0]
    assert clean and all(":" in d["subtype"] for d in clean)
    assert any(d["score"] < 1 for d in clean)
    kinds = {f.kind for f in check_dataset(tmp_path / "weak").findings}
    assert kinds <= {"balance"}


def test_the_reader_gives_every_distortion_with_its_own_severity(root):
    reader, seen = PandaSet(root), 0
    for sample in reader.samples("test", "all"):
        assert sample.suffered is not None
        for side, version in enumerate(sample.key[:2]):
            record = reader.record("test", version, sample.tag)
            for row, region_id in enumerate(sample.regions.ids):
                region = record.regions[region_id]
                said = {region.degradation: region.severity}
                said |= {part.degradation: part.severity for part in present(region.also)}
                said.pop("clean", None)
                found = {
                    reader.vocabulary.distortions[d]: sample.suffered.severity[side, row, d]
                    for d in np.flatnonzero(sample.suffered.present[side, row])
                }
                assert found == said
                seen += len(found) > 1
    assert seen


def test_shards_carry_it_and_give_the_root_again(root, tmp_path):
    pack(root, tmp_path / "shards")
    unpack(tmp_path / "shards", tmp_path / "again")
    assert contents_of(tmp_path / "again") == contents_of(root)
    reader = PandaSet(root)
    for sample in ShardSet(tmp_path / "shards").samples("test", "hard"):
        own = reader.sample("test", sample.key)
        assert np.array_equal(present(sample.suffered).severity, present(own.suffered).severity)


def test_info_counts_regions_with_several(root):
    info = dataset_info(root)
    records = [
        region
        for version in WILD.versions
        for record in read_stats(stats_file(root, "test", version)).values()
        for region in record.regions
    ]
    lengths = [1 + len(region.also) for region in records if region.also]
    assert info.together == {n: lengths.count(n) for n in sorted(set(lengths))}
    labels = [part.degradation for region in records for part in region.also or ()]
    assert info.also == {label: labels.count(label) for label in info.also}
    assert sum(info.also.values()) == len(labels) > 0
    assert info.facts["recipe_name"] == "wild"


def test_results_keep_the_truth_and_say_how_baselines_do(root):
    reader = PandaSet(root)
    result = benchmark(reader, [], BenchOptions(pairs=("hard",), draws=0))
    [listed] = result.pairs
    suffered = present(listed.table().present)
    read = Truth.of([*map(TruthOfPair.of, reader.samples("test", "hard"))])
    assert np.array_equal(suffered, present(read.present))
    again = type(result).model_validate_json(result.to_json())
    assert np.array_equal(present(again.pairs[0].table().present), suffered)
    for run in listed.runs:
        several = run.figures.several
        assert several is not None and several.mean_average_precision is None
        assert several.nodes_with_two == (suffered.sum(1) == 2).sum()
        assert several.both_named == 0 or several.nodes_with_two == 0  # baselines name one


def test_the_true_graphs_name_every_distortion_and_measure_as_perfect(root, tmp_path):
    reader, options = PandaSet(root), BenchOptions(pairs=("hard",), draws=0, baselines=False)
    (tmp_path / "truth").mkdir()
    write_true_graphs(reader, options, tmp_path / "truth")
    run = FolderRun("truth", tmp_path / "truth", reader.vocabulary)
    several = present(benchmark(reader, [run], options).pairs[0].runs[0].figures.several)
    assert several.nodes_with_two > 0
    assert (several.exact_sets, several.both_named) == (1, 1)
    assert several.mean_average_precision is None and several.average_precision == {}


def test_any_number_of_workers_gives_the_same_bytes(root, lab, tmp_path):
    command = [
        *(sys.executable, "-m", "distortion_graph", "dataset", "build", str(lab)),
        *("--out", str(tmp_path / "two"), "--split", "test", "--types", ",".join(TYPES)),
        *("--recipe", "wild", "--also-share", ".7", "--look-share", ".6"),
        *("--two-looks-share", ".4", "--moved-share", ".7", "--workers", "2"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert contents_of(tmp_path / "two") == contents_of(root)
    (tmp_path / "two" / "mixed" / "test" / "a.png").unlink()
    assert build(lab, tmp_path / "two").repaired == 1
    assert contents_of(tmp_path / "two") == contents_of(root)


def test_a_published_root_has_nothing_of_it(lab, tmp_path):
    build(lab, tmp_path / "published", PUBLISHED)
    value = json.loads((tmp_path / "published" / "dataset.json").read_text())
    assert set(value["recipe"]) == {
        *("id", "seed", "types", "severity_levels", "clean_share", "feather_px", "min_share"),
        *("max_regions", "severity_weights", "wanted_regions", "max_side_px", "made_of"),
    }
    assert "--recipe" not in value["build"]["options"] and "simplejpeg" not in value["software"]
    for line in file_lines(tmp_path / "published"):
        assert not {"looks", "warp"} & set(line.facts)
        assert all("also" not in region for region in line.facts["regions"])
        entries = json.loads(stats_file(tmp_path / "published", "test", line.version).read_text())
        for entry in entries.values():
            assert all("also" not in region for region in entry["regions"])
    [sample, *_] = PandaSet(tmp_path / "published").samples("test", "hard")
    assert sample.suffered is None
    result = benchmark(PandaSet(tmp_path / "published"), [], BenchOptions(pairs=("hard",), draws=0))
    assert result.pairs[0].runs[0].figures.several is None
    with pytest.raises(DatasetError, match="was made with --recipe published, now it is wild"):
        build(lab, tmp_path / "published", WILD)


DAMAGE = {
    "is not there": (lambda r: r.pop("also"), "does not say which further distortions it has"),
    "is no list": (lambda r: r.update(also=3), "also must be [{degradation, severity}, …]"),
    "is unknown": (
        lambda r: r.update(also=[{"degradation": "fog", "severity": 1}]),
        "unknown degradation 'fog'",
    ),
    "is clean": (
        lambda r: r.update(also=[{"degradation": "clean", "severity": 0}]),
        "a further distortion is clean, expected only what it suffers",
    ),
    "is there twice": (
        lambda r: r.update(also=[{"degradation": r["degradation"], "severity": 1}]),
        "has one distortion twice, expected each once",
    ),
    "is in a single type": (
        lambda r: r.update(also=[{"degradation": "darken", "severity": 1}]),
        "has several distortions in a version of 'blur' only",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_to_further_distortions_is_found(root, tmp_path, name):
    change, text = DAMAGE[name]
    copy = shutil.copytree(root, tmp_path / "copy")
    regions = json.loads(stats_file(copy, "test", "blur").read_text())["a.png"]["regions"]
    k = next(k for k, region in enumerate(regions) if region["degradation"] == "blur")
    edit(copy, "test", "blur", lambda entries: change(entries["a.png"]["regions"][k]))
    found = [f for f in check_dataset(copy).findings if f.kind not in ("balance", "checksum")]
    assert [f.severity for f in found] == ["fault"] and found[0].text.startswith(text)
    assert found[0].place == f"stats/test_stats_blur.json: a.png: region {k}"


def test_a_published_root_with_further_distortions_is_at_fault(lab, tmp_path):
    root = tmp_path / "published"
    build(lab, root, PUBLISHED)
    edit(root, "test", "mixed", lambda e: e["a.png"]["regions"][0].update(also=[]))
    found = [f.text for f in check_dataset(root).findings if f.kind == "also"]
    assert found == [
        "says which further distortions it has; the published layout has no such entry"
    ]


def test_the_published_recipe_takes_no_such_share():
    for change in ({"also_share": 0.1}, {"shot_shares": ShotShares(moved_share=0.1)}):
        with pytest.raises(RecipeError, match="need the recipe wild; the published one has none"):
            replace(PUBLISHED, **change)
    assert replace(PUBLISHED, also_share=0.0, shot_shares=NO_HISTORY).shots == NO_HISTORY
    with pytest.raises(RecipeError, match="unknown recipe 'mild', expected one of published, wild"):
        replace(WILD, recipe_name="mild")
