"""A disk that takes no more, and folders that may not be written: one line, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_samples import (
    COMMANDS,
    GOES_ON,
    call,
    error_lines,
    files_of_at_most,
    half_written,
    make_inputs,
    ordinary_user,
)

pytest.importorskip("yaml", reason="needs the check extra")
pytest.importorskip("pyarrow", reason="needs the batch extra")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs() -> Iterator[Path]:
    # Not pytest's own folder: that is closed to other users, and one test acts as one.
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)
    make_inputs(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def out(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(inputs)
    folder = inputs / "out"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def contents(folder: Path) -> dict[str, bytes]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_write_that_fails_is_one_line_and_the_old_files_stay(
    name: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By RLIMIT_FSIZE, which the kernel holds every write of this process against."""
    size = 40 if name == "serve-token" else 600
    assert call(name, out) in (0, 3)
    before = contents(out)
    assert before
    shutil.rmtree(out)
    out.mkdir()
    if name not in GOES_ON and not any("/" in file for file in before):
        for file, data in before.items():  # written again over what is there
            (out / file).write_bytes(b"precious" if name != "serve-token" else b"")
            assert data
    kept = contents(out)
    capsys.readouterr()
    with files_of_at_most(size):
        code = call(name, out)
    caught = capsys.readouterr()
    assert code == 2, caught.err
    (line,) = error_lines(caught.err)
    assert "File too large" in line and str(out) in line
    assert half_written(out) == []
    if name in GOES_ON:  # the same command, now that there is room
        assert call(name, out) in (0, 3)
        assert contents(out).keys() == before.keys()
    else:
        assert contents(out) == kept


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_may_not_be_written_is_one_line(
    name: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.name != "posix":
        pytest.skip("folders of Windows have no such permission")
    assert call(name, out) in (0, 3)  # what it imports is there now: nobody may not read all of it
    shutil.rmtree(out)
    out.mkdir()
    out.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
    capsys.readouterr()
    with ordinary_user():
        code = call(name, out)
    caught = capsys.readouterr()
    assert code == 2, caught.err
    (line,) = error_lines(caught.err)
    assert str(out) in line and "ermission" in line
    assert list(out.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB in memory; only root may have one."""
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux":
        pytest.skip("mounts as Linux does")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("name", ["compare", "batch", "check", "dataset build", "dataset pack"])
def test_on_a_disk_that_is_really_full_it_ends_the_same_and_then_goes_on(
    name: str,
    inputs: Path,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(inputs)
    filler = small_disk / "filler"
    out = small_disk / "out"
    for free in (0, 4096, 16384, 65536):
        shutil.rmtree(out, ignore_errors=True)
        filler.unlink(missing_ok=True)
        out.mkdir()
        room = shutil.disk_usage(small_disk).free
        filler.write_bytes(bytes(room - free))
        capsys.readouterr()
        code = call(name, out)
        caught = capsys.readouterr()
        assert half_written(out) == []
        if code in (0, 3):
            assert free > 0
            continue
        assert code == 2, caught.err
        (line,) = error_lines(caught.err)
        assert "No space left on device" in line and str(out) in line
        filler.unlink()
        assert call(name, out) in (0, 3)
