"""Files with odd names, files that come and go, little memory, and signals: nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_samples import error_lines, half_written, photo
from PIL import Image

from distortion_graph.batch.folders import match_folders
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.run import BatchOptions, run_batch
from distortion_graph.batch.worker import Comparing
from distortion_graph.cli.main import run
from distortion_graph.graph import load_graph

pytest.importorskip("pyarrow", reason="needs the batch extra")
pytestmark = pytest.mark.slow

OPTIONS = BatchOptions(Comparing(regions="whole", align="none"), workers=0, part_pairs=2)
POSIX = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")
ODD = [
    "two  spaces .png",
    "-starts-with-a-dash.png",
    "quote\"s'.png",
    "[bold]rich[red].png",
    "a,image=b.png",
    "comma,json.png",
    "percent%2F.png",
    "é and é.png",
    "日本語🌫.png",
    "new\nline.png",
    "\x1b[31mred.png",
    "x" * 251 + ".png",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path


def save(path: Path, seed: int = 0) -> None:
    Image.fromarray(photo(seed)).save(path, "PNG")


@POSIX
@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_read_written_and_told_in_one_line(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save(here / "a" / name)
    save(here / "b" / name, 1)
    target = here / "graph.json"
    arguments = [f"a/{name}", f"b/{name}", "--regions", "whole", "--out", str(target), "--quiet"]
    assert run(["compare", *arguments]) == 0
    assert load_graph(target).anchor.source == f"a/{name}"
    capsys.readouterr()
    assert run(["compare", f"a/{name}", f"b/no-{name[:200]}", "--regions", "whole"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "\x1b" not in told and "no such file" in told


@POSIX
def test_a_name_that_the_system_does_not_take_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(here / "a" / "1.png")
    out = here / ("x" * 300 + ".json")
    assert run(["compare", "a/1.png", "a/1.png", "--out", str(out)]) == 2
    (line,) = error_lines(capsys.readouterr().err)
    assert "name too long" in line
    assert half_written(here) == []


@POSIX
def test_a_batch_of_odd_names_has_a_row_for_each(here: Path) -> None:
    for k, name in enumerate(ODD):
        save(here / "a" / name, k)
        save(here / "b" / name, k + 1)
    pairs, _ = match_folders("a", ["b"])
    report = run_batch(pairs, here / "out", OPTIONS)
    assert (len(pairs), report.failed) == (len(ODD), 0)
    assert half_written(here / "out") == []


def test_thousands_of_tiny_files_are_matched_each_once(here: Path) -> None:
    """docs/faults.md has the time of 100,000."""
    for side in ("a", "b"):
        for k in range(3000):
            (here / side / f"{k}.png").touch()
    pairs, left = match_folders("a", ["b"])
    assert len({pair.id for pair in pairs}) == len(pairs) == 3000 and not left


def vanishing(here: Path, harm: Callable[[Path], object]) -> Iterator[PairTask]:
    for k in range(4):
        save(here / "a" / f"{k}.png", k)
        save(here / "b" / f"{k}.png", k + 1)
        task = PairTask(str(k), str(here / "a" / f"{k}.png"), str(here / "b" / f"{k}.png"))
        if k == 2:
            harm(here / "b" / "2.png")
        yield task


@pytest.mark.parametrize(
    "harm",
    [
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes()[:300]),
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["gone", "cut", "emptied", "a folder now"],
)
def test_a_file_that_changes_after_it_was_listed_fails_its_own_pair_alone(
    here: Path, harm: Callable[[Path], object]
) -> None:
    told: list[PairTask] = list(vanishing(here, harm))
    report = run_batch(told, here / "out", OPTIONS)
    assert report.failed == 1
    import pyarrow.parquet as pq

    rows = [
        row for part in (here / "out/pairs").iterdir() for row in pq.read_table(part).to_pylist()
    ]
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["id"] == "2" and "2.png" in failed["reason"] and "\n" not in failed["reason"]


def program(*arguments: object, memory: int | None = None) -> list[str]:
    """The command line in a process, with so much address space in bytes."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory})); "
    code = (limit if memory else "") + "from distortion_graph.cli.main import main; main()"
    return [sys.executable, "-c", code, *map(str, arguments)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to RLIMIT_AS")
def test_with_too_little_memory_a_pair_fails_in_one_line_and_a_batch_goes_on(here: Path) -> None:
    """8,000 × 6,000 pixels do not fit beside the program into 950 MiB; 48 × 64 do."""
    save(here / "a" / "small.png")
    save(here / "b" / "small.png", 1)
    blocks = Image.fromarray(photo()).resize((8000, 6000))
    for side, quality in (("a", 90), ("b", 30)):
        blocks.save(here / side / "large.jpg", quality=quality)
    memory = 950 * 2**20
    options = ("--regions", "whole", "--threads", 1)
    one = subprocess.run(
        program("compare", "a/large.jpg", "b/large.jpg", *options, memory=memory),
        capture_output=True,
        text=True,
    )
    assert one.returncode == 2 and one.stderr.count("\n") == 1, one.stderr
    assert "not enough memory" in one.stderr
    arguments = ("a", "b", "--out", "out", "--workers", 1, "--quiet", "--regions", "whole")
    many = subprocess.run(
        program("batch", *arguments, memory=memory), capture_output=True, text=True
    )
    assert many.returncode == 0, many.stderr  # some pairs failed, not all
    import pyarrow.parquet as pq

    rows = pq.read_table(here / "out/pairs/part-00000.parquet").to_pylist()
    assert {row["id"].partition(".")[0]: row["status"] == "failed" for row in rows} == {
        "large": True,
        "small": False,
    }
    assert half_written(here / "out") == []


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_batch_that_is_ended_takes_its_workers_along_and_goes_on(
    here: Path, number: signal.Signals
) -> None:
    for k in range(40):
        save(here / "a" / f"{k}.png", k)
        save(here / "b" / f"{k}.png", k + 1)
    options = ("--regions", "grid:4x4", "--part-pairs", 2, "--workers", 1, "--quiet")
    command = program("batch", "a", "b", "--out", "out", *options)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 600
    while not any((here / "out/pairs").glob("part-*")) and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    workers = children(process.pid)
    process.send_signal(number)
    assert process.wait() == -number and workers
    while not all(map(gone, workers)):
        assert time.monotonic() < until, "a worker outlives the run"
        time.sleep(0.05)
    assert subprocess.run(command).returncode == 0
    assert half_written(here / "out") == []
    whole = program("batch", "a", "b", "--out", "whole", *options)
    assert subprocess.run(whole).returncode == 0
    parts = sorted(path.name for path in (here / "whole/pairs").iterdir())
    assert len(parts) == 20
    for name in parts:
        ours, theirs = (here / folder / "pairs" / name for folder in ("out", "whole"))
        assert ours.read_bytes() == theirs.read_bytes()
