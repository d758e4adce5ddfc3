"""Files of annotation tools on the command line, with a line for what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import SIZE, photo
from PIL import Image

H, W = SIZE
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}">{{}}</svg>'
ROOF = '<rect id="roof" x="4" y="8" width="20" height="30"/>'


@pytest.fixture
def pictures(here):
    for name, pixels in (("a.png", photo(0)), ("b.png", photo(0) // 2 + 60)):
        Image.fromarray(pixels).save(name)


def test_distort_takes_a_drawing_and_says_what_is_no_region(cli, pictures):
    Path("a.svg").write_text(SVG.format(f'<text id="t">sky</text>{ROOF}'))
    words = ("--type", "noise", "--level", 5, "--regions", "a.svg", "--out", "out.png")
    ended = cli("distort", "a.png", *words)
    assert ended.code == 0
    assert "a.svg: left out what has no area: 1 text" in ended.err
    changed = (np.asarray(Image.open("out.png")) != photo(0)).any(axis=2)
    assert changed[8:38, 4:24].mean() > 0.9 and changed.sum() == changed[8:38, 4:24].sum()


def test_what_compare_wrote_is_compared_again_by_the_same_regions(cli, pictures):
    Path("a.svg").write_text(SVG.format(ROOF))
    assert cli("compare", "a.png", "b.png", "--regions", "a.svg", "--out", "g.json").code == 0
    ended = cli("compare", "a.png", "b.png", "--regions", "g.json", "--json", "--evidence", "none")
    (region,) = json.loads(ended.out)["regions"]
    assert (region["id"], region["name"]) == (0, "roof")
    assert region["anchor"]["bbox_xywh_px"] == [4, 8, 20, 30]


def test_a_file_of_regions_is_no_output_and_another_size_one_line(cli, pictures):
    Path("a.svg").write_text(SVG.format(ROOF).replace(f"{W} {H}", "640 480"))
    assert cli("compare", "a.png", "b.png", "--regions", "a.svg").refusal == (
        "a.svg: found 640×480 pixels (width × height), expected the picture's 64×48"
    )
    ended = cli("compare", "a.png", "b.png", "--regions", "alpha:b.png", "--overlay", "b.png")
    assert "b.png" in ended.refusal
