"""What training sees beyond the protocol: its labels stay true, and the criterion judges it so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optional import present

torch = pytest.importorskip("torch", reason="needs the train extra")

from skimage import data as photographs  # noqa: E402

from distortion_graph.base.errors import RecipeError  # noqa: E402
from distortion_graph.datasets.pictures import CleanPicture  # noqa: E402
from distortion_graph.measure.quality import HAARPSI  # noqa: E402
from distortion_graph.model.encoder import Lite0Encoder  # noqa: E402
from distortion_graph.model.network import NetworkOutput  # noqa: E402
from distortion_graph.synth.distort import apply  # noqa: E402
from distortion_graph.synth.recipes import WILD_RECIPE  # noqa: E402
from distortion_graph.synth.synthesis import (  # noqa: E402
    DEFAULT_RECIPE,
    Recipe,
    draw_region,
    make_version,
    make_versions,
)
from distortion_graph.training.augment import loosened, recompressed, resized_masks  # noqa: E402
from distortion_graph.training.batch import Sample, Targets, make_batch  # noqa: E402
from distortion_graph.training.criterion import LossWeights, criterion  # noqa: E402
from distortion_graph.training.extras import (  # noqa: E402
    IGNORED,
    Extras,
    add_outliers,
    even_version,
)
from distortion_graph.training.outliers import OUTLIERS, STRANGERS  # noqa: E402
from distortion_graph.training.samples import (  # noqa: E402
    SampleStream,
    SamplingConfig,
    _as_cameras,
)


@pytest.fixture(scope="module")
def clean():
    return np.ascontiguousarray(photographs.coffee()[100:196, 150:246])


@pytest.fixture(scope="module")
def masks():
    return np.arange(96)[None, None, :] // 12 == np.arange(8)[:, None, None].repeat(96, 1)


def versions_of(clean, masks):
    names = ("mixed", "mixed2")
    return list(make_versions(clean, masks, range(len(masks)), names, tag="x", seed=0))


@pytest.mark.parametrize("outlier", (*OUTLIERS, *STRANGERS), ids=lambda f: f.__name__)
@pytest.mark.parametrize("size", [(96, 96), (3, 5), (1, 1)])
def test_an_outlier_keeps_shape_input_and_repeats_itself(outlier, size, clean):
    image = np.ascontiguousarray(clean[: size[0], : size[1]])
    before = image.copy()
    once, twice = (outlier(image, np.random.default_rng(5)) for _ in range(2))
    assert once.shape == image.shape and once.dtype == np.uint8
    assert (image == before).all() and (once == twice).all()
    if size == (96, 96):
        assert np.abs(once.astype(int) - image).mean() > 2


def test_training_never_shows_what_calibration_does():
    assert len(STRANGERS) > 5 and not set(STRANGERS) & set(OUTLIERS)


def test_an_even_version_is_the_distortion_of_the_whole_picture(clean, masks):
    masks = masks[:5]  # the rest belongs to no region, and is distorted all the same
    version = even_version(clean, masks, "darken", DEFAULT_RECIPE, np.random.default_rng(2))
    assert len(set(version.draws)) == 1 and len(version.draws) == 5
    draw = version.draws[0]
    rng = np.random.default_rng(2)
    assert draw == draw_region("darken", DEFAULT_RECIPE, rng)
    assert (version.image == apply(clean, "darken", present(draw.subtype), draw.level, rng)).all()
    assert version.scores == pytest.approx(HAARPSI.region_scores(clean, version.image, masks))
    assert 0 < version.scene_score < 1


def test_outliers_replace_regions_of_one_picture_and_are_scored(clean, masks):
    versions = versions_of(clean, masks)
    made = list(versions)
    rng = np.random.default_rng(0)
    extras = add_outliers((clean, clean), masks, made, Extras.none(len(masks)), rng)
    side = int(np.flatnonzero(~extras.known.all(1))[0])
    assert extras.known[1 - side].all() and made[1 - side] is versions[1 - side]
    for r, mask in enumerate(masks):
        changed = (made[side].image != versions[side].image)[mask].any()
        assert changed == (not extras.known[side, r])
    expected = HAARPSI.against(clean).region_scores(made[side].image, masks)
    assert (made[side].scores == expected).all()


def test_a_batch_ignores_the_labels_of_what_is_unknown(clean, masks):
    versions = versions_of(clean, masks)
    extras = Extras.none(len(masks))
    extras.known[0, 2] = False
    batch = make_batch([Sample(*versions, masks, extras)], DEFAULT_RECIPE.vocabulary)  # type: ignore[call-arg]
    targets = batch.targets
    assert targets.known[0, :, 1:].tolist() == extras.known.astype(int).tolist()
    assert targets.known[0, :, 0].tolist() == [IGNORED, IGNORED]  # the scene
    assert targets.distortion[0, 0, 3] == IGNORED and targets.severity[0, 0, 3] == IGNORED


def test_a_batch_marks_every_distortion_that_is_present(clean, masks):
    second = versions_of(clean, masks)[1]
    recipe = Recipe(also_share=0.6)
    ids = range(len(masks))
    more = make_version(clean, masks, ids, version="mixed", tag="x", seed=0, recipe=recipe)
    assert any(draw.also for draw in more.draws)
    batch = make_batch([Sample(second, more, masks, original=1)], DEFAULT_RECIPE.vocabulary)
    named = DEFAULT_RECIPE.vocabulary.distortions
    for k, version in enumerate((second, more)):
        for r, draw in enumerate(version.draws):
            marked = batch.targets.present[0, k, r + 1].nonzero().flatten().tolist()
            assert {named[d] for d in marked} == {p.distortion for p in (draw, *draw.also)}
    assert batch.inputs.is_original.tolist() == [[0, 1]]
    assert not batch.targets.present[0, :, 0].any()  # the scene has no label


def output_of(distortion, known):
    degrees = torch.full((1, 2, 1, 3, 2), 0.5).log()
    return NetworkOutput(
        torch.tensor(distortion).log().reshape(1, 1, 1, 3).expand(1, 2, 1, 3),
        degrees,
        torch.ones(1, 2, 1),
        torch.full((1, 1, 5), 0.2).log(),
        torch.tensor(known).reshape(1, 2, 1),
        torch.tensor([0.8, 0.6, 0.1]).expand(1, 2, 1, 3),
    )


def targets_of(distortion, also, known):
    shape = (1, 2, 1)
    present = torch.zeros(*shape, 3)
    present[..., [d for d in (distortion, also) if d != IGNORED]] = 1
    return Targets(
        torch.full(shape, distortion),
        torch.full(shape, IGNORED),
        torch.ones(shape),
        torch.full((1, 1), 2),
        present,
        torch.tensor(known).reshape(shape),
    )


def test_every_distortion_that_is_present_counts_beside_the_first_label():
    valid = torch.ones(1, 1, dtype=torch.bool)
    out = output_of([0.5, 0.3, 0.2], [0.5, 0.5])
    one = criterion(out, targets_of(0, IGNORED, [1, 1]), valid, LossWeights())
    both = criterion(out, targets_of(0, 1, [1, 1]), valid, LossWeights())
    assert one.distortion.item() == both.distortion.item() == pytest.approx(-np.log(0.5), abs=1e-6)
    assert one.present.item() == pytest.approx(-np.log(0.8 * 0.4 * 0.9), abs=1e-6)
    assert both.present.item() == pytest.approx(-np.log(0.8 * 0.6 * 0.9), abs=1e-6)
    silent = criterion(out._replace(present=None), targets_of(0, 1, [1, 1]), valid, LossWeights())
    assert silent.present.item() == 0


def test_known_and_unknown_nodes_weigh_alike():
    valid = torch.ones(1, 1, dtype=torch.bool)
    out = output_of([0.5, 0.3, 0.2], [0.9, 0.2])
    loss = criterion(out, targets_of(IGNORED, IGNORED, [1, 0]), valid, LossWeights())
    assert loss.known.item() == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2, abs=1e-6)
    assert loss.distortion.item() == 0
    nothing = targets_of(IGNORED, IGNORED, [IGNORED, IGNORED])
    assert criterion(out, nothing, valid, LossWeights()).known.item() == 0


def test_loose_masks_stay_near_and_none_vanishes():
    masks = np.zeros((3, 60, 60), bool)
    masks[0, 10:50, 10:50] = masks[1, 0:1, 0:1] = masks[2, 20:24, 30:34] = True
    for seed in range(30):
        loose = loosened(masks, np.random.default_rng(seed))
        assert loose.any(axis=(1, 2)).all() and loose.shape == masks.shape
        assert loose[0, 14:46, 14:46].all() and not loose[0, :5].any()


def test_masks_are_scaled_by_the_nearest_pixel_and_pictures_recompressed_a_little(clean):
    masks = np.arange(96)[None, :, None].repeat(96, 2) < 48
    small = resized_masks(masks, 48)
    assert small.dtype == bool and small[0, :24].all() and not small[0, 24:].any()
    changed = set()
    for seed in range(20):
        pair = recompressed([clean, clean[::-1]], np.random.default_rng(seed))
        differences = [
            float(np.abs(again.astype(int) - before).mean())
            for again, before in zip(pair, (clean, clean[::-1]), strict=True)
        ]
        assert 0 < max(differences) < 6
        changed.add(tuple(d > 0 for d in differences))
    assert changed == {(True, True), (True, False), (False, True)}


def test_every_share_leaves_consistent_batches(clean):
    labels = (np.mgrid[:96, :96].sum(0) // 40 + 1).astype(np.uint16)
    shares: dict[str, Any] = {
        name: 1.0
        for name in vars(SamplingConfig())
        if name in ("outlier_share", "several_share", "loose_share", "rescaled_share")
    } | {"grey_share": 1.0, "recompressed_share": 1.0}
    stream = SampleStream(
        [CleanPicture("c", clean, (labels,))],
        seed=0,
        recipe=Recipe(also_drawn=("compression:webp", "compression:avif")),
        sampling=SamplingConfig(crops=((64, 4),), **shares),
    )
    unknown = further = 0
    for index in range(4):
        inputs, targets = stream[index]
        assert inputs.images.shape[2:] == (64, 64, 3)
        assert (inputs.own_counts.sum(-1)[:, :, 0] == 64 * 64).all()
        assert torch.allclose(inputs.own_counts.sum(-1)[:, 0, :, 0] / 64**2, inputs.area, atol=1e-6)
        unknown += int((targets.known == 0).sum())
        further += int((targets.present.sum(-1) > 1).sum())
        saturation = [
            DEFAULT_RECIPE.vocabulary.distortion_index(f"saturate_{x}") for x in ("inc", "dec")
        ]
        assert not torch.isin(targets.distortion, torch.tensor(saturation)).any()
    assert unknown and further


def pairs_of(share, clean, *unchanged):
    """Batches of pairs of one kind alone, without what else changes pictures."""
    labels = (np.mgrid[:96, :96].sum(0) // 40 + 1).astype(np.uint16)
    kinds = ("hard", "easy", "ladder", "same", "pristine", "frequent")
    none = [f"{name}_share" for name in (*kinds, "outlier", "grey", "recompressed", *unchanged)]
    shares: dict[str, Any] = dict.fromkeys(none, 0.0) | {share: 1.0}
    return SampleStream(
        [CleanPicture("c", clean, (labels,))],
        seed=0,
        recipe=DEFAULT_RECIPE,
        sampling=SamplingConfig(crops=((64, 8),), **shares),
    )


def test_frequent_pairs_hold_a_pristine_picture_and_one_with_noise_blur_or_another_exposure(clean):
    stream = pairs_of("frequent_share", clean)
    vocabulary = DEFAULT_RECIPE.vocabulary
    frequent = {vocabulary.distortion_index(x) for x in ("noise", "blur", "brightness", "darken")}
    seen: set[int] = set()
    for index in range(4):
        _, targets = stream[index]
        for pair in targets.distortion:
            sides = [set(side[side >= 0].tolist()) for side in pair]
            assert {vocabulary.clean_index} in sides
            seen |= sides[0] | sides[1]
    assert seen == frequent | {vocabulary.clean_index}


def test_what_is_frequent_is_made_as_cameras_make_it_and_labelled_by_loss():
    rng = np.random.default_rng(0)
    noise = _as_cameras(DEFAULT_RECIPE, "noise", weak=True)
    draws = [draw_region("noise", noise, rng) for _ in range(300)]
    assert {draw.subtype for draw in draws} == {"sensor", "coloured", "denoised"}
    assert np.mean([draw.level <= 2 for draw in draws]) == pytest.approx(0.8, abs=0.08)
    exposures = _as_cameras(DEFAULT_RECIPE, "darken")
    draws = [draw_region("darken", exposures, rng) for _ in range(300)]
    assert {draw.subtype for draw in draws} == {"underexposed", "curve"}
    assert np.mean([draw.level <= 2 for draw in draws]) == pytest.approx(1 / 3, abs=0.08)
    rain = _as_cameras(DEFAULT_RECIPE, "rain")
    assert set(rain.also_drawn) == set(WILD_RECIPE.also_drawn)
    assert noise.labelled_by == exposures.labelled_by == rain.labelled_by == "loss"


def test_equal_pictures_seldom_suffer_a_change_of_tone_alone(clean):
    stream = pairs_of("same_share", clean, "several")
    vocabulary = DEFAULT_RECIPE.vocabulary
    tones = [name for name in vocabulary.distortions if name.endswith(("_inc", "_dec"))]
    tones += ["brightness", "darken"]
    alone: list[str] = []
    for index in range(12):
        _, targets = stream[index]
        for first, second in targets.distortion:
            assert torch.equal(first, second)
            found = set(first[first >= 0].tolist()) - {vocabulary.clean_index}
            if len(found) == 1:
                alone.append(vocabulary.distortions[found.pop()])
    assert len(alone) > 40
    assert np.mean([label in tones for label in alone]) < 0.25


def test_sub_types_by_name_are_drawn_when_asked_for():
    rng = np.random.default_rng(0)
    usual = {draw_region("compression", DEFAULT_RECIPE, rng).subtype for _ in range(60)}
    more = Recipe(also_drawn=("compression:avif",))
    assert usual == {"jpeg", "jpeg2000"}
    assert {draw_region("compression", more, rng).subtype for _ in range(60)} == usual | {"avif"}
    with pytest.raises(RecipeError, match="unknown sub-type of compression 'jxl'"):
        Recipe(also_drawn=("compression:jxl",))


def test_a_frozen_part_neither_learns_nor_counts():
    torch.manual_seed(0)
    encoder = Lite0Encoder()
    encoder.freeze(5)
    encoder.train()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in encoder.parameters() if p.requires_grad], lr=0.1)
    encoder(torch.rand(2, 3, 32, 32))[-1].square().mean().backward()
    optimiser.step()
    changed = {k for k, v in encoder.state_dict().items() if not torch.equal(v, before[k])}
    frozen = tuple(f"blocks.{k}." for k in range(5))
    assert changed and not any(k.startswith(("stem.", *frozen)) for k in changed)
    encoder.freeze(0)
    assert all(p.requires_grad for p in encoder.parameters())
    assert all(m.training for m in encoder.modules())
