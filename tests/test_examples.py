"""The committed example pair is what its script makes and what its page says."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from scripts import loaded

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.measure.quality import region_scores
from distortion_graph.pictures.images import load_picture
from distortion_graph.regions.sources import resolve_regions
from distortion_graph.synth.distort import SUBTYPES

EXAMPLES = Path(__file__).parent.parent / "examples"
SIDES = ("anchor", "target")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return loaded(EXAMPLES / "make_examples.py")


@pytest.fixture(scope="module")
def made(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "argv", ["make_examples.py", str(folder)])
    script.main()
    patch.undo()
    return folder


@pytest.mark.parametrize("side", SIDES)
def test_the_committed_picture_is_the_one_the_script_makes(made: Path, side: str) -> None:
    committed = np.asarray(Image.open(EXAMPLES / f"{side}.png")).astype(int)
    again = np.asarray(Image.open(made / f"{side}.png")).astype(int)
    assert again.shape == committed.shape == (320, 480, 3)
    difference = np.abs(again - committed)
    # Another processor may round a pixel the other way; anything more is another picture.
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 1e-4 * difference.size


def test_the_script_makes_the_same_bytes_every_time(script: ModuleType, made: Path) -> None:
    for side, image in zip(SIDES, script.make_pair(), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(made / f"{side}.png")), image)


def test_regions_are_named_cover_the_picture_and_hardly_overlap() -> None:
    picture = load_picture(EXAMPLES / "anchor.png")
    regions = resolve_regions(EXAMPLES / "regions.json", picture, picture)
    layers = regions.masks().sum(axis=0)
    assert len(set(regions.names)) == len(regions) == 7
    assert (regions.areas() / layers.size).min() > 0.02
    assert (layers == 0).mean() < 0.05
    assert (layers > 1).mean() < 0.001


def test_the_pictures_differ_from_the_photograph_only_in_spoilt_regions(script: ModuleType) -> None:
    clean = load_picture(script.clean_picture())
    regions = resolve_regions(EXAMPLES / "regions.json", clean, clean)
    for side, name in enumerate(SIDES):
        changed = (load_picture(EXAMPLES / f"{name}.png").rgb != clean.rgb).any(axis=2)
        for region, mask in zip(regions, regions.masks(), strict=True):
            spoilt = script.RECIPE[region.name][side] is not None
            assert spoilt == (changed[mask].mean() > 0.01), (name, region.name)


def test_the_page_says_what_was_done_and_what_is_true(script: ModuleType) -> None:
    page = (EXAMPLES / "README.md").read_text()
    rows = [[c.strip() for c in line.strip("| ").split("|")] for line in page.splitlines()]
    told = {row[0]: row[1:] for row in rows if len(row) == 6 and row[0] in script.RECIPE}
    clean = load_picture(script.clean_picture())
    regions = resolve_regions(EXAMPLES / "regions.json", clean, clean)
    pictures = [load_picture(EXAMPLES / f"{side}.png").rgb for side in SIDES]
    scores = [region_scores(clean.rgb, picture, regions.masks()) for picture in pictures]
    assert list(told) == list(regions.names)
    for region, anchor, target in zip(regions, *scores, strict=True):
        words = [f"{d[0]}:{d[1]} {d[2]}" if d else "clean" for d in script.RECIPE[region.name]]
        edge = DEFAULT_VOCABULARY.compare_scores(anchor, target).label
        assert told[region.name] == [*words, f"{anchor:.2f}", f"{target:.2f}", edge]


def test_every_comparison_is_shown_and_types_do_not_need_a_codec(script: ModuleType) -> None:
    page = (EXAMPLES / "README.md").read_text()
    assert all(f"| {label} |" in page for label in DEFAULT_VOCABULARY.comparison_labels)
    used = {d[:2] for sides in script.RECIPE.values() for d in sides if d}
    assert all(subtype in SUBTYPES[distortion] for distortion, subtype in used)
    assert "compression" not in {distortion for distortion, _ in used}


def test_the_files_are_small() -> None:
    assert sum(p.stat().st_size for p in EXAMPLES.iterdir() if p.is_file()) < 1_000_000
