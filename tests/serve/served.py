"""A service in this process, for tests: asked in memory, or at a port of this machine."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from httpx2 import Client, Response
from PIL import Image

from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.server import make_server

EXAMPLES = Path(__file__).parents[2] / "examples"
ANCHOR, TARGET = (EXAMPLES.joinpath(f"{side}.png").read_bytes() for side in ("anchor", "target"))
REGIONS = EXAMPLES.joinpath("regions.json").read_bytes()
PAIR = {"anchor": ("anchor.png", ANCHOR), "target": ("target.png", TARGET)}
SMALL = (24, 32)


def png(seed: int = 0, size: tuple[int, int] = SMALL) -> bytes:
    """A small picture of large blocks as a file."""
    rng = np.random.default_rng(seed)
    h, w = size
    blocks = np.kron(rng.integers(30, 226, (h // 8 + 1, w // 8 + 1, 3)), np.ones((8, 8, 1), int))
    return encoded(blocks[:h, :w].astype(np.uint8))


def encoded(array: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


QUICK = {"anchor": ("a.png", png(1)), "target": ("b.png", png(2))}


def problem(response: Response, status: int, kind: str) -> str:
    """The one line of a refusal."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    details = response.json()
    assert details.keys() == {"type", "title", "status", "detail"}
    assert details["type"] == f"urn:problem-type:distortion-graph:{kind}"
    assert details["status"] == status
    line = details["detail"]
    assert line.isprintable() and 0 < len(line) < 1000
    return str(line)


@contextmanager
def listening(application: Application, grace_s: float = 10.0) -> Iterator[tuple[Any, int]]:
    """A server on a port of this machine and its port; it has a worker when it is given."""
    server = make_server(application, grace_s=grace_s, say=lambda line: None)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: application.service.pool.ready)
        yield server, port
    finally:
        server.should_exit = True
        thread.join()


def until(what: Any, at_most_s: float = 120.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + at_most_s
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def asked(client: Client, files: Any = None, **data: Any) -> Response:
    """What comes of a comparison of the small pair."""
    return client.post("/v1/compare", files=files or QUICK, data=data)
