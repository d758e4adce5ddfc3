"""Two videos into a folder: what is found is what was put in, however often a run was stopped."""

from __future__ import annotations

import itertools
import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from video_files import blurred, exactly, moving

from distortion_graph.base.errors import OutputError, RegionError, VideoError, WorkError
from distortion_graph.base.vocabulary import FINE_COMPARISONS
from distortion_graph.batch.results import read_table
from distortion_graph.batch.rows import PAIR_COLUMNS, REGION_COLUMNS
from distortion_graph.graph import load_graph
from distortion_graph.pipeline import compare
from distortion_graph.video import Comparing, VideoOptions, compare_videos, preparing, reading
from distortion_graph.video.colours import conversion, settle
from distortion_graph.video.comparing import TIME_COLUMNS
from distortion_graph.video.reading import Frame, Reader, open_video

pytest.importorskip("av")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.slow

FRAMES = moving(90, speed=0.6)
HALVES = Comparing(regions="grid:1x2", align="none")
OPTIONS = VideoOptions(HALVES, every="5", workers=2, moments=3)


def damaged() -> list[Any]:
    """The right half is blurred in the second second, a little in the third."""
    frames = [frame.copy() for frame in FRAMES]
    for k in range(25, 75):
        frames[k][:, 64:] = blurred(frames[k], 4.0 if k < 50 else 1.2)[:, 64:]
    return frames


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("clips")
    exactly(folder / "a.mkv", FRAMES)
    exactly(folder / "b.mkv", damaged())
    return folder


@pytest.fixture(scope="module")
def whole(clips, tmp_path_factory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, compare_videos(clips / "a.mkv", clips / "b.mkv", out, OPTIONS)


def tables(out: Path) -> tuple[list[Any], list[Any]]:
    return read_table(out, "pairs").to_pylist(), read_table(out, "regions").to_pylist()


def pictures(path: Path) -> list[Any]:
    video = open_video(path)
    (tags,), _ = settle([video.tags], video.size, [video.name])
    made = conversion(tags, video.orientation)
    return [made.rgb(frame.image)[0] for frame in Reader(video)]


def test_the_damaged_second_is_the_worst_moment(whole):
    out, report = whole
    assert (report.moments, report.failed, report.kept) == (18, 0, 0)
    times = [time_s for _, time_s, _ in report.worst]
    assert 1.0 <= times[0] < 2.0
    assert all(1.0 <= t < 3.0 for t in times)
    badness = [value for _, _, value in report.worst]
    assert badness == sorted(badness, reverse=True)
    text = (out / "summary.md").read_text()
    first = next(line for line in text.splitlines() if line.startswith("| 0:01"))
    assert "r1c2: anchor" in first and "target blur" in first
    assert "significantly better" in first


def test_rows_are_those_of_a_batch_with_times(whole):
    out, _ = whole
    pairs, regions = tables(out)
    assert list(pairs[0]) == [*PAIR_COLUMNS, *TIME_COLUMNS]
    assert list(regions[0]) == [*REGION_COLUMNS, "time_s"]
    assert [row["time_s"] for row in pairs] == [round(k * 0.2, 6) for k in range(18)]
    assert [row["anchor_frame"] for row in pairs] == [5 * k for k in range(18)]
    assert [row["target_frame"] for row in pairs] == [5 * k for k in range(18)]
    assert [row["shot"] for row in pairs] == [0] * 6 + [1] * 6 + [2] * 6
    assert len({row["id"] for row in pairs}) == 18
    assert [row["pair"] for row in regions] == [row["id"] for row in pairs for _ in (0, 1)]
    for row in pairs:
        bad = 1.0 <= row["time_s"] < 2.0
        assert (row["regions_better"] > 0) >= bad
        assert row["equal"] == 1.0 if row["time_s"] < 1.0 else True


def test_a_moment_is_what_compare_says_of_its_frames(clips, whole):
    out, _ = whole
    anchors, targets = pictures(clips / "a.mkv"), pictures(clips / "b.mkv")
    assert np.array_equal(anchors[30], FRAMES[30])
    pairs, regions = tables(out)
    for number in (0, 30, 60):
        graph = compare(
            anchors[number], targets[number], regions="grid:1x2", evidence="fast", align="none"
        )
        (row,) = [row for row in pairs if row["anchor_frame"] == number]
        assert graph.scene is not None
        assert graph.scene.comparison is not None
        assert graph.scene.evidence is not None
        assert row["margin"] == graph.scene.comparison.margin
        assert row["psnr_db"] == graph.scene.evidence.psnr_db
        assert row["anchor_sha256"] == graph.anchor.sha256
        own = [r for r in regions if r["pair"] == row["id"]]
        assert [r["target_distortion"] for r in own] == [
            region.target.distortion.label for region in graph.regions
        ]


def test_the_worst_moments_have_reports_with_their_very_frames(whole):
    out, report = whole
    page = (out / "index.html").read_text("utf-8")
    for name, _, _ in report.worst:
        assert f"reports/{name}.html" in page
        text = (out / "reports" / f"{name}.html").read_text("utf-8")
        assert text.count("data:image/webp;base64,") == 2
        assert "second time" not in text
    value = json.loads((out / "video.json").read_text("utf-8"))
    assert value["moments"] == 18
    assert not (out / "journal.jsonl").exists()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(clips, whole, tmp_path, workers):
    options = replace(OPTIONS, workers=workers)
    report = compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "out", options)
    assert tables(tmp_path / "out") == tables(whole[0])
    assert report.worst == whole[1].worst


def test_a_second_writer_is_refused(clips, tmp_path):
    out = tmp_path / "out"
    said = []

    def again(done: int, total: int) -> None:
        with pytest.raises(WorkError, match="another process is writing"):
            compare_videos(clips / "a.mkv", clips / "b.mkv", out, OPTIONS)
        said.append(done)

    options = replace(OPTIONS, every="45", moments=0)
    compare_videos(clips / "a.mkv", clips / "b.mkv", out, options, again)
    assert said == [1, 2]


class StopError(Exception):
    """Ends a run in the middle."""


@pytest.mark.parametrize("stops", [(1,), (5,), (7, 3), (13,), (18,)])
def test_a_run_that_was_stopped_goes_on_and_gives_the_same(
    clips, whole, tmp_path, monkeypatch, stops
):
    monkeypatch.setattr(preparing, "PART_MOMENTS", 4)
    out = tmp_path / "out"
    kept = 0
    for stop in stops:
        seen = itertools.count(1)

        def tell(done: int, total: int, seen: Any = seen, stop: int = stop) -> None:
            if next(seen) == stop:
                raise StopError

        with pytest.raises(StopError):
            compare_videos(clips / "a.mkv", clips / "b.mkv", out, OPTIONS, tell)
    report = compare_videos(clips / "a.mkv", clips / "b.mkv", out, OPTIONS)
    kept = report.kept
    assert kept == 6 * (max(stops) > 6) + 6 * (max(stops) > 12)  # parts end with shots
    assert tables(out) == tables(whole[0])
    assert report.worst == whole[1].worst
    for name in ("index.html", "summary.md"):
        assert (out / name).read_text("utf-8") == (whole[0] / name).read_text("utf-8")
    again = compare_videos(clips / "a.mkv", clips / "b.mkv", out, OPTIONS)
    assert (again.kept, again.worst) == (18, report.worst)


def test_a_folder_of_another_comparison_is_refused(clips, whole, tmp_path):
    other = VideoOptions(HALVES, every="7", workers=2, moments=3)
    with pytest.raises(VideoError, match="holds a comparison with every 5, now it is 7"):
        compare_videos(clips / "a.mkv", clips / "b.mkv", whole[0], other)
    foreign = tmp_path / "batch"
    (foreign / "pairs").mkdir(parents=True)
    (foreign / "pairs" / "part-00000.parquet").write_bytes(b"of a batch")
    with pytest.raises(OutputError, match="holds tables of something else"):
        compare_videos(clips / "a.mkv", clips / "b.mkv", foreign, OPTIONS)
    file = whole[0] / "summary.md"
    with pytest.raises(OutputError, match="cannot be written"):
        compare_videos(clips / "a.mkv", clips / "b.mkv", file, OPTIONS)


@pytest.mark.parametrize("how", ["content", "given"])
def test_a_target_that_begins_later_is_compared_with_the_same_frames(clips, whole, tmp_path, how):
    cut = exactly(tmp_path / "cut.mkv", damaged()[8:])
    options = {"sync": "content"} if how == "content" else {"offset_s": -0.32}
    out = tmp_path / "out"
    report = compare_videos(
        clips / "a.mkv",
        cut,
        out,
        VideoOptions(HALVES, every="5", **options),
    )
    assert report.offset.seconds == pytest.approx(-0.32, abs=1e-6)
    assert (report.offset.confidence is not None) == (how == "content")
    assert [note.partition(": ")[2] for note in report.notes] == [
        "begins later; 2 moments before were left out"
    ]
    pairs, _ = tables(out)
    before = {row["time_s"]: row for row in tables(whole[0])[0]}
    assert len(pairs) == 16
    for row in pairs:
        assert row["target_frame"] == row["anchor_frame"] - 8
        assert row["target_sha256"] == before[row["time_s"]]["target_sha256"]
        assert row["margin"] == before[row["time_s"]]["margin"]


def test_regions_that_are_found_are_held_for_a_shot_or_as_long_as_was_asked(clips, tmp_path):
    found = {}
    for hold in ("shot", "2", "500ms", "1"):
        out = tmp_path / hold
        options = VideoOptions(
            Comparing(evidence="none"), every="5", hold=hold, graph_column=True, moments=0
        )
        compare_videos(clips / "a.mkv", clips / "b.mkv", out, options)
        found[hold] = tables(out)[0]
    keys = {hold: [row["key_s"] for row in rows] for hold, rows in found.items()}
    assert keys["1"] == [None] * 18
    assert keys["shot"] == [None, *[0.0] * 5, None, *[1.2] * 5, None, *[2.4] * 5]
    assert keys["2"][:6] == [None, 0.0, None, 0.4, None, 0.8]
    assert keys["500ms"][:6] == [None, 0.0, 0.0, None, 0.6, 0.6]

    def masks(row: Any) -> list[Any]:
        return [r.anchor.mask for r in load_graph(row["graph"]).regions]

    for hold in ("shot", "2"):
        by_key: dict[float, list[Any]] = {}
        for row in found[hold]:
            key = row["time_s"] if row["key_s"] is None else row["key_s"]
            assert by_key.setdefault(key, masks(row)) == masks(row)
    # A key's own regions are those that are found in it.
    assert masks(found["shot"][6]) == masks(found["1"][6])


def test_a_smaller_copy_and_a_crop_are_laid_on_the_anchor_once_per_shot(tmp_path):
    frames = moving(30, size=(192, 256), speed=0.6)
    anchor = exactly(tmp_path / "a.mkv", frames)
    small = exactly(tmp_path / "s.mkv", [f[::2, ::2] for f in frames])
    crop = exactly(tmp_path / "c.mkv", [f[8:-8, 16:-8] for f in frames])
    for path, place in ((small, None), (crop, (16.0, 8.0))):
        for each in ("shot", "frame"):
            out = tmp_path / f"{path.stem}-{each}"
            how = Comparing("grid:1x2", "none", align_each=each)
            options = VideoOptions(how, every="5", graph_column=True, moments=0)
            assert compare_videos(anchor, path, out, options).failed == 0
            graphs = [load_graph(row["graph"]) for row in tables(out)[0]]
            matrices = [np.array(g.alignment.matrix) for g in graphs if g.alignment is not None]
            assert len(matrices) == 6
            for matrix in matrices:
                scale = 2.0 if place is None else 1.0
                assert matrix[0, 0] == pytest.approx(scale, abs=0.02)
                if place is not None:
                    assert matrix[:2, 2] == pytest.approx(place, abs=0.5)
            if each == "shot":  # shots are ten frames long
                for first, second in ((0, 1), (2, 3), (4, 5)):
                    assert np.array_equal(matrices[first], matrices[second])


def test_frames_that_show_nothing_do_not_hinder_a_smaller_copy(tmp_path):
    frames = [np.zeros_like(f) if k < 12 else f for k, f in enumerate(moving(40))]
    anchor = exactly(tmp_path / "a.mkv", frames)
    small = exactly(tmp_path / "s.mkv", [f[::2, ::2] for f in frames])
    options = VideoOptions(Comparing("whole", "none"), every="4", moments=0)
    report = compare_videos(anchor, small, tmp_path / "out", options)
    assert (report.moments, report.failed) == (10, 0)


def test_with_the_original_scores_are_measured(clips, tmp_path):
    worse = exactly(tmp_path / "c.mkv", [blurred(frame, 2.0) for frame in FRAMES])
    options = VideoOptions(HALVES, every="15", reference=str(clips / "a.mkv"), moments=1)
    out = tmp_path / "third"
    report = compare_videos(worse, clips / "b.mkv", out, options)
    pairs, regions = tables(out)
    assert {row["scores"] for row in pairs} == {"measured"}
    assert [row["reference_time_s"] for row in pairs] == [row["time_s"] for row in pairs]
    assert all(row["anchor_score"] < 0.99 for row in pairs)
    early = [row for row in pairs if row["time_s"] < 0.9]
    assert {row["target_score"] for row in early} == {1.0}
    assert len(report.worst) == 1
    fine = VideoOptions(
        Comparing("whole", align="none", reference="anchor", scale="fine"), every="15", moments=1
    )
    compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "fine", fine)
    assert {row["comparison"] for row in tables(tmp_path / "fine")[0]} <= {
        level.label for level in FINE_COMPARISONS
    }
    side = VideoOptions(Comparing("grid:1x2", align="none", reference="anchor"), every="15")
    compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "side", side)
    assert {row["anchor_score"] for row in tables(tmp_path / "side")[0]} == {1.0}
    assert {row["anchor_distortion"] for row in tables(tmp_path / "side")[1]} == {"clean"}
    assert regions


def test_videos_of_two_lengths_are_compared_as_far_as_both_go(clips, tmp_path):
    short = exactly(tmp_path / "short.mkv", damaged()[:50])
    report = compare_videos(clips / "a.mkv", short, tmp_path / "1", OPTIONS)
    assert report.moments == 10
    assert [note.partition(": ")[2] for note in report.notes] == [
        f"ends earlier; what both show was compared, up to 0:01.80; {clips / 'a.mkv'} goes on"
    ]
    report = compare_videos(short, clips / "a.mkv", tmp_path / "2", OPTIONS)
    assert report.moments == 10
    assert "goes on for 1.60 s" in report.notes[0]
    with pytest.raises(VideoError, match="shows nothing at the times of"):
        compare_videos(short, clips / "b.mkv", tmp_path / "3", VideoOptions(HALVES, offset_s=-20.0))


def test_frames_spreads_moments_evenly(clips, tmp_path):
    options = VideoOptions(HALVES, frames=6, moments=0)
    compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "out", options)
    times = [row["time_s"] for row in tables(tmp_path / "out")[0]]
    assert times == pytest.approx([0.3, 0.9, 1.5, 2.1, 2.7, 3.3])


def test_equal_videos_have_no_worst_moment(clips, tmp_path):
    report = compare_videos(clips / "a.mkv", clips / "a.mkv", tmp_path / "out", OPTIONS)
    assert report.worst == ()
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "In no moment is a region better or worse in one of the videos." in page


def test_what_fails_in_every_moment_is_one_line(clips, tmp_path):
    masks = tmp_path / "masks.png"
    Image.fromarray(np.ones((7, 9), np.uint8)).save(masks)
    how = Comparing(str(masks), align="none")
    with pytest.raises(VideoError, match=r"^no moment could be compared: .*9×7"):
        compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "1", VideoOptions(how))
    # The same folder can be used again, with what was wrong put right.
    report = compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "1", OPTIONS)
    assert (report.moments, report.kept) == (18, 0)
    with pytest.raises(VideoError, match=r"^at 0\.000 s: "):
        options = VideoOptions(how, strict=True)
        compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "2", options)
    with pytest.raises(RegionError):
        options = VideoOptions(Comparing("grid:axb"))
        compare_videos(clips / "a.mkv", clips / "b.mkv", tmp_path / "3", options)
    with pytest.raises(VideoError, match="allow more with --max-pixels"):
        compare_videos(
            clips / "a.mkv", clips / "b.mkv", tmp_path / "4", VideoOptions(max_pixels=100)
        )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"every": "x"}, "--every x: expected a time"),
        ({"hold": "0"}, "--hold 0: expected a time"),
        ({"sync": "content", "offset_s": 1.0}, "says what --sync content would find"),
        ({"sync": "sound"}, "expected one of"),
        ({"frames": 0}, "--frames 0"),
        ({"workers": 0}, "workers is 0"),
        ({"reference": "c.mkv", "comparing": Comparing(reference="anchor")}, "a third video or"),
    ],
)
def test_options_that_contradict_are_refused(wrong, said):
    with pytest.raises(VideoError, match=said):
        VideoOptions(**wrong)


def test_the_number_of_frames_in_memory_does_not_grow_with_the_length(tmp_path, monkeypatch):
    frames: weakref.WeakSet[Frame] = weakref.WeakSet()

    def counted(*facts: Any) -> Frame:
        frame = Frame(*facts)
        frames.add(frame)
        return frame

    monkeypatch.setattr(reading, "Frame", counted)
    most = {}
    for count in (40, 160):
        path = exactly(tmp_path / f"{count}.mkv", moving(count, (48, 64)))
        alive: list[int] = []

        def tell(done: int, total: int, alive: list[int] = alive) -> None:
            alive.append(len(frames))

        options = VideoOptions(Comparing("whole", "none", align="none"), every="1", moments=0)
        compare_videos(path, path, tmp_path / f"out{count}", options, tell)
        assert len(alive) == count
        most[count] = max(alive)
    assert most[160] <= most[40] + 2 <= 20
