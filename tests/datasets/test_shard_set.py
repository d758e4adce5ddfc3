"""Shards read as a stream: what the reader gives for the unpacked root, in the shards' order."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import tarfile
import threading
from collections import Counter
from typing import Any

import numpy as np
import pytest
from optional import present
from shard_roots import TAGS, VERSIONS, make_root

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.pair_lists import all_pairs
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.shards import ShardSet, pack, shuffled


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp("data") / "root")


@pytest.fixture(scope="module")
def shards(root):
    pack(root, root.parent / "shards", shard_bytes=60_000)
    return root.parent / "shards"


def assert_equal(found, expected):
    assert found.key == expected.key
    assert found.regions == expected.regions
    assert found.relations == expected.relations
    for name in ("distortion", "severity", "score", "comparison", "scene_score"):
        np.testing.assert_array_equal(getattr(found.labels, name), getattr(expected.labels, name))
    assert found.labels.scene_comparison == expected.labels.scene_comparison
    for name in ("anchor", "target", "masks"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("pairs", ["easy", "medium", "hard"])
def test_samples_are_those_of_the_reader(root, shards, pairs):
    expected = {s.key: s for s in PandaSet(root).samples("test", pairs)}
    found = list(ShardSet(shards).samples("test", pairs))
    assert {s.key for s in found} == expected.keys()
    assert len(found) == len(expected)
    for sample in found:
        assert_equal(sample, expected[sample.key])


def test_all_pairs_are_all_pairs_picture_by_picture(root, shards):
    found = [s.key for s in ShardSet(shards).samples("train", "all")]
    assert found == all_pairs(TAGS["train"], VERSIONS)
    reader = PandaSet(root)
    for sample in list(ShardSet(shards).samples("val", "all"))[::37]:
        assert_equal(sample, reader.sample("val", sample.key))


def test_pictures_come_in_order_with_all_files(root, shards):
    pictures = list(ShardSet(shards).pictures())
    assert [(p.split, p.tag) for p in pictures] == [(s, t) for s in TAGS for t in TAGS[s]]
    for picture in pictures:
        assert picture.versions == VERSIONS
        assert picture.size("gt") == (20, 30)
        for folder, data in picture.files.items():
            assert (root / folder / picture.split / picture.tag).read_bytes() == data
    assert [p.tag for p in ShardSet(shards).pictures("val")] == ["c.PNG"]


def test_parts_share_the_shards_out(shards):
    whole = ShardSet(shards)
    parts = [whole.part(k, 4) for k in range(4)]
    assert sum(len(part) for part in parts) == len(whole) == 6
    tags = [p.tag for part in parts for p in part.pictures()]
    assert sorted(tags) == sorted(t for s in TAGS.values() for t in s)
    # A share without a picture of the split is empty, which is no fault.
    keys = [s.key for part in parts for s in part.samples("val", "hard")]
    assert keys == [PairKey("mixed", "mixed2", "c.PNG"), PairKey("mixed2", "mixed", "c.PNG")]
    with pytest.raises(DatasetError, match=r"^part 4 of 4 shards, expected 0 … 3$"):
        whole.part(4, 4)


def test_shuffling_loses_nothing_and_is_what_its_generator_says(shards):
    whole = ShardSet(shards)
    keys: dict[Any, Any] = {}
    for seed in (0, 0, 1):
        rng = np.random.default_rng(seed)
        found = [s.key for s in whole.samples("train", "all", rng=rng, buffer=50)]
        assert keys.setdefault(seed, found) == found
    ordered = [s.key for s in whole.samples("train", "all")]
    assert Counter(keys[0]) == Counter(keys[1]) == Counter(ordered)
    assert keys[0] != keys[1] != ordered


def test_a_shuffled_sample_still_has_its_own_pixels(root, shards):
    reader = PandaSet(root)
    held = list(ShardSet(shards).samples("train", "hard", rng=np.random.default_rng(3)))
    assert held
    for sample in held:
        assert_equal(sample, reader.sample("train", sample.key))
        assert sample.anchor is sample.anchor


@pytest.mark.parametrize("buffer", [1, 7, 1000])
def test_shuffled_holds_no_more_than_the_buffer(buffer):
    taken = []

    def items():
        for k in range(100):
            taken.append(k)
            yield k

    found = []
    for item in shuffled(items(), np.random.default_rng(0), buffer):
        found.append(item)
        assert len(taken) - len(found) <= buffer
    assert sorted(found) == list(range(100))


def test_shuffling_reaches_everywhere():
    first = Counter(
        next(shuffled(iter(range(4)), np.random.default_rng(seed), 4)) for seed in range(400)
    )
    assert all(70 < first[k] < 130 for k in range(4)), first


def test_tar_files_alone_pipes_and_opened_streams_are_read(shards):
    names = sorted(shards.glob("test-*.tar"))
    expected = [s.key for s in ShardSet(shards).samples("test", "hard")]
    index = shards / "pandabench_index.json"
    places = {
        "paths": names,
        "text": [str(name) for name in names],
        "functions": [lambda name=name: io.BytesIO(name.read_bytes()) for name in names],
    }
    for given in places.values():
        found = ShardSet(given, index=index)
        assert [s.key for s in found.samples("test", "hard")] == expected
        assert len(list(found.samples("test", "easy"))) == 2
    read, write = os.pipe()  # which cannot go back

    def feed():
        with os.fdopen(write, "wb") as stream:
            stream.write(names[0].read_bytes())

    feeder = threading.Thread(target=feed)
    feeder.start()
    piped = ShardSet([lambda: os.fdopen(read, "rb")])
    assert [s.key for s in piped.samples("test", "hard")] == expected[:2]
    feeder.join()


def test_it_travels_to_worker_processes(shards):
    copy = pickle.loads(pickle.dumps(ShardSet(shards).part(0, 2)))
    assert [p.tag for p in copy.pictures()] == [
        p.tag for p in ShardSet(shards).part(0, 2).pictures()
    ]


def refusal(function):
    with pytest.raises(DatasetError) as caught:
        list(function())
    return str(caught.value)


def test_what_is_not_there_is_said(root, shards, tmp_path):
    whole = ShardSet(shards)
    assert refusal(lambda: whole.samples("dev", "hard")) == (
        "unknown split 'dev', expected one of train, val, test"
    )
    assert refusal(lambda: whole.samples("test", "harder")) == (  # type: ignore[arg-type]
        "unknown pairs 'harder', expected one of easy, medium, hard, all"
    )
    assert refusal(lambda: whole.samples("train", "easy")) == (
        f"{shards}: no easy pairs of split train"
    )
    pack(root, tmp_path / "few", splits=["test"])
    few = ShardSet(tmp_path / "few")
    assert (
        refusal(lambda: few.pictures("val")) == f"{tmp_path / 'few'}: no split val, there is test"
    )
    (tmp_path / "few" / "pandabench_index.json").unlink()
    assert refusal(lambda: ShardSet(tmp_path / "few").samples("test", "easy")) == (
        f"{tmp_path / 'few'}: the easy list needs an index, pandabench_index.json"
    )
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"medium": [["blur", "none", "d.png"]]}))
    other = ShardSet(shards, index=index)
    assert refusal(lambda: other.samples("test", "easy")) == (
        f"{index}: no list 'easy', expected one of medium"
    )
    shard = shards / "test-000000.tar"
    assert refusal(lambda: other.samples("test", "medium")) == (
        f"{shard}: test/d.png: has no version 'none'"
    )
    with pytest.raises(DatasetError, match=r"no shards\.json in it, expected a folder made by"):
        ShardSet(tmp_path)


def test_shards_of_another_length_are_found_while_reading(shards, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(shards, bad)
    path = bad / "train-000001.tar"
    with tarfile.open(path) as tar:
        members = [(m, present(tar.extractfile(m)).read()) for m in tar.getmembers()]
    with tarfile.open(path, "w") as tar:  # whole, and not what it was
        for member, data in members[:0]:
            tar.addfile(member, io.BytesIO(data))
    assert refusal(lambda: ShardSet(bad).pictures("train")) == (
        f"{path}: is not the shard that shards.json describes (10240 bytes and 0 pictures, "
        "expected 51200 and 1); get it anew"
    )


def test_versions_of_two_sizes_are_refused(tmp_path):
    from PIL import Image

    root = make_root(tmp_path / "root", {"test": ("d.png",)}, versions=("mixed", "mixed2"))
    Image.new("RGB", (31, 20)).save(root / "mixed2" / "test" / "d.png")
    pack(root, tmp_path / "s")
    shard = tmp_path / "s" / "test-000000.tar"
    assert refusal(lambda: ShardSet(tmp_path / "s").samples("test", "hard")) == (
        f"{shard}: test/d.png: mixed2: is 31×20 pixels (width × height), but mixed is 30×20"
    )


def test_webdataset_reads_the_shards(shards, root):
    webdataset = pytest.importorskip("webdataset", reason="needs the dev extra")
    urls = [str(path) for path in sorted(shards.glob("train-*.tar"))]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False))
    assert [s["__key__"] for s in samples] == [
        "train/a%2Epng",
        "train/b%2E1%2Ejpg",
        "train/wei%C3%9F%20nicht%2Epng",
    ]
    for sample, tag in zip(samples, TAGS["train"], strict=True):
        suffix = "jpg" if tag.endswith("jpg") else "png"
        parts = {key for key in sample if not key.startswith("__")}
        assert parts == {"json"} | {f"{version}.{suffix}" for version in ("gt", *VERSIONS)}
        for version in ("gt", *VERSIONS):
            data = (root / version / "train" / tag).read_bytes()
            assert sample[f"{version}.{suffix}"] == data
        assert json.loads(sample["json"])["tag"] == tag
    decoded = next(iter(webdataset.WebDataset(urls[:1], shardshuffle=False).decode("rgb8")))
    assert decoded["blur.png"].shape == (20, 30, 3)
    assert decoded["json"]["versions"]["blur"]["regions"][0]["degradation"] == "blur"
