"""Pictures and masks as `panda` takes them, the published augmentation, and batches of samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from tiny_panda import tiny_panda  # noqa: E402

from distortion_graph.base.errors import ImageError, RegionError  # noqa: E402
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS  # noqa: E402
from distortion_graph.model import panda  # noqa: E402
from distortion_graph.model.backbones import Lite0Backbone  # noqa: E402
from distortion_graph.model.encoder import Lite0Encoder  # noqa: E402
from distortion_graph.synth.synthesis import Draw, Version  # noqa: E402
from distortion_graph.training.batch import Sample  # noqa: E402
from distortion_graph.training.extras import Extras  # noqa: E402
from distortion_graph.training.panda_batch import make_panda_batch  # noqa: E402

SIDE = 64
CONFIG = panda.PandaConfig(width=112, patch_px=16, side_px=SIDE, pool=4, blocks=1)


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def left_half(height, width):
    mask = np.zeros((height, width), bool)
    mask[:, : width // 2] = True
    return mask


def sample(height=80, width=120, regions=2, seed=0):
    masks = np.zeros((regions, height, width), bool)
    for r, columns in enumerate(np.array_split(np.arange(width), max(regions, 1))[:regions]):
        masks[r, :, columns] = True
    versions = []
    for k, (label, degree, score) in enumerate((("noise", "severe", 0.4), ("blur", "minor", 0.9))):
        draws = tuple(Draw(label, degree, None, 1) for _ in range(regions))
        rgb = picture(height, width, seed + k)
        versions.append(Version("mixed", rgb, draws, np.full(regions, score), 0.5))
    return Sample(*versions, masks)  # type: ignore[arg-type, call-arg]


def test_pictures_are_resized_bilinearly_and_masks_by_the_nearest_pixel():
    anchor, target = picture(40, 90), picture(40, 90, seed=1)
    masks = np.random.default_rng(2).random((3, 40, 90)) < 0.5
    images, fitted = panda.fit_pair(anchor, target, masks, SIDE)
    assert images.dtype == np.uint8 and fitted.dtype == np.bool_
    assert np.array_equal(images[1], cv2.resize(target, (SIDE, SIDE)))
    rows, columns = (np.arange(SIDE) * n // SIDE for n in (40, 90))
    assert np.array_equal(fitted, masks[:, rows][:, :, columns])


def test_no_masks_are_legal():
    inputs = panda.prepare_pair(picture(20, 30), picture(20, 30), np.zeros((0, 20, 30), bool), SIDE)
    assert [tuple(x.shape) for x in inputs] == [
        (1, 2, SIDE, SIDE, 3),
        (1, 0, SIDE, SIDE),
        (1, 0),
    ]


def test_pictures_and_masks_of_unequal_size_are_refused():
    with pytest.raises(ImageError):
        panda.fit_pair(picture(20, 30), picture(20, 31), np.zeros((0, 20, 30), bool), SIDE)
    with pytest.raises(RegionError) as caught:
        panda.fit_pair(picture(20, 30), picture(20, 30), np.zeros((2, 30, 20), bool), SIDE)
    assert str(caught.value) == "masks must be (R, 20, 30) bool, got one of (30, 20) bool"


def augmented(count):
    images, masks = np.stack([picture(SIDE, SIDE)] * 2), left_half(SIDE, SIDE)[None]
    rng = np.random.default_rng(7)
    return images, masks, [panda.augment(images, masks, rng) for _ in range(count)]


def test_augmentation_depends_on_its_generator_alone_and_draws_four_numbers():
    images, masks, found = augmented(20)
    rng = np.random.default_rng(7)
    for other in found:
        copy = np.random.default_rng()
        copy.bit_generator.state = rng.bit_generator.state
        rng.random(3), rng.integers(4)
        assert all(map(np.array_equal, panda.augment(images, masks, copy), other))
        assert copy.bit_generator.state == rng.bit_generator.state


def test_augmentation_moves_pictures_and_masks_alike_in_the_published_shares():
    images, masks, found = augmented(2000)
    counts: dict[Any, Any] = {}
    for moved, mask in found:
        assert np.array_equal(moved[0], moved[1])
        for turns in range(4):
            for flip in (False, True):
                back = [np.rot90(x, turns, (1, 2)) for x in (images, masks)]
                back = [x[:, :, ::-1] for x in back] if flip else back
                if np.array_equal(back[0], moved):
                    assert np.array_equal(back[1], mask)
                    counts[turns, flip] = counts.get((turns, flip), 0) + 1
    assert sum(counts.values()) == len(found)
    # Mirrored an odd number of times: .5·.8 + .5·.2; not turned: .5 + .5·.25.
    odd = sum(count for (_, flip), count in counts.items() if flip) / len(found)
    assert odd == pytest.approx(0.5, abs=0.04)
    # As it was: not turned .625 and no flip .4, or turned by 180 with both flips, .125·.1.
    assert counts[0, False] / len(found) == pytest.approx(0.625 * 0.4 + 0.125 * 0.1, abs=0.04)


def test_a_batch_holds_regions_only_padded_and_the_trainers_labels():
    batch = make_panda_batch([sample(regions=2), sample(60, 60, regions=3)], WORDS, CONFIG)
    inputs, targets = batch
    assert inputs.images.shape == (2, 2, SIDE, SIDE, 3) and inputs.images.dtype == torch.uint8
    assert inputs.masks.shape == (2, 3, SIDE, SIDE) and inputs.masks.dtype == torch.bool
    assert inputs.valid.tolist() == [[True, True, False], [True, True, True]]
    noise, blur = WORDS.distortion_index("noise"), WORDS.distortion_index("blur")
    none = panda.IGNORED
    assert targets.distortion[0].tolist() == [[noise, noise, none], [blur, blur, none]]
    assert targets.severity[1].tolist() == [[3] * 3, [1] * 3]
    worse = WORDS.comparison_index("significantly_worse")
    assert targets.comparison.tolist() == [[worse, worse, none], [worse] * 3]
    assert targets.score[1, 0].tolist() == pytest.approx([0.4] * 3)


def test_a_region_that_vanishes_in_resizing_is_not_valid():
    one = sample(640, 640)
    one.masks[1] = False
    one.masks[1, 5, 5] = True
    batch = make_panda_batch([one], WORDS, CONFIG)
    assert batch.inputs.valid.tolist() == [[True, False]]


def test_what_the_vocabulary_has_no_label_for_is_without_labels_but_has_a_score():
    known = np.array([[True, False], [True, True]])
    extras = Extras(known)
    targets = make_panda_batch([replace(sample(), extras=extras)], WORDS, CONFIG).targets
    for labels in (targets.distortion, targets.severity):
        assert (labels[0] != panda.IGNORED).tolist() == known.tolist()
    assert targets.score[0, 0].tolist() == pytest.approx([0.4, 0.4])


def test_batches_without_regions_or_samples_of_any_size_and_the_same_generator():
    assert make_panda_batch([sample(regions=0)], WORDS, CONFIG).inputs.masks.shape[1] == 0
    pair = [sample(80, 120), sample(64, 50, seed=5)]
    made = [make_panda_batch(pair, WORDS, CONFIG, np.random.default_rng(k)) for k in (3, 3, 4)]
    first, again, other = (x.inputs.images for x in made)
    assert torch.equal(first, again) and not torch.equal(first, other)
    plain = make_panda_batch(pair, WORDS, CONFIG)
    for a, b in zip(plain.to(torch.device("cpu")), plain, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_tiny_set_is_learned():
    torch.manual_seed(0)
    backbone = Lite0Backbone(Lite0Encoder())
    network = tiny_panda(backbone, side_px=SIDE, pool=2, blocks=1).train()
    inputs, targets = make_panda_batch([sample(), sample(seed=9)], WORDS, CONFIG)
    optimizer = torch.optim.AdamW(network.trainable_parameters(), lr=3e-3)
    config = panda.PandaLossConfig(
        distortion_smoothing=0, severity_smoothing=0, comparison_smoothing=0
    )
    for _ in range(40):
        losses = panda.criterion(network(*inputs), targets, inputs.valid, config)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
    assert losses.distortion.item() < 0.05 and losses.score.item() < 0.1
    network.eval()
    output = network(*inputs)
    assert torch.equal(output.distortion.argmax(-1), targets.distortion)
    assert torch.equal(output.comparison.argmax(-1), targets.comparison)
