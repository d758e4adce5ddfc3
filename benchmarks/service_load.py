"""How `distortion-graph serve` bears many clients: times, refusals, and memory over a minute.

    python benchmarks/service_load.py                     # 50 clients for 60 s
    python benchmarks/service_load.py --clients 10 --seconds 20 --workers 2

A server of its own is started with this machine's defaults. First one client asks alone: the idle
time. Then as many as the server's workers take ask at once, each as soon as it has its answer: the
pool's rate. Then all clients ask; who is refused (503) waits as long as Retry-After says. What is
told of them: answers and refusals, the time of an answered request from its first byte to its last,
against that of one client alone before and after, and the memory of the server and
its workers in each quarter of the time.

A busy machine makes all times longer; the ratios say more than the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import psutil
from PIL import Image

QUARTERS = 4


@dataclass
class Load:
    """What came of asking."""

    seconds: list[float] = field(default_factory=list)
    codes: Counter[int | str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    lasted_s: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.codes[200] / self.lasted_s

    def at(self, percent: float) -> float:
        """The time that so many per cent of the answers took at most."""
        return float(np.percentile(self.seconds, percent)) if self.seconds else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--side", type=int, default=512, help="pixels of a picture's side")
    parser.add_argument("--regions", default="grid:3x3")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--waiting", type=int, default=None, help="by default one per worker")
    asked = parser.parse_args()
    waiting = asked.workers if asked.waiting is None else asked.waiting
    options = ["--workers", str(asked.workers), "--threads", str(asked.threads)]
    with tempfile.TemporaryDirectory() as folder:
        process, url = started(Path(folder), [*options, "--waiting", str(waiting)])
        try:
            asyncio.run(measure(asked, waiting, process, url))
        finally:
            process.terminate()
            begun = time.monotonic()
            code = process.wait(120)
    print(f"SIGTERM: ended with {code} after {time.monotonic() - begun:.1f} s")


def started(folder: Path, options: list[str]) -> tuple[subprocess.Popen[bytes], str]:
    """A server, and where it is."""
    said = folder / "said"
    command = [sys.executable, "-m", "distortion_graph", "serve", "--port", "0", *options]
    with said.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, env=os.environ)
    while True:
        found = re.search(r"serving (http://\S+) until", said.read_text())
        if found:
            break
        if process.poll() is not None:
            raise SystemExit(said.read_text())
        time.sleep(0.1)
    while httpx2.get(f"{found[1]}/readyz").status_code != 200:
        time.sleep(0.2)
    return process, found[1]


async def measure(
    asked: argparse.Namespace, waiting: int, process: subprocess.Popen[bytes], url: str
) -> None:
    body = picture_pair(asked.side)
    idle = await load(url, body, asked.regions, 1, max(5.0, asked.seconds / 6))
    full = await load(url, body, asked.regions, asked.workers, max(5.0, asked.seconds / 6))
    many = await load(url, body, asked.regions, asked.clients, asked.seconds, process)
    after = await load(url, body, asked.regions, 1, max(5.0, asked.seconds / 6))
    size = f"{asked.side}×{asked.side} pixels"
    print(f"{size}, {asked.regions}, {asked.workers} at work, {waiting} wait")
    shown = {
        "one client": idle,
        "pool's rate": full,
        f"{asked.clients} clients": many,
        "one, after": after,
    }
    for name, one in shown.items():
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(one.codes.items(), key=str))
        times = f"p50 {one.at(50):6.3f} s  p95 {one.at(95):6.3f} s"
        print(f"{name:12} {one.rate:6.2f} answers/s  {times}  {codes}")
    alone = (idle.at(50) + after.at(50)) / 2
    print(f"p95 of {asked.clients} clients / p50 of one: {many.at(95) / alone:.2f}")
    best = (waiting + asked.workers) / asked.workers
    print(f"(a full queue of {waiting} behind {asked.workers} makes that {best:.2f} at best)")
    for quarter in range(QUARTERS):
        low, high = (asked.seconds * (quarter + k) / QUARTERS for k in (0, 1))
        part = [megabytes for at, megabytes in many.memory if low <= at < high]
        if part:
            print(
                f"memory, quarter {quarter + 1}: mean {np.mean(part):.0f} MB, most {max(part):.0f}"
            )


async def load(
    url: str,
    pair: dict[str, tuple[str, bytes]],
    regions: str,
    clients: int,
    seconds: float,
    process: subprocess.Popen[bytes] | None = None,
) -> Load:
    """So many clients for so long, each asking again as soon as it is answered."""
    found = Load()
    begun = time.monotonic()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)

    async def one(client: httpx2.AsyncClient) -> None:
        while time.monotonic() - begun < seconds:
            sent = time.monotonic()
            try:
                answer = await client.post(
                    f"{url}/v1/compare", files=pair, data={"regions": regions}
                )
            except httpx2.HTTPError as error:
                found.codes[type(error).__name__] += 1
                continue
            found.codes[answer.status_code] += 1
            if answer.status_code == 200:
                found.seconds.append(time.monotonic() - sent)
            elif answer.status_code == 503:
                await asyncio.sleep(float(answer.headers["retry-after"]))

    async def watch(pid: int) -> None:
        server = psutil.Process(pid)
        while time.monotonic() - begun < seconds:
            every = [server, *server.children(recursive=True)]
            total = sum(each.memory_info().rss for each in every) / 1e6
            found.memory.append((time.monotonic() - begun, total))
            await asyncio.sleep(0.5)

    async with httpx2.AsyncClient(limits=limits, timeout=300) as client:
        watching = [watch(process.pid)] if process is not None else []
        await asyncio.gather(*(one(client) for _ in range(clients)), *watching)
    found.lasted_s = time.monotonic() - begun
    return found


def picture_pair(side: int) -> dict[str, tuple[str, bytes]]:
    """A picture of blocks, and the same with noise, as JPEG files."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (side // 8 + 1, side // 8 + 1, 3))
    clean = np.kron(blocks, np.ones((8, 8, 1)))[:side, :side]
    noisy = np.clip(clean + rng.normal(0, 12, clean.shape), 0, 255)
    pair = {}
    for name, pixels in (("anchor", clean), ("target", noisy)):
        file = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=90)
        pair[name] = (f"{name}.jpg", file.getvalue())
    return pair


if __name__ == "__main__":
    main()
