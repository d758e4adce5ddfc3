"""The command `video`: what it says and how it ends."""

from __future__ import annotations

from typing import get_args

import pytest
from video_files import blurred, encode, moving

from distortion_graph.cli.video import AlignEach, Sync
from distortion_graph.video import comparing, options
from distortion_graph.video.sync import DEFAULT_SEARCH_S

pytest.importorskip("av")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.slow


@pytest.fixture
def clips(here):
    frames = moving(50, (48, 64), speed=0.6)
    encode(here / "a.mp4", frames)
    encode(here / "b.mp4", [blurred(f, 3) if 25 <= k < 40 else f for k, f in enumerate(frames)])
    return here


def test_a_folder_with_a_page_and_the_worst_moment_first(clips, cli):
    call = ["video", "a.mp4", "b.mp4", "--every", "200ms", "--regions", "whole", "--out", "out"]
    ended = cli(*call, "--workers", "1", "--moments", "2")
    assert ended.code == 0, ended.err
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines[0].startswith(
        "Anchor a.mp4, target b.mp4. 10 moments from 0:00.00 to 0:01.80 were compared: "
    )
    first = lines[lines.index("| time | region farthest apart |") + 2]
    assert first.startswith("| 0:01.")
    assert sorted(p.name for p in (clips / "out").iterdir()) == [
        "index.html", "pairs", "regions", "reports", "summary.md", "video.json",
    ]  # fmt: skip
    again = cli(*call, "--workers", "1", "--moments", "2", "--verbose")
    assert again.out == ended.out
    assert "10 of them were there already" in again.err
    other = cli(*call, "--moments", "3").refusal
    assert other == (
        "out: holds a comparison with moments 2, now it is 3; give the same options, or choose a "
        "new folder for --out"
    )


def test_an_offset_that_was_found_is_said_with_its_confidence(clips, cli):
    encode(clips / "c.mp4", moving(50, (48, 64), speed=0.6)[5:])
    ended = cli("video", "a.mp4", "c.mp4", "--sync", "content", "--evidence", "none",
                "--regions", "whole", "--out", "out")  # fmt: skip
    assert ended.code == 0, ended.err
    said = "The target shows the same 0.200 s earlier, found by content with a confidence of"
    assert said in ended.out.splitlines()[0]


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        (["a.mp4", "a.png"], "a.png: is a still picture, expected a video; `distortion-graph "
                             "compare` takes pictures"),
        (["a.mp4", "none.mp4"], "none.mp4: no such file, expected a video; check the path"),
        (["a.mp4", "b.mp4", "--every", "often"], "--every often: expected a time such as 1s, 250ms "
                                                 "or 2min, or a whole number of frames such as 10"),
        (["a.mp4", "b.mp4", "--offset", "1", "--sync", "content"],
         "--offset 1 says what --sync content would find, expected one of them"),
        (["a.mp4", "b.mp4", "--score-metric", "haarpsi"],
         "--score-metric haarpsi measures scores against an original, expected --reference FILE "
         "too"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(clips, cli, more, refusal):
    assert cli("video", *more, "--out", "out").refusal == refusal
    assert not (clips / "out").exists()


def test_the_words_of_options_are_those_of_the_library():
    assert [kind.value for kind in Sync] == list(get_args(options.Sync))
    assert [kind.value for kind in AlignEach] == list(get_args(comparing.AlignEach))
    assert DEFAULT_SEARCH_S == 30.0
