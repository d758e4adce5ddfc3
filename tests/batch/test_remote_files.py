"""Pictures, lists and folders behind URLs: in memory, and on a local stand-in for S3."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from distortion_graph.batch.results import read_table
from distortion_graph.cli.main import run

pytest.importorskip("pyarrow")
fsspec = pytest.importorskip("fsspec")


def encoded(seed: int, **how) -> bytes:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    data = io.BytesIO()
    small.resize((64, 48), Image.Resampling.BICUBIC).save(data, **how)
    return data.getvalue()


@pytest.fixture(scope="module")
def s3():
    """A server that speaks S3, on a port of this machine."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ):
            patch.setenv(name, value)
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("bucket")
        yield "s3://bucket/batch"
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def place(request) -> Iterator[str]:
    """A folder with originals, two methods, and a list of pairs."""
    folder = "memory://batch" if request.param == "memory" else request.getfixturevalue("s3")
    files = {f"originals/{k}.png": encoded(k, format="PNG") for k in range(2)}
    for method, quality in (("old", 20), ("new", 60)):
        files |= {f"{method}/{k}.jpg": encoded(k, format="JPEG", quality=quality) for k in range(2)}
    rows = [{"anchor": f"originals/{k}.png", "target": f"old/{k}.jpg"} for k in (0, 1, 7)]
    files["pairs.jsonl"] = "\n".join(map(json.dumps, rows)).encode()
    for name, data in files.items():
        with fsspec.open(f"{folder}/{name}", "wb") as stream:
            stream.write(data)
    yield folder


HOW = ["--workers", "0", "--quiet", "--regions", "whole", "--align", "none", "--match", "stem"]


def test_folders_behind_urls(place, tmp_path):
    out = tmp_path / "out"
    folders = [f"{place}/{name}" for name in ("originals", "old", "new")]
    assert run(["batch", *folders, "--out", str(out), *HOW]) == 0
    rows = read_table(out, "pairs").to_pylist()
    assert [row["id"] for row in rows] == ["old/0", "old/1", "new/0", "new/1"]
    assert {row["status"] for row in rows} == {"done"}
    assert rows[0]["anchor"] == f"{place}/originals/0.png"
    assert rows[0]["haarpsi"] < rows[2]["haarpsi"] < 1


def test_a_list_behind_a_url_and_a_picture_that_is_not_there(place, tmp_path):
    out = tmp_path / "out"
    assert run(["batch", "--manifest", f"{place}/pairs.jsonl", "--out", str(out), *HOW]) == 0
    rows = read_table(out, "pairs").to_pylist()
    assert [row["status"] for row in rows] == ["done", "done", "failed"]
    assert rows[2]["reason"].startswith(f"{place}/originals/7.png: cannot be read")


@pytest.mark.parametrize("given", [["--manifest", "PLACE/no.csv"], ["PLACE/no", "PLACE/old"]])
def test_what_is_not_there_is_one_line(place, tmp_path, capsys, given):
    given = [part.replace("PLACE", place) for part in given]
    assert run(["batch", *given, "--out", str(tmp_path / "out"), *HOW]) == 2
    said = capsys.readouterr().err.strip()
    assert f"{place}/no" in said and "\n" not in said
