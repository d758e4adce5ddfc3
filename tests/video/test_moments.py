"""Which moments are compared, which frames belong to them, and where shots end."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_files import moving

from distortion_graph.base.errors import VideoError
from distortion_graph.video.pairing import Follower
from distortion_graph.video.reading import Frame
from distortion_graph.video.sampling import Evenly, Span, moments, time_text
from distortion_graph.video.shots import Shots


def frames(times: list[float], last: float = 0.04) -> list[Frame]:
    ends = [*times[1:], times[-1] + last]
    image: Any = None
    return [Frame(k, a, b - a, k, image) for k, (a, b) in enumerate(zip(times, ends, strict=True))]


def steady(count: int, rate: Fraction | int) -> list[float]:
    return [float(k / Fraction(rate)) for k in range(count)]


def compared(sampling, times: list[float]) -> list[tuple[int, float]]:
    return [(f.number, round(t, 6)) for f in frames(times) for t in moments(sampling, f)]


def follow(times: list[float], offset: float = 0.0) -> Follower:
    reader: Any = frames(times)
    return Follower(reader, offset)


@pytest.mark.parametrize(
    ("text", "span"),
    [("1s", Span(seconds=1)), ("250ms", Span(seconds=0.25)), ("2min", Span(seconds=120)),
     ("10", Span(frames=10)), ("1.5 s", Span(seconds=1.5)), (1, Span(frames=1))],
)  # fmt: skip
def test_spans_are_read(text, span):
    assert Span.parse(text, "--every") == span
    assert Span.parse(str(span), "--every") == span


@pytest.mark.parametrize("text", ["0", "0s", "-1", "1.5", "x", "", "1 h 2", "nans", "1e9s"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(VideoError, match=r"--every .*: expected a time such as 1s"):
        Span.parse(text, "--every")


def test_a_moment_per_time_takes_the_frame_that_is_shown_then():
    assert compared(Span(seconds=1), steady(51, 25)) == [(0, 0), (25, 1), (50, 2)]
    # 24 frames per second do not fall on tenths of a second.
    assert compared(Span(seconds=0.1), steady(6, 24)) == [(0, 0.0), (2, 0.1), (4, 0.2)]
    # A frame that is shown long is compared with all that the other video shows meanwhile.
    assert compared(Span(seconds=1), [0.0, 3.5, 3.6]) == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_every_nth_frame_and_evenly():
    assert compared(Span(frames=3), steady(8, 25)) == [(0, 0), (3, 0.12), (6, 0.24)]
    assert compared(Evenly(4, 2.0), steady(50, 25)) == [
        (6, 0.25), (18, 0.75), (31, 1.25), (43, 1.75)
    ]  # fmt: skip


@given(st.integers(1, 40), st.floats(0.5, 90.0), st.sampled_from([24, 25, 30, 60]))
def test_evenly_gives_the_number_that_was_asked_for(count, seconds, rate):
    times = steady(int(seconds * rate) + 2, rate)
    assert len(compared(Evenly(count, seconds), times)) == count


@pytest.mark.parametrize("rates", [(25, 25), (25, 50), (24, 24), (Fraction(30000, 1001), 30)])
def test_videos_of_two_rates_show_the_same_time(rates):
    first, second = rates
    other = follow(steady(400, second))
    for frame in frames(steady(100, first)):
        beside = other.at(frame.time_s, frame.lasts_s)
        assert beside is not None
        assert abs(beside.time_s - frame.time_s) <= 0.5 / float(second) + 1e-6


def test_times_that_were_rounded_to_milliseconds_fit_together():
    rate = Fraction(24000, 1001)
    exact = steady(500, rate)
    for rounded in ([round(t, 3) for t in exact], [int(t * 1000) / 1000 for t in exact]):
        other = follow(rounded)
        for frame in frames(exact):
            beside = other.at(frame.time_s, frame.lasts_s)
            assert beside is not None
            assert beside.number == frame.number


def test_a_frame_that_is_shown_long_is_beside_all_of_its_time():
    other = follow([0.0, 1.0, 2.0])
    numbers = []
    for frame in frames(steady(50, 25)):
        beside = other.at(frame.time_s, frame.lasts_s)
        numbers.append(None if beside is None else beside.number)
    assert numbers == [0] * 25 + [1] * 25


def test_an_offset_moves_the_target_and_its_ends_are_known():
    other = follow(steady(10, 25), offset=-0.2)
    shown = [other.at(t, 0.04) for t in steady(20, 25)]
    assert [s and s.number for s in shown] == [None] * 5 + list(range(10)) + [None] * 5
    assert not follow(steady(10, 25)).has_ended_at(0.0)
    assert other.has_ended_at(0.6)


def test_a_cut_begins_a_shot_and_motion_and_noise_do_not():
    rng = np.random.default_rng(0)
    views = [frame[::6, ::4].mean(2) for frame in moving(90, speed=0.4)]
    noisy = [np.clip(v + rng.normal(0, 6, v.shape), 0, 255).astype(np.uint8) for v in views]
    shots = Shots()
    numbers = [shots.see(view) for view in noisy]
    assert numbers == [0] * 30 + [1] * 30 + [2] * 30


def test_a_pan_that_leaves_nothing_of_its_first_picture_ends_a_shot():
    wide = np.random.default_rng(0).integers(0, 256, (18, 130)).astype(np.uint8)
    shots = Shots()
    numbers = [shots.see(wide[:, k : k + 32]) for k in range(0, 96)]
    assert numbers[0] == 0
    assert numbers[-1] >= 2


def test_a_fade_from_black_is_one_shot():
    view = moving(1)[0][::6, ::4].mean(2)
    shots = Shots()
    assert {shots.see((view * k / 20).astype(np.uint8)) for k in range(21)} == {0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.00"), (12.48, "0:12.48"), (59.999, "1:00.00"), (3725.5, "1:02:05.50")],
)
def test_times_as_text(seconds, text):
    assert time_text(seconds) == text
