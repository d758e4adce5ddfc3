"""The offset of two videos by what they show: what is found is what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from video_files import encode, moving

from distortion_graph.base.errors import VideoError
from distortion_graph.video.reading import open_video
from distortion_graph.video.sync import find_offset

pytest.importorskip("av")
pytestmark = pytest.mark.slow

FRAMES = moving(150)


@pytest.fixture(scope="module")
def anchor(tmp_path_factory):
    return open_video(encode(tmp_path_factory.mktemp("sync") / "a.mp4", FRAMES))


@pytest.mark.parametrize("cut", [0, 1, 13, 40])
def test_the_offset_is_the_number_of_frames_that_were_cut_off(tmp_path, anchor, cut):
    """In a smaller, darker, badly compressed copy."""
    dark = [(frame[::2, ::2] * 0.7).astype(np.uint8) for frame in FRAMES[cut:]]
    target = open_video(encode(tmp_path / "b.mp4", dark, options={"crf": "36"}))
    found = find_offset(anchor, target)
    assert found.seconds == pytest.approx(-cut / 25, abs=1e-6)
    assert found.confidence is not None
    assert found.confidence > 0.9
    back = find_offset(target, anchor)
    assert back.seconds == pytest.approx(cut / 25, abs=1e-6)


def test_another_frame_rate_does_not_matter(tmp_path, anchor):
    twice = [frame for frame in FRAMES[9:] for _ in (0, 1)]
    target = open_video(encode(tmp_path / "b.mp4", twice, rate=50))
    assert find_offset(anchor, target).seconds == pytest.approx(-9 / 25, abs=0.021)


def test_a_title_in_front_is_found(tmp_path, anchor):
    target = open_video(encode(tmp_path / "b.mp4", [FRAMES[0] // 3] * 50 + FRAMES))
    assert find_offset(anchor, target).seconds == pytest.approx(2.0, abs=1e-6)


def test_what_cannot_be_told_is_refused(tmp_path, anchor):
    rng = np.random.default_rng(0)
    still = encode(tmp_path / "still.mp4", [FRAMES[0]] * 60)
    with pytest.raises(VideoError, match=r"still\.mp4: too little moves in it"):
        find_offset(anchor, open_video(still))
    other = encode(tmp_path / "other.mp4", rng.permutation(np.array(moving(120, speed=11))))
    loop = encode(tmp_path / "loop.mp4", FRAMES[:40] * 4)
    faster = encode(tmp_path / "faster.mp4", FRAMES, rate=30)
    for target in (other, faster):
        with pytest.raises(VideoError, match=r"no offset against .* can be relied on"):
            find_offset(anchor, open_video(target))
    with pytest.raises(VideoError, match="can be relied on"):  # fits at many offsets
        find_offset(open_video(loop), open_video(loop))


def test_an_offset_outside_the_search_is_not_found(tmp_path, anchor):
    target = open_video(encode(tmp_path / "b.mp4", FRAMES[50:]))
    with pytest.raises(VideoError, match=r"within ±1 s can be relied"):
        find_offset(anchor, target, search_s=1.0)
