"""Reading a root of the published layout that nobody here has written: it stands below as text."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from optional import present
from PIL import Image

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary
from distortion_graph.datasets import reader
from distortion_graph.datasets.layout import SPLITS, PairKey
from distortion_graph.datasets.reader import PandaSet, read_predicates, true_graph

# Pictures of 4 rows and 450 columns. Runs go down the columns: four pixels are a column. Resized
# to 224 columns by nearest neighbour, column 1 is not among those taken, columns 0 and 2 are.
MIXED = """{
 "a.jpg": {
  "score_fr": 0.75,
  "relations": [[[0, 4, 2], [0, 1, 1], [4, 0, 0], [2, 4, 3]]],
  "regions": [
   {"name": "cat", "description": "a cat", "category_id": 17, "bbox": [0, 0, 100, 4],
    "severity": 1, "degradation": "blur", "score_fr": 0.9,
    "segmentation_mask": {"size": [4, 450], "counts": [0, 400, 1400]}},
   {"name": "no mask", "bbox": [0, 0, 5, 4], "severity": 3, "degradation": "rain",
    "score_fr": 0.5, "segmentation_mask": null},
   {"name": "line", "bbox": [1, 0, 1, 4], "severity": 2, "degradation": "haze",
    "score_fr": 0.25, "segmentation_mask": {"size": [4, 450], "counts": [4, 4, 1792]}},
   {"name": "no box", "bbox": null, "severity": 2, "degradation": "snow",
    "score_fr": 0.25, "segmentation_mask": {"size": [4, 450], "counts": [0, 1800]}},
   {"bbox": [100, 0, 350, 4], "severity": 0, "degradation": "clean",
    "score_fr": 1, "segmentation_mask": {"size": [4, 450], "counts": [400, 1400]}}]},
 "b.png": {
  "score_fr": 1.0, "relations": [],
  "regions": [
   {"name": "all", "bbox": [0, 0, 450, 4], "severity": 3, "degradation": "pixelate",
    "score_fr": 0.125, "segmentation_mask": {"size": [4, 450], "counts": [0, 1800]}}]}
}"""
# The same pictures with other labels: of each region severity, degradation and score.
SAID = {
    "mixed2": {
        "a.jpg": (
            0.5,
            [(2, "noise", 0.6), (1, "x", 9), (1, "x", 9), (1, "x", 9), (3, "rain", 0.9)],
        ),
        "b.png": (0.25, [(1, "snow", 0.25)]),
    },
    "blur": {
        "a.jpg": (0.5, [(1, "blur", 0.5)] * 5),
        "b.png": (0.5, [(2, "blur", 0.5)]),
    },
    "noise": {
        "a.jpg": (0.5, [(1, "noise", 0.55)] * 5),
        "b.png": (0.5, [(2, "noise", 0.8)]),
    },
}
INDEX = """# pairs of one type each
easy = [("blur", "noise", "a.jpg"), ("noise", "blur", "b.png")]
medium = [('mixed', 'blur', 'a.jpg')]
"""


def stats_of(version):
    value = json.loads(MIXED)
    for tag, (scene, regions) in SAID.get(version, {}).items():
        value[tag]["score_fr"] = scene
        for region, (severity, label, score) in zip(value[tag]["regions"], regions, strict=True):
            region |= {"severity": severity, "degradation": label, "score_fr": score}
    value["b.png"]["relations"] = [[]] if version == "mixed" else []
    return value


def write_stats(root, version, value, split="test"):
    path = root / "stats" / f"{split}_stats_{version}.json"
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def root(tmp_path):
    """A published root below a folder called train, with files that do not belong to it."""
    root = tmp_path / "data" / "train" / "trainset"
    for folder in ("depth", "stats", *(f"gt/{split}" for split in SPLITS)):
        (root / folder).mkdir(parents=True)
    for k, folder in enumerate(("gt", "mixed", "mixed2", "blur", "noise")):
        (root / folder / "test").mkdir(exist_ok=True, parents=True)
        rng = np.random.default_rng(k)
        for tag in ("a.jpg", "b.png"):
            pixels = rng.integers(0, 256, (4, 450, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / folder / "test" / tag, quality=90)
        if folder != "gt":
            write_stats(root, folder, stats_of(folder))
    (root / "README.txt").write_text("odd")
    (root / "stats" / "notes.json").write_text("[")
    (root / "blur" / "test" / "z.tmp").write_text("odd")
    return root


def columns(first, last):
    mask = np.zeros((4, 450), bool)
    mask[:, first:last] = True
    return mask


def label_of(sample, side, field, words):
    return [words[k] for k in getattr(sample.labels, field)[side]]


def test_regions_align_by_index_and_the_unusable_are_skipped(root):
    sample = PandaSet(root).sample("test", ("mixed", "mixed2", "a.jpg"))
    assert sample.key == PairKey("mixed", "mixed2", "a.jpg") and sample.tag == "a.jpg"
    assert sample.regions.ids == (0, 4) and sample.regions.names == ("cat", "region 4")
    assert sample.masks.dtype == bool
    assert np.array_equal(sample.masks, [columns(0, 100), columns(100, 450)])
    words = DEFAULT_VOCABULARY
    assert label_of(sample, 0, "distortion", words.distortions) == ["blur", "clean"]
    assert label_of(sample, 1, "distortion", words.distortions) == ["noise", "rain"]
    assert label_of(sample, 0, "severity", words.severities) == ["minor", "clean"]
    assert label_of(sample, 1, "severity", words.severities) == ["moderate", "severe"]
    assert sample.labels.score.tolist() == [[0.9, 1.0], [0.6, 0.9]]
    # 0.9 − 0.6 is a hair above 0.3, 1 − 0.9 a hair below 0.1.
    named = [words.comparison_labels[k] for k in sample.labels.comparison]
    assert named == [words.compare_scores(0.9, 0.6).label, words.compare_scores(1, 0.9).label]
    assert sample.labels.scene_score.tolist() == [0.75, 0.5]
    assert words.comparison_labels[sample.labels.scene_comparison] == "slightly_better"
    assert sample.relations == ((0, 4, 2), (4, 0, 0))


def test_pictures_are_those_of_the_files(root):
    data = PandaSet(root)
    for tag in ("a.jpg", "b.png"):
        sample = data.sample("test", ("blur", "mixed", tag))
        for rgb, folder in ((sample.anchor, "blur"), (sample.target, "mixed")):
            expected = np.asarray(Image.open(root / folder / "test" / tag))
            assert np.array_equal(rgb, expected) and not rgb.flags.writeable
        assert sample.anchor is sample.anchor
        clean = np.asarray(Image.open(root / "gt" / "test" / tag))
        assert np.array_equal(data.clean("test", tag), clean)
        assert np.array_equal(data.picture("test", "blur", tag), sample.anchor)


@pytest.mark.parametrize("side", ["mixed", "mixed2"])
@pytest.mark.parametrize(
    "change",
    [
        {"bbox": None},
        {"segmentation_mask": None},
        {"segmentation_mask": {"size": [4, 450], "counts": [1800]}},
        {"segmentation_mask": {"size": [4, 450], "counts": [4, 4, 1792]}},
    ],
)
def test_a_region_is_skipped_for_what_it_is_in_either_version(root, side, change):
    value = stats_of(side)
    value["a.jpg"]["regions"][0] |= change
    write_stats(root, side, value)
    data = PandaSet(root)
    for key in (("mixed", "mixed2", "a.jpg"), ("mixed2", "mixed", "a.jpg")):
        sample = data.sample("test", key)
        assert sample.regions.ids == (4,)
        assert sample.relations == () and sample.labels.score.shape == (2, 1)
        assert np.array_equal(sample.masks, [columns(100, 450)])


def test_masks_are_the_anchors(root):
    value = stats_of("mixed2")
    other = {"size": [4, 450], "counts": [40, 400, 1360]}
    value["a.jpg"]["regions"][0]["segmentation_mask"] = other
    write_stats(root, "mixed2", value)
    data = PandaSet(root)
    forth = data.sample("test", ("mixed", "mixed2", "a.jpg"))
    back = data.sample("test", ("mixed2", "mixed", "a.jpg"))
    assert np.array_equal(forth.masks[0], columns(0, 100))
    assert np.array_equal(back.masks[0], columns(10, 110))


def test_masks_that_resizing_wipes_out_can_be_kept(root):
    # What the second version says of regions that it skips otherwise must then be sound.
    value = stats_of("mixed2")
    value["a.jpg"]["regions"][2] |= {"degradation": "blur", "score_fr": 0.5}
    write_stats(root, "mixed2", value)
    sample = PandaSet(root, skip_empty_at=None).sample("test", ("mixed", "mixed2", "a.jpg"))
    assert sample.regions.ids == (0, 2, 4) and len(sample.masks) == 3
    assert sample.relations == ((0, 4, 2), (4, 0, 0), (2, 4, 3))
    one = PandaSet(root, skip_empty_at=1).sample("test", ("mixed", "mixed2", "a.jpg"))
    assert one.regions.ids == (0,)  # the only pixel left is the first
    with pytest.raises(DatasetError, match=r"skip_empty_at must be at least 1 or None, got 0"):
        PandaSet(root, skip_empty_at=0)


def test_a_pair_without_a_usable_region_is_a_sample(root):
    for version in ("mixed", "mixed2"):
        value = stats_of(version)
        value["b.png"]["regions"][0]["bbox"] = None
        write_stats(root, version, value)
    sample = PandaSet(root).sample("test", ("mixed", "mixed2", "b.png"))
    assert len(sample.regions) == 0 and sample.masks.shape == (0, 4, 450)
    assert sample.labels.distortion.shape == sample.labels.score.shape == (2, 0)
    assert sample.labels.distortion.dtype == np.int64
    assert true_graph(sample, DEFAULT_VOCABULARY).regions == ()


def test_swapping_mirrors_the_truth(root):
    data = PandaSet(root)
    keys = data.keys("test", "all")
    assert keys
    for anchor, target, tag in keys:
        forth = data.sample("test", (anchor, target, tag)).labels.swapped(data.vocabulary)
        back = data.sample("test", (target, anchor, tag)).labels
        for name in ("distortion", "severity", "score", "comparison", "scene_score"):
            assert np.array_equal(getattr(forth, name), getattr(back, name)), name
        assert forth.scene_comparison == back.scene_comparison


def test_what_a_root_has(root):
    data = PandaSet(root)
    assert data.splits() == ("test",)
    assert data.versions("test") == ("noise", "blur", "mixed", "mixed2")  # the vocabulary's order
    assert data.tags("test") == ("a.jpg", "b.png")
    assert data.description is None and data.predicates == ()
    assert data.vocabulary == DEFAULT_VOCABULARY
    assert data.keys("test", "hard") == [
        ("mixed", "mixed2", "a.jpg"),
        ("mixed2", "mixed", "a.jpg"),
        ("mixed", "mixed2", "b.png"),
        ("mixed2", "mixed", "b.png"),
    ]
    every = data.keys("test", "all")
    assert len(every) == len(set(every)) == 2 * 4 * 3
    assert all(a != t for a, t, _ in every)
    assert [s.key for s in data.samples("test", "all")] == every
    assert data.record("test", "blur", "b.png").score == 0.5


def test_lists_come_from_an_index(root, tmp_path):
    path = tmp_path / "pandabench.py"
    path.write_text(INDEX)
    data = PandaSet(root, index=path)
    easy = [("blur", "noise", "a.jpg"), ("noise", "blur", "b.png")]
    assert data.keys("test", "easy") == easy
    assert [s.key for s in data.samples("test", "medium")] == [("mixed", "blur", "a.jpg")]
    missing = f"{root}/pandabench_index.json: no such file, expected the lists of easy and medium"
    with pytest.raises(DatasetError, match=missing):
        PandaSet(root).keys("test", "easy")
    (root / "pandabench_index.json").write_text(json.dumps({"easy": easy}))
    data = PandaSet(root)
    assert data.keys("test", "easy") == easy
    with pytest.raises(DatasetError, match=r"index.json: has no list 'medium', only easy$"):
        data.keys("test", "medium")


def test_entries_of_other_splits_are_left_out(root):
    write_stats(root, "blur", {"c.png": stats_of("blur")["b.png"]}, "val")
    write_stats(root, "noise", {"c.png": stats_of("noise")["b.png"]}, "val")
    index = root / "pandabench_index.json"
    key = ["blur", "noise", "c.png"]
    index.write_text(json.dumps({"easy": [key, ["blur", "noise", "a.jpg"]]}))
    with pytest.raises(DatasetError) as caught:
        PandaSet(root).keys("test", "easy")
    assert str(caught.value) == (
        f"{index}: easy: (blur, noise, c.png): no split of {root} has this picture"
    )
    Image.new("RGB", (450, 4)).save(root / "gt" / "val" / "c.png")
    assert PandaSet(root).keys("test", "easy") == [("blur", "noise", "a.jpg")]
    with pytest.raises(DatasetError) as caught:
        PandaSet(root).keys("val", "easy")
    assert str(caught.value) == (
        f"{index}: easy: (blur, noise, c.png): there is no file {root}/blur/val/c.png"
    )
    index.write_text(json.dumps({"easy": [key], "medium": []}))
    with pytest.raises(
        DatasetError, match=r"none of its 1 easy pairs is of a picture in the split"
    ):
        PandaSet(root).keys("test", "easy")


def test_entries_that_the_root_lacks_are_named(root):
    index = root / "pandabench_index.json"
    index.write_text(json.dumps({"easy": [["blur", "rain", "a.jpg"]]}))
    with pytest.raises(DatasetError) as caught:
        PandaSet(root).keys("test", "easy")
    assert str(caught.value) == (
        f"{index}: easy: (blur, rain, a.jpg): unknown version 'rain', expected one of noise, blur, "
        "mixed, mixed2"
    )
    value = stats_of("noise")
    del value["b.png"]
    write_stats(root, "noise", value)
    index.write_text(json.dumps({"easy": [["blur", "noise", "b.png"]]}))
    data = PandaSet(root)
    with pytest.raises(DatasetError, match=r"\(blur, noise, b.png\): the picture has no entry in "):
        data.keys("test", "easy")
    with pytest.raises(DatasetError) as caught:
        data.sample("test", ("blur", "noise", "b.png"))
    path = root / "stats" / "test_stats_noise.json"
    assert str(caught.value) == f"{path}: has no entry for the picture 'b.png'"


@pytest.mark.parametrize(
    ("region", "change", "words"),
    [
        (0, {"degradation": "blurr"}, "region 0: unknown degradation 'blurr', expected one of"),
        (4, {"severity": 4}, "region 4: severity is 4, expected 0 … 3"),
        (4, {"severity": 10**400}, f"region 4: severity is {10**39}, expected 0 … 3$"),
        (4, {"severity": -1}, "region 4: severity is -1, expected 0 … 3"),
        (0, {"score_fr": 1.5}, r"region 0: score_fr is 1.5, expected a number in \[0, 1\]"),
        (0, {"score_fr": float("nan")}, "region 0: score_fr is nan, expected a number"),
        (None, {"score_fr": float("inf")}, "a.jpg: score_fr is inf, expected a number"),
        (
            4,
            {"segmentation_mask": {"size": [450, 4], "counts": [400, 1400]}},
            r"region 4: its mask is 4×450, expected the picture's 450×4 pixels",
        ),
        (None, {"relations": [[[0, 5, 1]]]}, r"the relation \[0, 5, 1\] names a region that is no"),
        (None, {"regions": []}, "blur.json: a.jpg: has 0 regions, but .*noise.json: a.jpg has 5"),
    ],
)
def test_contents_that_cannot_be_are_refused_when_they_are_asked_for(root, region, change, words):
    value = stats_of("blur")
    entry = value["a.jpg"]
    (entry if region is None else entry["regions"][region]).update(change)
    path = write_stats(root, "blur", value)
    data = PandaSet(root)
    assert len(data.keys("test", "all")) == 24
    keys = [("noise", "blur", "a.jpg"), ("blur", "noise", "a.jpg")]
    if "relations" in change:  # the anchor's count
        keys = keys[1:]
    for key in keys if "regions" not in change else keys[:1]:
        with pytest.raises(DatasetError, match=words) as caught:
            data.sample("test", key)
        assert str(caught.value).startswith(f"{path}: a.jpg: ")
    assert data.sample("test", ("noise", "blur", "b.png")).regions.ids == (0,)


def test_what_a_skipped_region_says_does_not_matter(root):
    value = stats_of("mixed")
    value["a.jpg"]["regions"][1] |= {"degradation": "?", "score_fr": 7}
    write_stats(root, "mixed", value)
    assert len(PandaSet(root).sample("test", ("mixed", "mixed2", "a.jpg")).regions) == 2


def test_pictures_that_are_not_as_they_must_be(root):
    data = PandaSet(root)
    path = root / "blur" / "test" / "b.png"
    Image.new("RGB", (450, 5)).save(path)
    with pytest.raises(DatasetError) as caught:
        data.sample("test", ("noise", "blur", "b.png"))
    assert str(caught.value) == (
        f"{root}: test/b.png: noise is 450×4 and blur is 450×5 pixels (width × height), expected "
        "versions of one size"
    )
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"blur/test/b.png: the file is empty, expected a pict"):
        PandaSet(root).sample("test", ("noise", "blur", "b.png"))
    path.unlink()
    with pytest.raises(DatasetError) as caught:
        PandaSet(root).sample("test", ("noise", "blur", "b.png"))
    assert str(caught.value) == f"{path}: no such file, expected a picture of the data set"
    whole = (root / "blur" / "test" / "a.jpg").read_bytes()
    (root / "blur" / "test" / "a.jpg").write_bytes(whole[:-200])
    sample = PandaSet(root).sample("test", ("blur", "noise", "a.jpg"))  # its header is sound
    with pytest.raises(DatasetError, match=r"blur/test/a.jpg: damaged or incomplete JPEG"):
        _ = sample.anchor


def test_asking_for_what_is_not_there(root, tmp_path):
    data = PandaSet(root)
    for ask, words in [
        (lambda: PandaSet(tmp_path / "nix"), "nix: is not a folder, expected the root of a data"),
        (lambda: PandaSet(tmp_path), "has no folder stats/, expected the root of a data set"),
        (lambda: data.keys("test", "harder"), "unknown pairs 'harder', expected one of easy, med"),
        (lambda: data.keys("dev", "hard"), "unknown split 'dev', expected one of train, val, test"),
        (lambda: data.keys("val", "hard"), "no stats of the split 'val'; the splits there are: te"),
        (lambda: data.sample("test", ("blur", "fog", "a.jpg")), "unknown version 'fog', expected"),
        (lambda: data.sample("test", ("blur", "..", "a.jpg")), "unknown version '..', expected"),
        (lambda: data.sample("test", ("blur", "noise", "../a")), "has no entry for the picture"),
        (lambda: data.picture("test", "../gt", "a.jpg"), "unknown version '../gt', expected one"),
        (lambda: data.picture("test", "blur", "../../x"), "'../../x' is not the plain name of a"),
        (lambda: data.clean("../..", "x"), "unknown split '../..', expected one of"),
    ]:
        with pytest.raises(DatasetError) as caught:
            ask()
        assert words in str(caught.value) and "\n" not in str(caught.value)
    (root / "stats" / "test_stats_mixed2.json").unlink()
    with pytest.raises(DatasetError, match=r"hard pairs of test: unknown version 'mixed2'"):
        PandaSet(root).keys("test", "hard")


def test_opening_reads_no_stats_and_each_file_is_read_once(root, monkeypatch):
    read, decoded = [], []
    stream, decode = reader.stream_stats, reader.read_rgb  # type: ignore[attr-defined]
    monkeypatch.setattr(reader, "stream_stats", lambda p: read.append(p.name) or stream(p))  # type: ignore[func-returns-value]
    monkeypatch.setattr(reader, "read_rgb", lambda p: decoded.append(p) or decode(p))  # type: ignore[func-returns-value]
    data = PandaSet(root)
    assert data.splits() and data.versions("test") and not read
    for _ in range(2):
        for sample in data.samples("test", "hard"):
            assert sample.regions
    # The tags are those of the vocabulary's first version.
    assert read == ["test_stats_noise.json", "test_stats_mixed.json", "test_stats_mixed2.json"]
    assert not decoded
    masks = set()
    for sample in data.samples("test", "all"):
        assert sample.anchor.shape == sample.target.shape
        masks.add(id(sample.masks))
    assert len(decoded) == len(set(decoded)) == 8  # two pictures in four versions
    assert len(masks) == 2  # masks once a picture, whatever the version
    blur, noise = (data.record("test", v, "a.jpg").regions[0] for v in ("blur", "noise"))
    assert blur.mask is noise.mask


def test_a_damaged_stats_file_is_named_when_it_is_needed(root):
    path = root / "stats" / "test_stats_blur.json"
    path.write_text('{"a.jpg": {"score_fr"')
    data = PandaSet(root)
    assert data.sample("test", ("mixed", "noise", "a.jpg"))
    with pytest.raises(DatasetError, match=r"test_stats_blur.json: not a JSON object of pictures"):
        data.sample("test", ("mixed", "blur", "a.jpg"))
    path.write_text('{"a.jpg": {"regions": [], "score_fr": 1}, "a.jpg": {}}')
    with pytest.raises(DatasetError, match=r"a.jpg is listed twice, expected one entry each"):
        data.sample("test", ("mixed", "blur", "a.jpg"))


def test_caches_are_bounded(root):
    data = PandaSet(root, cache_pictures=3)
    for sample in data.samples("test", "all"):
        assert sample.anchor is not None and sample.target is not None and len(sample.masks)
        assert len(data._pictures) <= 3
    first = data.picture("test", "mixed2", "b.png")
    assert data.picture("test", "mixed2", "b.png") is first
    without = PandaSet(root, cache_pictures=0)
    sample = without.sample("test", ("blur", "noise", "a.jpg"))
    assert sample.anchor is sample.anchor and sample.masks is sample.masks
    assert len(without._pictures) == len(without._masks) == 0


@pytest.mark.parametrize("ahead", [1, 3, 1000])
def test_decoding_ahead_changes_nothing(root, ahead):
    data = PandaSet(root)
    keys = data.keys("test", "hard")
    plain = list(data.samples("test", "hard"))
    early = list(PandaSet(root).samples("test", keys, ahead=ahead))
    assert [s.key for s in early] == [s.key for s in plain] == keys
    for one, other in zip(plain, early, strict=True):
        assert np.array_equal(one.anchor, other.anchor)
        assert np.array_equal(one.target, other.target)
        assert np.array_equal(one.masks, other.masks)


def test_a_damaged_picture_is_told_by_its_own_sample_when_decoded_ahead(root):
    data = PandaSet(root)
    keys = data.keys("test", "hard")
    cut = root / keys[-1].target / "test" / keys[-1].tag
    cut.write_bytes(cut.read_bytes()[:2000])
    *whole, last = data.samples("test", [*data.keys("test", "hard")[:1], keys[-1]], ahead=5)
    assert whole[0].key == keys[0] and whole[0].anchor.any()
    with pytest.raises(DatasetError, match=cut.name):
        _ = last.target


def test_a_reader_and_its_samples_can_be_pickled(root):
    data = PandaSet(root)
    sample = data.sample("test", ("mixed", "mixed2", "a.jpg"))
    small = len(pickle.dumps(data))
    assert sample.anchor.any() and len(sample.masks) == 2
    assert len(pickle.dumps(data)) == small  # nothing that was read goes along
    again = pickle.loads(pickle.dumps(data))
    assert again.keys("test", "hard") == data.keys("test", "hard")
    copy = pickle.loads(pickle.dumps(data.sample("test", sample.key)))
    assert copy.regions == sample.regions and copy.relations == sample.relations
    assert np.array_equal(copy.anchor, sample.anchor)
    assert np.array_equal(copy.masks, sample.masks)
    assert np.array_equal(copy.labels.score, sample.labels.score)


def test_a_vocabulary_of_another_size(root):
    levels = [(-1, 0.4), (0, 0.0), (1, 0.4)]
    words = Vocabulary(
        distortions=("noise", "none", "blur"),
        severities=("none", "low", "high"),
        comparisons=tuple(
            ComparisonLevel(label=f"r{rank}", rank=rank, min_abs_d=d) for rank, d in levels
        ),
    )
    data = PandaSet(root, vocabulary=words)
    assert data.versions("test") == ("noise", "blur", "mixed", "mixed2")
    labels = data.sample("test", ("noise", "blur", "b.png")).labels
    assert labels.distortion.tolist() == [[0], [2]] and labels.severity.tolist() == [[2], [2]]
    assert labels.score.tolist() == [[0.8], [0.5]] and labels.comparison.tolist() == [1]
    with pytest.raises(DatasetError, match=r"severity is 3, expected 0 … 2"):
        value = stats_of("blur")
        value["b.png"]["regions"][0]["severity"] = 3
        write_stats(root, "blur", value)
        PandaSet(root, vocabulary=words).sample("test", ("noise", "blur", "b.png"))


def test_the_truth_as_a_graph(root):
    data = PandaSet(root)
    sample = data.sample("test", ("mixed", "mixed2", "a.jpg"))
    graph = true_graph(sample, data.vocabulary, ("on", "under", "beside"))
    assert [(r.id, r.name) for r in graph.regions] == [(0, "cat"), (4, "region 4")]
    cat, rest = graph.regions
    assert (cat.anchor.distortion.label, cat.target.distortion.label) == ("blur", "noise")
    assert (rest.anchor.severity.label, rest.target.severity.label) == ("clean", "severe")
    assert [n.score for n in (cat.anchor, cat.target)] == [0.9, 0.6]
    assert cat.comparison.margin == 0.9 - 0.6
    assert cat.comparison.label == data.vocabulary.compare_scores(0.9, 0.6).label
    assert cat.anchor.bbox_xywh_px == (0, 0, 100, 4) and cat.area_fraction == round(100 / 450, 6)
    assert present(present(graph.scene).comparison).label == "slightly_better"
    assert present(graph.scene).anchor.distortion_share == {
        "clean": round(350 / 450, 6),
        "blur": round(100 / 450, 6),
    }
    told = [(r.subject, r.predicate, r.object, r.image) for r in graph.relations]
    assert told == [(0, "beside", 4, "both"), (4, "on", 0, "both")]
    numbers = true_graph(sample, data.vocabulary).relations
    assert [r.predicate for r in numbers] == ["2", "0"]
    with pytest.raises(DatasetError, match=r"a.jpg: a relation has predicate 2, but only 0 … 1 "):
        true_graph(sample, data.vocabulary, ("on", "under"))
    assert graph.swapped() == true_graph(
        replace(data.sample("test", ("mixed2", "mixed", "a.jpg")), relations=sample.relations),
        data.vocabulary,
        ("on", "under", "beside"),
    )


def test_contradicting_labels_are_no_graph(root):
    value = stats_of("blur")
    value["b.png"]["regions"][0]["severity"] = 0
    write_stats(root, "blur", value)
    sample = PandaSet(root).sample("test", ("blur", "noise", "b.png"))
    with pytest.raises(DatasetError, match=r"b.png: .*distortion 'blur' with severity 'clean'"):
        true_graph(sample, DEFAULT_VOCABULARY)


def test_words_of_relations(tmp_path):
    path = tmp_path / "psg.json"
    path.write_text('{"predicate_classes": ["over", "in front of"], "data": []}')
    assert read_predicates(path) == ("over", "in front of")
    path.write_text('{"predicates": ["over"]}')
    assert read_predicates(path) == ("over",)
    for text in ('{"predicates": [1]}', "[]", "{}", '{"predicate_classes": "over"}'):
        path.write_text(text)
        with pytest.raises(DatasetError, match=r"psg.json: expected names of predicates"):
            read_predicates(path)
    path.write_text("[" * 100_000)
    with pytest.raises(DatasetError, match=r"psg.json: not JSON"):
        read_predicates(path)
    with pytest.raises(DatasetError, match=r"nix.json: cannot be read"):
        read_predicates(tmp_path / "nix.json")
