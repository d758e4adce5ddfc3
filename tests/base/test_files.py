"""Files are written whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, features

from distortion_graph.base.errors import OutputError
from distortion_graph.base.files import atomic_write_bytes, atomic_write_text, save_image, save_png


def photo(h=24, w=32):
    y, x = np.mgrid[:h, :w]
    return np.stack([x * 255 // w, y * 255 // h, (x + y) * 255 // (w + h)], -1).astype(np.uint8)


def test_bytes_arrive_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "a.bin"
    atomic_write_bytes(target, b"one")
    atomic_write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [target]


def test_text_is_utf8_with_its_own_line_ends(tmp_path):
    atomic_write_text(tmp_path / "t", "Å\r\nb\n")
    assert (tmp_path / "t").read_bytes() == "Å\r\nb\n".encode()


def test_a_failure_keeps_the_old_file_and_leaves_no_temporary(tmp_path, monkeypatch):
    target = tmp_path / "graph.json"
    target.write_bytes(b"precious")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"graph\.json: cannot be written \(No space left"):
        atomic_write_bytes(target, b"new")
    assert target.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupt_leaves_no_temporary(tmp_path, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        atomic_write_bytes(tmp_path / "x", b"new")
    assert list(tmp_path.iterdir()) == []


def test_permissions_follow_the_umask_or_the_old_file(tmp_path):
    old = os.umask(0o027)
    try:
        atomic_write_bytes(tmp_path / "new", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").chmod(0o604)
    atomic_write_bytes(tmp_path / "new", b"again")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_device_is_written_not_replaced():
    atomic_write_bytes(os.devnull, b"x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


def test_missing_folder_and_folder_as_file(tmp_path):
    with pytest.raises(OutputError, match=r"no/a: the folder .*no does not exist; make it first"):
        atomic_write_bytes(tmp_path / "no" / "a", b"")
    with pytest.raises(OutputError, match="is a folder, expected a file name to write to"):
        atomic_write_bytes(tmp_path, b"")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".TIFF"])
def test_lossless_formats_keep_every_pixel(tmp_path, suffix):
    save_image(tmp_path / f"p{suffix}", photo())
    assert (np.asarray(Image.open(tmp_path / f"p{suffix}")) == photo()).all()


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp", ".avif"])
def test_lossy_formats_are_close_and_of_their_kind(tmp_path, suffix):
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    save_image(tmp_path / f"p{suffix}", photo())
    with Image.open(tmp_path / f"p{suffix}") as im:
        assert im.format == {".jpg": "JPEG", ".jpeg": "JPEG"}.get(suffix, suffix[1:].upper())
        difference = np.asarray(im.convert("RGB")).astype(int) - photo()
    assert np.abs(difference).mean() < 3


def test_quality_matters(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    save_image(tmp_path / "lo.jpg", noise, quality=20)
    save_image(tmp_path / "hi.jpg", noise, quality=95)
    assert (tmp_path / "lo.jpg").stat().st_size < (tmp_path / "hi.jpg").stat().st_size / 2


def test_save_png_needs_no_suffix(tmp_path):
    save_png(tmp_path / "overlay", photo())
    with Image.open(tmp_path / "overlay") as im:
        assert im.format == "PNG" and (np.asarray(im) == photo()).all()


@pytest.mark.parametrize(
    ("name", "rgb", "quality", "text"),
    [
        ("a.xyz", photo(), 95, "unknown picture suffix '.xyz', expected one of png, jpg, "),
        ("a", photo(), 95, "unknown picture suffix '', expected one of png, "),
        ("a.jpg", photo(), 0, "quality is 0, expected 1…100"),
        ("a.png", photo()[..., 0], 95, "cannot write an array of shape (24, 32) and uint8"),
        ("a.png", photo() / 255, 95, "of shape (24, 32, 3) and float64, expected (H, W, 3) uint8"),
        ("a.png", photo()[:0], 95, "of shape (0, 32, 3)"),
        ("a.jpg", np.zeros((1, 70000, 3), np.uint8), 95, "cannot be written as JPEG"),
    ],
)
def test_what_cannot_be_written_says_so(tmp_path, name, rgb, quality, text):
    with pytest.raises(OutputError) as caught:
        save_image(tmp_path / name, rgb, quality=quality)
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_file_that_is_being_written_when_sigterm_comes_is_finished_first(tmp_path):
    code = f"""
import os, signal
from distortion_graph.base.files import atomic_write_bytes
reach_the_disk = os.fsync
os.fsync = lambda file: (os.kill(os.getpid(), signal.SIGTERM), reach_the_disk(file))
atomic_write_bytes({str(tmp_path / "file")!r}, b"whole")
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGTERM
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"whole"}
