"""The statistics of a tiny data set against numbers counted by hand, or one by one."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import permutations
from typing import Any

import pytest
from check_roots import (
    BOXES,
    MIXED_SCORES,
    PICTURES,
    REGIONS,
    TAGS,
    TYPES,
    VERSIONS,
    describe,
    edit,
    edit_all,
    pixels,
    record,
    stats_file,
    write_root,
)
from PIL import Image

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.info import SplitInfo, dataset_info

V = DEFAULT_VOCABULARY


@pytest.fixture
def root(tmp_path):
    return write_root(tmp_path / "set")


def test_splits(root):
    info = dataset_info(root)
    assert info.splits == {
        "train": SplitInfo(2, 2 * 17, 2 * REGIONS, REGIONS, REGIONS, 0, 4),
        "val": SplitInfo(1, 17, REGIONS, REGIONS, REGIONS, 0, 2),
        "test": SplitInfo(1, 17, REGIONS, REGIONS, REGIONS, 0, 2),
    }
    assert info.total == SplitInfo(PICTURES, PICTURES * 17, 20, 5, 5, 0, 8)
    assert info.predicates == 2
    assert info.sizes == ((30, 20, PICTURES),)
    assert info.facts == {}


def test_means_and_what_is_left_out(root):
    def change(entries):
        entries["a.png"]["regions"] = entries["a.png"]["regions"][:2]
        entries["a.png"]["relations"] = [[]]
        entries["b.png"]["regions"][3]["bbox"] = None
        entries["b.png"]["regions"][4]["segmentation_mask"] = None

    edit_all(root, "train", change)
    Image.fromarray(pixels("b.png").swapaxes(0, 1)).save(root / "gt/train/b.png")
    (root / "gt/val/c.png").unlink()
    info = dataset_info(root)
    assert info.splits["train"] == SplitInfo(2, 34, 7, 3.5, 5, 2, 2)
    assert info.sizes == ((30, 20, 2), (20, 30, 1))
    # Every version of a with 2 regions, b with 3 that are compared, and 5 of each other picture.
    assert sum(info.comparisons["all"].values()) == 16 * 15 * (2 + 3 + 5 + 5)


def every_region():
    for tag in (tag for tags in TAGS.values() for tag in tags):
        for version in VERSIONS:
            for region in record(version, tag).regions:
                yield version, region


def test_labels_one_by_one(root):
    counts: Counter[Any] = Counter()
    scores: dict[Any, list[Any]] = defaultdict(list)
    for version, region in every_region():
        key = region.degradation, V.severities[region.severity]
        counts[(*key, version in MIXED_SCORES)] += 1
        scores[key].append(region.score)
    info = dataset_info(root)
    assert [(row.distortion, row.severity) for row in info.labels] == [
        ("clean", "clean"),
        *((d, s) for d in TYPES for s in V.severities[1:]),
    ]
    for row in info.labels:
        key = row.distortion, row.severity
        assert (row.single, row.mixed) == (counts[(*key, False)], counts[(*key, True)])
        assert row.score_mean == pytest.approx(sum(scores[key]) / len(scores[key]), abs=1e-12)


def test_versions(root):
    info = dataset_info(root)
    assert tuple(row.version for row in info.versions) == VERSIONS
    by_name = {row.version: row for row in info.versions}
    # (.75 + .5 + .25 + .75 + .5) / 5 and (.5 + .6 + 1 + .8 + .9) / 5
    assert by_name["blur"].region_score_mean == pytest.approx(0.55)
    assert by_name["mixed"].region_score_mean == pytest.approx(0.76)
    assert {row.pictures for row in info.versions} == {PICTURES}
    assert {row.scene_score_mean for row in info.versions} == {0.5}


def test_comparisons_one_by_one(root):
    levels = V.comparison_labels
    expected: Counter[Any] = Counter()
    for anchor, target in permutations(VERSIONS, 2):
        for a, b in zip(record(anchor, "x").regions, record(target, "x").regions, strict=True):
            expected[V.compare_scores(a.score, b.score).label] += PICTURES
    info = dataset_info(root)
    assert info.comparisons["all"] == {level: expected[level] for level in levels}
    assert info.comparisons["hard"] == dict.fromkeys(levels, 8)
    assert list(info.comparisons) == ["easy", "medium", "hard", "all"]
    # Two single types have the same scores.
    assert info.comparisons["easy"] == dict.fromkeys(levels, 0) | {"same": REGIONS}
    # mixed of a against rain: .5−.75, .6−.5, 1−.25, .8−.75, .9−.5
    assert info.comparisons["medium"] == {
        "significantly_worse": 0,
        "slightly_worse": 1,
        "same": 2 if 0.6 - 0.5 < 0.1 else 1,
        "slightly_better": 0 if 0.6 - 0.5 < 0.1 else 1,
        "significantly_better": 2,
    }


def test_scores_by_tenths(root):
    info = dataset_info(root)
    expected = [0] * 10
    for _, region in every_region():
        expected[min(int(str(region.score)[2]) if region.score < 1 else 9, 9)] += 1
    assert list(info.score_deciles) == expected


def test_without_an_index(root):
    (root / "pandabench_index.json").unlink()
    assert list(dataset_info(root).comparisons) == ["hard", "all"]


def test_what_dataset_json_says(root):
    info = dataset_info(describe(root))
    assert info.facts["seed"] == 7
    assert info.facts["metric"]["name"] == "haarpsi"
    assert info.facts["image"] == "png, lossless"
    assert info.facts["predicates"] == 4
    assert info.facts["sources"] == [
        {
            "name": "made",
            "kind": "labels",
            "pictures": 4,
            "skipped": 1,
            "noted": 0,
            "left_out": {},
            "licence": "CC0",
        }
    ]
    value = json.loads(json.dumps(info.to_json(), allow_nan=False))
    assert value["total"]["regions"] == PICTURES * REGIONS
    assert value["labels"][0] == {
        "distortion": "clean",
        "severity": "clean",
        "single": 0,
        "mixed": 8,
        "score_mean": 1.0,
    }


def test_a_root_of_few_versions_and_splits(root):
    for split in TAGS:
        for version in VERSIONS:
            if split != "val" or version not in ("blur", "mixed"):
                stats_file(root, split, version).unlink()
    info = dataset_info(root)
    assert list(info.splits) == ["val"]
    assert [row.version for row in info.versions] == ["blur", "mixed"]
    assert info.total == SplitInfo(1, 3, REGIONS, REGIONS, REGIONS, 0, 2)
    assert sum(info.comparisons["hard"].values()) == 0
    assert sum(info.comparisons["all"].values()) == 2 * len(BOXES)
    missing = next(row for row in info.labels if row.distortion == "haze")
    assert (missing.single + missing.mixed, missing.score_mean) == (0, None)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"degradation": "fog"},
            "region 2: unknown degradation 'fog', expected one of clean, snow, ",
        ),
        ({"severity": 4}, "region 2: severity is 4, expected 0 … 3"),
        ({"severity": True}, "region 2: severity is True, expected 0 … 3"),
        ({"score_fr": 1.5}, "region 2: score_fr is 1.5, expected a number in [0, 1]"),
        ({"score_fr": float("nan")}, "region 2: score_fr is nan, expected a number in [0, 1]"),
        ({"score_fr": 10**400}, f"region 2: score_fr is {10**39}…, too large for a number"),
        ({"score_fr": "1"}, "region 2: score_fr is '1', expected a number"),
    ],
)
def test_labels_that_cannot_be_read(root, change, text):
    edit(root, "test", "blur", lambda entries: entries["d.png"]["regions"][2].update(change))
    with pytest.raises(DatasetError) as caught:
        dataset_info(root)
    place = stats_file(root, "test", "blur")
    assert str(caught.value).startswith(f"{place}: d.png: {text}")


def test_a_folder_that_is_no_data_set(tmp_path):
    with pytest.raises(DatasetError) as caught:
        dataset_info(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: there is no folder stats/, expected a data set's root"
    )
    (tmp_path / "stats").mkdir()
    with pytest.raises(DatasetError) as caught:
        dataset_info(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'stats'}: holds no labels of a known split and version"
    )
