"""What a client may not do, and that the server goes on whatever it does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest
from fastapi.testclient import TestClient
from httpx2 import Client
from served import QUICK, asked, encoded, listening, png, problem, until

from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.settings import Limits, Settings

pytestmark = pytest.mark.slow

LIMITS = Limits(
    bytes_per_request=2**20,
    bytes_per_job=2**21,
    pixels=1_000_000,
    regions=100,
    seconds=60,
    upload_seconds=2,
    waiting=1,
    requests=8,
)


@pytest.fixture(scope="module")
def application() -> Application:
    return Application(Settings(limits=LIMITS))


@pytest.fixture(scope="module")
def port(application: Application) -> Iterator[int]:
    with listening(application) as (_, port):
        yield port


@pytest.fixture
def client(application: Application, port: int) -> Iterator[Client]:
    """A client of a server that answers before and after the test."""
    with Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        assert asked(client, regions="whole").status_code == 200
        yield client
        until(lambda: application.service.holds_nothing)
        assert asked(client, regions="whole").status_code == 200


def picture_of(width: int, height: int, packed: bytes) -> bytes:
    """A PNG that says it has so many grey pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data
            + struct.pack(">I", zlib.crc32(name + data))
        )  # fmt: skip

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_bomb_is_refused_by_its_head(client: Client, application: Application) -> None:
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(b"\0" * 20_001) for _ in range(20_000)) + rows.flush()
    bomb = picture_of(20_000, 20_000, packed)
    assert len(bomb) < 2**20
    response = asked(client, {**QUICK, "target": ("bomb.png", bomb)})
    line = problem(response, 422, "picture")
    assert line.startswith("target: ") and "1000000" in line.replace(",", "")
    [worker] = workers(application)
    assert worker.memory_info().rss < 1_000_000_000  # its pixels alone are 1.2 GB


def test_a_text_a_truncated_and_a_damaged_picture_are_refused(client: Client) -> None:
    whole = png(3)
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 255
    cases = {
        "text": (b"Dear all,\n", "not a picture of a known kind"),
        "truncated": (whole[:-30], "damaged or incomplete PNG"),
        "damaged": (bytes(turned), "damaged or incomplete PNG"),
        "empty": (b"", "target: "),
    }
    for name, (data, start) in cases.items():
        line = problem(asked(client, {**QUICK, "target": (name, data)}), 422, "picture")
        assert line.startswith("target: ") and start in line


def test_wrong_masks_are_refused(client: Client) -> None:
    wrong = np.full((25, 32), 1, np.uint8)
    files = {**QUICK, "regions": ("masks.png", encoded(wrong))}
    assert "32×25 pixels (width × height), expected the picture's 32×24" in problem(
        asked(client, files), 422, "regions"
    )
    far = b'[{"segmentation": [[1, 1, 9e9, 1, 9e9, 9e9]]}]'
    problem(asked(client, {**QUICK, "regions": ("far.json", far)}), 422, "regions")


def test_ten_thousand_polygons_are_refused(client: Client) -> None:
    shape = {"segmentation": [[1, 1, 20, 1, 20, 20]]}
    many = json.dumps([shape] * 10_000).encode()
    line = problem(asked(client, {**QUICK, "regions": ("many.json", many)}), 422, "regions")
    assert line == "regions: found 10000, expected at most 100"


def test_a_large_request_is_refused_before_it_is_read(client: Client, port: int) -> None:
    big = ("big.png", b"\0" * 2**21)
    line = problem(asked(client, {**QUICK, "target": big}), 413, "bytes")
    assert line.endswith("expected at most 1048576")
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(head(port, "Content-Length: 99999999999999", "Expect: 100-continue"))
        answer = everything(raw)
    assert answer.startswith(b"HTTP/1.1 413 ")  # and not 100 Continue


def test_a_large_request_that_does_not_say_so_is_refused(client: Client) -> None:
    def parts() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="anchor"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"\0" * 2**15

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/compare", content=parts(), headers=kind)
    assert problem(response, 413, "bytes").startswith("the request has more than 1048576 bytes")


def test_too_many_fields_and_long_texts_are_refused(client: Client) -> None:
    many = {f"field{k}": "x" for k in range(80)}
    problem(asked(client, **many), 400, "malformed")
    problem(asked(client, regions="x" * 300), 422, "request")


def test_a_slow_sender_is_told_so_and_loses_its_connection(client: Client, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(head(port, "Content-Length: 1000") + b"--b\r\n")
        begun = time.monotonic()
        answer = everything(raw)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"and not all of the request" in answer
    assert time.monotonic() - begun >= LIMITS.upload_seconds - 0.1  # the server counts from earlier


@pytest.mark.parametrize("sent", [b"", b"POST /v1/compare HTTP/1.1\r\nHost: x\r\nX-A"])
def test_who_sends_no_whole_head_loses_its_connection(
    client: Client, port: int, sent: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(sent)
        raw.settimeout(60)
        with contextlib.suppress(ConnectionResetError):
            assert raw.recv(1) == b""


def test_a_client_that_leaves_gives_its_place_back(
    client: Client, port: int, application: Application
) -> None:
    pool = application.service.pool
    large = encoded(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8))
    body = multipart(anchor=large, target=large)
    leaving = []
    for _ in range(2):  # one at work, one waiting
        raw = socket.create_connection(("127.0.0.1", port))
        raw.sendall(head(port, f"Content-Length: {len(body)}") + body)
        leaving.append(raw)
    until(lambda: pool.running + pool.waiting)
    for raw in leaving:
        raw.close()
    until(lambda: pool.waiting == 0 and pool.running == 0 and pool.ready)


def test_what_is_sent_half_and_given_up_leaves_nothing(
    client: Client, port: int, application: Application
) -> None:
    before = open_files()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            part = multipart(anchor=b"\0" * 200_000)[:150_000]
            raw.sendall(head(port, "Content-Length: 900000") + part)
            until(lambda: application.service.metrics.under_way > 0)
    until(lambda: application.service.metrics.under_way == 0)
    until(lambda: open_files() <= before)


def test_beyond_the_queue_is_503_with_when_to_come_again(
    client: Client, port: int, application: Application
) -> None:
    picture = png(1, (400, 400))
    files = {"anchor": ("a.png", picture), "target": ("b.png", png(2, (400, 400)))}

    def ask(_: int) -> Any:
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as own:
            return asked(own, files, regions="grid:3x3")

    with ThreadPoolExecutor(7) as threads:
        responses = list(threads.map(ask, range(7)))
    codes = [response.status_code for response in responses]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 2  # one at work and one that waits
    for response in responses:
        if response.status_code == 503:
            assert problem(response, 503, "busy").startswith("1 at work and ")
            assert 1 <= int(response.headers["retry-after"]) < 100


def test_beyond_the_requests_under_way_is_503(client: Client, port: int) -> None:
    held = []
    try:
        for _ in range(LIMITS.requests):
            raw = socket.create_connection(("127.0.0.1", port))
            raw.sendall(head(port, "Content-Length: 1000"))
            held.append(raw)
        until(lambda: client.get("/healthz").status_code == 503)
        assert "requests are under way" in problem(client.get("/healthz"), 503, "busy")
    finally:
        for raw in held:
            raw.close()


def test_a_lost_worker_is_said_and_replaced(client: Client, application: Application) -> None:
    [worker] = workers(application)
    os.kill(worker.pid, signal.SIGKILL)  # it has nothing to do: nobody notices
    until(lambda: not any(process.alive for process in application.service.pool.processes))
    assert asked(client, regions="whole").status_code == 200
    [worker] = workers(application)
    large = png(1, (700, 700))
    files = {"anchor": ("a.png", large), "target": ("b.png", large[:])}
    stopped = threading.Event()

    def kill() -> None:
        until(lambda: application.service.pool.running)
        os.kill(worker.pid, signal.SIGKILL)
        stopped.set()

    threading.Thread(target=kill).start()
    assert "a worker process was lost" in problem(asked(client, files), 500, "lost")
    assert stopped.is_set()


def test_what_takes_too_long_is_ended_with_its_process() -> None:
    limits = replace(LIMITS, seconds=0.05)
    with TestClient(Application(Settings(limits=limits)), base_url="http://localhost") as client:
        until(lambda: client.get("/readyz").status_code == 200)
        line = problem(
            asked(client, {**QUICK, "anchor": ("a.png", png(1, (800, 800)))}), 422, "time"
        )
        assert line.startswith("not done after 0.05 s and ended")
        until(lambda: client.get("/readyz").status_code == 200)


def test_a_ranking_of_pictures_that_are_too_large_together_is_refused(client: Client) -> None:
    flat = encoded(np.zeros((990, 990, 3), np.uint8))
    files = [("candidates", (f"{k}.png", flat)) for k in range(5)]
    line = problem(client.post("/v1/rank", files=files), 422, "input")
    assert line.startswith("the pictures have 4900500 pixels together, expected at most 4000000")


def workers(application: Application) -> list[psutil.Process]:
    """The processes of its pool: those children that multiprocessing has spawned."""
    pids = {process.pid for process in application.service.pool.processes}
    return [child for child in psutil.Process().children() if child.pid in pids]


def open_files() -> int:
    return int(psutil.Process().num_fds())


def head(port: int, *more: str) -> bytes:
    lines = [
        "POST /v1/compare HTTP/1.1", f"Host: 127.0.0.1:{port}",
        "Content-Type: multipart/form-data; boundary=b", *more,
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def multipart(**files: bytes) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    ]
    return b"".join(parts) + b"--b--\r\n"


def everything(raw: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    raw.settimeout(60)
    data = b""
    while piece := raw.recv(65536):
        data += piece
    return data
