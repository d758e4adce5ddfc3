"""Training samples of a data set: whole or in part, by number or as a stream, and a run."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from skimage import data as photographs  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from distortion_graph.base.errors import DatasetError, RecipeError, RegionError  # noqa: E402
from distortion_graph.base.files import save_png  # noqa: E402
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS  # noqa: E402
from distortion_graph.datasets.layout import version_names  # noqa: E402
from distortion_graph.datasets.reader import PandaSet  # noqa: E402
from distortion_graph.datasets.stats import FurtherRecord, PictureRecord, RegionRecord  # noqa: E402
from distortion_graph.datasets.stats_writer import StatsWriter  # noqa: E402
from distortion_graph.masks.container import RegionSet  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.training.batch import make_batch  # noqa: E402
from distortion_graph.training.checkpoint import save_network  # noqa: E402
from distortion_graph.training.config import (  # noqa: E402
    BudgetConfig,
    DataConfig,
    TrainingConfig,
)
from distortion_graph.training.extras import IGNORED  # noqa: E402
from distortion_graph.training.held_out import RootScore  # noqa: E402
from distortion_graph.training.loop import Trainer  # noqa: E402
from distortion_graph.training.pairs_dataset import (  # noqa: E402
    PairsDataset,
    PairStream,
    RootBatches,
    training_sample,
)
from distortion_graph.training.samples import SamplingConfig, quiet_worker  # noqa: E402

pytestmark = pytest.mark.slow

SIZE = (70, 100)
VERSIONS = ("noise", "blur", "mixed", "mixed2")
FURTHER = (FurtherRecord("blur", 3),)
SMALL = NetworkConfig(width=32, layers=1, heads=2, dropout=0.0)
SAMPLING = SamplingConfig(crops=((64, 3), (48, 2)), min_share=0.01)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two pictures to train on and one to choose on, three regions each, four versions."""
    root = tmp_path_factory.mktemp("set")
    (root / "stats").mkdir()
    regions = RegionSet.from_label_map(
        np.repeat(np.repeat([[1, 1, 2], [3, 3, 2]], (40, 30), 0), (30, 40, 30), 1)
    )
    rng = np.random.default_rng(0)
    for split, tags in {"train": ("a.png", "b.png"), "val": ("c.png",)}.items():
        for version in VERSIONS:
            (root / version / split).mkdir(parents=True)
            with StatsWriter(root / f"stats/{split}_stats_{version}.json", root) as writer:
                for tag in tags:
                    records = tuple(
                        RegionRecord(
                            region.name,
                            int(rng.integers(1, 4)),
                            version if version in WORDS.distortions else "rain",
                            float(rng.random()),
                            (0, 0, 10, 10),
                            region.rle,
                            also=FURTHER if region.id == 2 and version == "mixed" else (),
                        )
                        for region in regions
                    )
                    writer.add(tag, PictureRecord(float(rng.random()), (), records))
                    top = int(rng.integers(100))
                    rgb = photographs.chelsea()[top : top + SIZE[0], : SIZE[1]]
                    save_png(root / version / split / tag, np.ascontiguousarray(rgb))
                writer.finish()
    return root


@pytest.fixture
def data(root):
    return PandaSet(root)


def test_whole_pictures_keep_their_labels(data):
    pairs = PairsDataset(data, "train", "hard")
    assert len(pairs) == 4 and pairs.keys == data.keys("train", "hard")
    for k, key in enumerate(pairs.keys):
        sample, pair = pairs[k], data.sample("train", key)
        for side, version in enumerate((sample.anchor, sample.target)):
            picture = (pair.anchor, pair.target)[side]
            assert np.array_equal(version.image, picture[:64, :96])  # multiples of 16
            assert version.name == key[side]
            assert version.scene_score == pair.labels.scene_score[side]
            assert np.array_equal(version.scores, pair.labels.score[side])
            assert [d.distortion for d in version.draws] == ["rain"] * 3
            further = [[(a.distortion, a.severity) for a in d.also] for d in version.draws]
            named = [("blur", "severe")] if key[side] == "mixed" else []
            assert further == [[], named, []]
            assert [WORDS.severity_index(d.severity) for d in version.draws] == (
                pair.labels.severity[side].tolist()
            )
        assert np.array_equal(sample.masks, pair.masks[:, :64, :96])
    batch = pairs.collate([pairs[0], pairs[1]])
    assert batch.inputs.images.shape == (2, 2, 64, 96, 3)
    mixed = pairs.keys[0][:2].index("mixed")
    suffered = batch.targets.present[0, mixed, 2]  # the scene comes first
    assert [WORDS.distortions[d] for d in suffered.nonzero().ravel().tolist()] == ["blur", "rain"]
    labels = data.sample("train", pairs.keys[1]).labels
    assert batch.targets.comparison[1, 1:].tolist() == labels.comparison.tolist()
    assert batch.targets.comparison[1, 0] == labels.scene_comparison
    with pytest.raises(IndexError):
        pairs[4]


def test_parts_lie_in_the_picture_and_hold_a_region(data):
    pairs = PairsDataset(data, "train", "all", crop=48, min_share=0.05)
    for k in range(len(pairs)):
        sample, pair = pairs[k], data.sample("train", pairs.keys[k])
        assert sample.anchor.image.shape == (48, 48, 3) and sample.masks.shape[1:] == (48, 48)
        places = [
            (y, x)
            for y in range(SIZE[0] - 48 + 1)
            for x in range(SIZE[1] - 48 + 1)
            if np.array_equal(pair.anchor[y, x : x + 48], sample.anchor.image[0])
        ]
        (y, x), *others = places
        assert not others
        assert np.array_equal(pair.target[y : y + 48, x : x + 48], sample.target.image)
        # Regions that are left carry the labels of the whole region.
        cut = pair.masks[:, y : y + 48, x : x + 48]
        left = [r for r in range(3) if cut[r].mean() >= 0.05]
        assert left and np.array_equal(sample.masks, cut[left])
        assert np.array_equal(sample.target.scores, pair.labels.score[1, left])


def test_parts_depend_on_seed_epoch_and_number_alone(data):
    def images(seed=0, epoch=0):
        pairs = PairsDataset(data, "train", "hard", crop=32, seed=seed)
        pairs.set_epoch(epoch)
        return [pairs[k].anchor.image for k in (1, 0, 1)]

    first, again = images(), images()
    assert all(map(np.array_equal, first, again))
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], images(seed=1)[0])
    assert not np.array_equal(first[0], images(epoch=1)[0])


def test_small_pictures_are_mirrored_on(data):
    pair = data.sample("train", ("noise", "blur", "a.png"))
    sample = training_sample(pair, WORDS, np.random.default_rng(0), crop=128)
    image = sample.anchor.image
    assert image.shape == (128, 128, 3)
    assert np.array_equal(image[:70, :100], pair.anchor)
    assert np.array_equal(image[70:, :100], pair.anchor[::-1][:58])
    assert np.array_equal(image[:70, 100:], pair.anchor[:, ::-1][:, :28])
    assert np.array_equal(sample.masks.any(0), np.ones((128, 128), bool))
    assert np.array_equal(sample.masks[:, :70, :100], pair.masks)


def test_regions_are_chosen(data):
    pair = data.sample("train", ("noise", "blur", "a.png"))
    rng = np.random.default_rng(0)
    few = training_sample(pair, WORDS, rng, max_regions=2)
    assert len(few.masks) == len(few.anchor.draws) == len(few.target.scores) == 2
    # One that holds less than is asked for is kept rather than none.
    one = training_sample(pair, WORDS, rng, crop=48, min_share=1.0)
    assert len(one.masks) == 1 and one.masks.any()


def test_a_pair_without_regions_trains_the_scene(data):
    pair = data.sample("train", ("noise", "blur", "a.png"))
    key = pair.key
    bare = PandaSet(data.root)
    for version in key[:2]:
        record = bare.record("train", version, "a.png")
        bare._records["train", version]["a.png"] = PictureRecord(record.score, (), ())
    sample = training_sample(bare.sample("train", key), WORDS, np.random.default_rng(0), crop=32)
    batch = make_batch([sample], WORDS)
    assert batch.inputs.valid.tolist() == [[True]]
    assert batch.targets.comparison[0, 0] == pair.labels.scene_comparison
    assert batch.targets.distortion[0, :, 0].tolist() == [IGNORED] * 2


@pytest.mark.parametrize("crop", [0, 8, 50])
def test_parts_are_multiples_of_16(data, crop):
    with pytest.raises(DatasetError, match=f"crop is {crop} pixels, expected a multiple of 16"):
        PairsDataset(data, "train", "hard", crop=crop)


def every_nth(data, number, of):
    return (data.sample("train", key) for key in data.keys("train", "hard")[number::of])


def test_every_pair_comes_once_from_the_workers(data):
    pairs = PairsDataset(data, "train", "hard")
    stream = PairStream(partial(every_nth, data), WORDS)
    # Spawned workers get all they have by pickling.
    loader = DataLoader(
        stream,
        1,
        collate_fn=pairs.collate,
        num_workers=2,
        worker_init_fn=quiet_worker,
        multiprocessing_context="spawn",
    )
    found = [int(batch.inputs.images.sum()) for batch in loader]
    expected = [int(pairs.collate([sample]).inputs.images.sum()) for sample in stream]
    assert len(found) == 4 and sorted(found) == sorted(expected)
    copy = pickle.loads(pickle.dumps(pairs))
    assert np.array_equal(copy[3].anchor.image, pairs[3].anchor.image)


def test_a_stream_has_other_parts_in_another_epoch(data):
    stream = PairStream(partial(every_nth, data), WORDS, crop=16)
    first, again = [s.anchor.image for s in stream], [s.anchor.image for s in stream]
    stream.set_epoch(1)
    other = [s.anchor.image for s in stream]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_batches_by_number(data):
    batches = RootBatches(data, seed=1, sampling=SAMPLING, start=3, length=9)
    assert len(batches) == 9
    later = RootBatches(data, seed=1, sampling=SAMPLING, start=5)
    for mine, other in zip(batches[2].inputs, later[0].inputs, strict=True):
        assert torch.equal(mine, other)
    shapes = {tuple(batches[k].inputs.images.shape) for k in range(9)}
    assert shapes == {(3, 2, 64, 64, 3), (2, 2, 48, 48, 3)}
    with pytest.raises(IndexError):
        batches[9]
    with pytest.raises(DatasetError, match="crop is 50 pixels"):
        RootBatches(data, seed=1, sampling=SamplingConfig(crops=((50, 1),)))


def test_a_run_on_a_root(data, tmp_path):
    network = DistortionGraphNet(SMALL)
    save_network(tmp_path / "start", network, network.state_dict())
    config = TrainingConfig(
        precision="fp32",
        budget=BudgetConfig(steps=1),
        data=DataConfig(workers=0),
        network=SMALL,
        sampling=SAMPLING,
        start_from=tmp_path / "start",
    )
    score = RootScore(data)
    assert score.keys == data.keys("val", "hard")
    trainer = Trainer(
        data,
        tmp_path / "run",
        config,
        evaluate=score,
        report=lambda _: None,
    )
    done = trainer.run()
    assert done.step == 1 and done.best is not None and -1 <= done.best <= 1
    assert (tmp_path / "run" / "best" / "network.json").is_file()
    other = PandaSet(
        data.root, vocabulary=WORDS.model_copy(update={"distortions": ("clean", "blur", "noise")})
    )
    with pytest.raises(RecipeError, match="the data set and the network have different vocabular"):
        Trainer(other, tmp_path / "other", config)


def test_nothing_to_choose_on(data):
    for key in data.keys("val", "hard"):
        record = data.record("val", key.anchor, key.tag)
        data._records["val", key.anchor][key.tag] = PictureRecord(record.score, (), ())
    with pytest.raises(RegionError, match="no hard pair of val has a region to choose on"):
        RootScore(data)
    assert set(version_names(WORDS)) >= set(VERSIONS)
