"""Videos as streams of frames: codecs, times, turns, and files that are damaged or none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_files import encode, moving

from distortion_graph.base.errors import VideoError
from distortion_graph.pictures.orientations import orient
from distortion_graph.video.colours import conversion, settle
from distortion_graph.video.reading import Reader, frames_at, open_video

av = pytest.importorskip("av")

FRAMES = moving(30)
KINDS = {
    "a.mp4": ("libx264", "yuv420p"),
    "b.mkv": ("libx265", "yuv420p10le"),
    "c.webm": ("libvpx-vp9", "yuv420p"),
    "d.mkv": ("ffv1", "bgr0"),
    "e.mkv": ("ffv1", "yuv422p10le"),
    "f.avi": ("mjpeg", "yuvj444p"),
    "g.ts": ("mpeg2video", "yuv420p"),
    "h.mkv": ("ffv1", "gray"),
    "i.mov": ("prores_ks", "yuv422p10le"),
}
GOOD = {
    "libx265": {"crf": "8", "x265-params": "log-level=none"},
    "libvpx-vp9": {"crf": "8", "b": "0", "cpu-used": "8"},
    "mpeg2video": {"qmin": "1", "qmax": "2"},
    "mjpeg": {"qmin": "1", "qmax": "1"},
}


def pictures(path: Path) -> list[np.ndarray]:
    video = open_video(path)
    (tags,), _ = settle([video.tags], video.size, [video.name])
    made = conversion(tags, video.orientation)
    return [made.rgb(frame.image)[0] for frame in Reader(video)]


@pytest.mark.parametrize("name", KINDS)
def test_every_codec_gives_its_frames_and_their_times(tmp_path, name):
    codec, pixels = KINDS[name]
    path = encode(tmp_path / name, FRAMES, codec, pixels, options=GOOD.get(codec))
    video = open_video(path)
    reader = Reader(video)
    frames = list(reader)
    assert [frame.number for frame in frames] == list(range(30))
    assert [round(f.time_s, 3) for f in frames] == [round(k / 25, 3) for k in range(30)]
    assert reader.notes() == []
    assert video.size == (96, 128)
    shown = pictures(path)
    for mine, stored in zip(shown, FRAMES, strict=True):
        wanted = stored
        if pixels == "gray":
            luma = stored @ np.array([0.299, 0.587, 0.114])
            wanted = np.repeat(luma[..., None], 3, 2)
        assert np.abs(mine - wanted.astype(float)).mean() < 4


def test_frames_that_are_stored_without_loss_are_exact(tmp_path):
    path = encode(tmp_path / "a.mkv", FRAMES[:3], "ffv1", "bgr0")
    assert all(np.array_equal(a, b) for a, b in zip(pictures(path), FRAMES, strict=False))


def test_times_of_a_variable_rate_are_those_of_the_file(tmp_path):
    times = list(np.cumsum([0, *([40] * 10), *([200] * 9), *([17] * 10)]))
    path = encode(tmp_path / "a.mkv", FRAMES, milliseconds=[int(t) for t in times])
    frames = list(Reader(open_video(path)))
    assert [round(1000 * f.time_s) for f in frames] == times
    assert [round(1000 * f.lasts_s) for f in frames[:-1]] == [b - a for a, b in pairwise(times)]


@pytest.mark.parametrize("rotation", [(0, False, False), (90, False, False), (180, False, False),
                                      (270, False, False), (0, True, False), (90, True, False),
                                      (0, False, True), (270, True, False)])  # fmt: skip
def test_frames_are_turned_as_the_file_says(tmp_path, rotation):
    """Against what FFmpeg's own filters do with the same matrix."""
    frame = FRAMES[0].copy()
    frame[:20, :30] = (255, 0, 0)
    path = encode(tmp_path / "a.mp4", [frame] * 3, rotation=rotation, pixels="yuv444p")
    degrees, mirrored, upside_down = rotation
    wanted = np.rot90(frame, degrees // 90)  # counter-clockwise
    stored = frame[:, ::-1] if mirrored else frame
    stored = stored[::-1] if upside_down else stored
    candidates = [orient(frame, k) for k in range(1, 9)]
    shown = pictures(path)[0]
    apart = [
        np.abs(c.astype(float) - shown).mean() if c.shape == shown.shape else 999
        for c in candidates
    ]
    if not (mirrored or upside_down):
        assert np.abs(wanted.astype(float) - shown).mean() < 3
    # Mirrored ones are told from turned ones: exactly one of the eight ways fits.
    assert sorted(apart)[0] < 3 < sorted(apart)[1]
    expected_mirror = mirrored != upside_down
    assert (np.argmin(apart) + 1 in (2, 4, 5, 7)) == expected_mirror


def test_a_stream_without_timestamps_is_counted_and_said(tmp_path):
    path = encode(tmp_path / "a.h264", FRAMES)
    video = open_video(path)
    assert [note.partition(": ")[2] for note in video.notes] == [
        "has no timestamps; frames are counted at 25 per second"
    ]
    assert [round(f.time_s, 3) for f in Reader(video)] == [round(k / 25, 3) for k in range(30)]


def test_a_file_that_was_cut_off_gives_what_it_has_and_says_so(tmp_path):
    whole = encode(tmp_path / "whole.mkv", FRAMES * 3)
    data = whole.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    reader = Reader(open_video(path))
    count = len(list(reader))
    assert 20 < count < 70
    assert [note.partition(": ")[2] for note in reader.notes()] == [
        f"ends at {count / 25:.2f} s, though it says that it lasts 3.60 s; is it cut off?"
    ]


def test_damage_in_the_middle_is_counted_and_the_rest_is_read(tmp_path):
    path = encode(tmp_path / "a.ts", FRAMES * 3, options={"crf": "12", "g": "10"})
    data = bytearray(path.read_bytes())
    for place in np.random.default_rng(0).integers(len(data) // 3, len(data) // 2, 60):
        data[place] ^= 255
    path.write_bytes(data)
    reader = Reader(open_video(path))
    frames = list(reader)
    (note,) = reader.notes()
    assert "damaged, the first at" in note
    assert note.endswith("what could be decoded was compared")
    assert frames[-1].time_s > 3.4


def test_frames_are_found_again_by_seeking(tmp_path):
    path = encode(tmp_path / "a.mp4", FRAMES, options={"crf": "12", "g": "8", "bf": "3"})
    video = open_video(path)
    before = {frame.number: frame for frame in Reader(video)}
    wanted = {number: before[number].pts for number in (0, 7, 13, 29)}
    found = {frame.number: frame for frame in frames_at(video, wanted)}
    assert list(found) == [0, 7, 13, 29]
    (tags,), _ = settle([video.tags], video.size, [video.name])
    made = conversion(tags)
    for number, frame in found.items():
        assert np.array_equal(made.rgb(frame.image)[0], made.rgb(before[number].image)[0])


def refusal(path: Path) -> str:
    with pytest.raises(VideoError) as caught:
        open_video(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_still_pictures_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(FRAMES[0]).save(path)
    assert refusal(path) == (
        "is a still picture, expected a video; `distortion-graph compare` takes pictures"
    )


def test_timestamps_that_leap_or_go_back_are_counted_on(tmp_path):
    times = [40 * k for k in range(30)]
    times[20:] = [90_000_000 + 40 * k for k in range(10)]
    reader = Reader(open_video(encode(tmp_path / "a.mkv", FRAMES, milliseconds=times)))
    assert [round(f.time_s, 3) for f in reader] == [round(0.04 * k, 3) for k in range(30)]
    assert any("leap over an hour: 10; such a frame was taken 0.040 s" in n for n in reader.notes())


def test_what_is_left_out_is_said(tmp_path):
    clear = av.VideoFrame.from_ndarray(np.full((48, 64, 4), 100, np.uint8), "rgba")
    path = encode(tmp_path / "a.mkv", [clear], "ffv1", "bgra")
    assert [n.partition(": ")[2] for n in open_video(path).notes] == [
        "its transparency is left out"
    ]
    opaque = av.VideoFrame.from_ndarray(np.full((48, 64, 4), 255, np.uint8), "rgba")
    assert open_video(encode(tmp_path / "b.mkv", [opaque], "ffv1", "bgra")).notes == ()
    fields = {"flags": "+ildct+ilme", "qmin": "1", "qmax": "2"}
    path = encode(tmp_path / "c.mkv", FRAMES[:5], "mpeg2video", options=fields)
    (note,) = open_video(path).notes
    assert "c.mkv: is interlaced; both fields of a frame are compared together" in note


def test_a_gif_that_moves_is_a_video(tmp_path):
    path = tmp_path / "a.gif"
    first, *others = [Image.fromarray(frame) for frame in FRAMES[::6]]
    first.save(path, save_all=True, append_images=others, duration=100)
    assert [round(f.time_s, 2) for f in Reader(open_video(path))] == [0, 0.1, 0.2, 0.3, 0.4]


def test_what_is_no_video_is_refused_in_one_line(tmp_path):
    assert refusal(tmp_path / "none.mp4") == "no such file, expected a video; check the path"
    assert refusal(tmp_path) == "is a folder, expected a video file"
    text = tmp_path / "a.txt"
    text.write_text("no video")
    assert refusal(text).startswith("cannot be read as a video (Invalid data")
    sound = tmp_path / "a.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    assert refusal(sound) == "holds no video, expected one"


def test_a_playlist_may_not_reach_the_network(tmp_path):
    path = tmp_path / "a.m3u8"
    path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    assert refusal(path).startswith(("cannot be read", "no frame", "holds no video"))
