"""Ten thousand outlines and a million points: read in seconds, in memory that does not multiply."""

from __future__ import annotations

import json
import resource
import time

import numpy as np
import pytest
from region_files import blank, regions_in, written

pytestmark = pytest.mark.slow
COUNT, POINTS, H, W = 10_000, 100, 3000, 4000


@pytest.fixture(scope="module")
def rings():
    """(10 000, 100, 2) points of wavy rings about 40 px wide."""
    rng = np.random.default_rng(0)
    angles = np.sort(rng.random((COUNT, POINTS)), axis=1) * 2 * np.pi
    radii = 20 * (1 + 0.3 * np.sin(9 * angles))
    around = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=2)
    return (around + rng.random((COUNT, 1, 2)) * [W - 60, H - 60] + 30).round(2)


def labelme(rings):
    shapes = [{"label": "a", "points": ring.tolist()} for ring in rings]
    return json.dumps({"shapes": shapes, "imageHeight": H, "imageWidth": W})


def spelled(ring, between):
    return between.join(f"{x:.2f},{y:.2f}" for x, y in ring)


def cvat(rings):
    shapes = (f'<polygon label="a" points="{spelled(ring, ";")}"/>' for ring in rings)
    size = f'width="{W}" height="{H}"'
    return f'<annotations><image id="0" name="a" {size}>{"".join(shapes)}</image></annotations>'


def svg(rings):
    """Every other one a path of relative lines, as Inkscape writes them."""
    shapes = [
        f'<path d="m{spelled(np.diff(ring, axis=0, prepend=0), " ")}z"/>'
        if k % 2
        else f'<polygon points="{spelled(ring, " ")}"/>'
        for k, ring in enumerate(rings)
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}">{"".join(shapes)}</svg>'


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("form", [cvat, svg, labelme])
def test_ten_thousand_outlines_of_a_hundred_points(tmp_path, rings, form):
    path, picture = written(tmp_path / "a.xml", form(rings)), blank(H, W)
    start, before = time.process_time(), peak_mb()
    found = regions_in(path, picture)
    assert time.process_time() - start < 60
    assert peak_mb() - before < 1000  # the masks as pixels would be 120 GB
    x, y = rings[..., 0], rings[..., 1]
    inside = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(1) / 2
    # Counted centres stray from a true area by a share of the outline's length, some 150 px.
    areas = found.areas()
    assert np.abs(areas - inside).max() < 40
    assert abs(areas.sum() / inside.sum() - 1) < 1e-3
