"""How long a pair takes: the shipped model against the `panda` architecture, and their memory.

    python benchmarks/panda_speed.py [--repeats N] [--threads N]

Ours (ONNX) sees the 481×321 pair at its own size; `panda` has a DINOv2 of size S with random
weights and sees 224×224, resizing included in its time. Regions are given, and so is the scene, to
both. "region by region" is the same `panda` without this build's savings: keys and values of the
other picture projected for every region, attention weights made and returned, 1×1 convolutions as
convolutions.

Times are medians of one run in which all models and numbers of regions take turns, so that a slow
minute of the machine is one for all; ours, which is short, answers five times in each of its turns.
Quote the ratios, and say how many cores there were. Time on the CPU, all threads together, tells
more where other programs run beside it; with --threads 1 no thread of it waits for another. Peak
memory is that of a process which does nothing but load one model and answer, its libraries
included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as pictures

from distortion_graph.masks.container import RegionSet

SIZE = (321, 481)
GRIDS = {1: (1, 1), 10: (2, 5), 40: (5, 8)}
OURS, PANDA, PLAIN = "ours", "panda", "panda, region by region"
CALLS = {OURS: 5, PANDA: 1, PLAIN: 1}  # in a turn
MODELS = tuple(CALLS)

Predict = Callable[[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]], object]


class Cost(NamedTuple):
    """Milliseconds by the clock and on the CPU."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--memory", choices=MODELS, help=argparse.SUPPRESS)
    parser.add_argument("--regions", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    if options.memory:
        print(json.dumps(peak_megabytes(options.memory, options.regions, options.threads)))
        return
    models = {name: load(name, options.threads) for name in MODELS}
    costs = medians(models, options.repeats)
    print(f"threads: {options.threads}, medians of {options.repeats} in turn\n")
    print(f"regions  {'':24} wall ms  ratio    CPU ms  ratio   peak MB  ratio")
    for count, found in costs.items():
        memory = {name: memory_of(name, count, options.threads) for name in MODELS}
        for name, cost in found.items():
            cells = [(cost.wall, found[OURS].wall), (cost.cpu, found[OURS].cpu)]
            cells.append((memory[name], memory[OURS]))
            figures = "".join(f"{value:10.0f} {value / ours:6.1f}" for value, ours in cells)
            print(f"{count:7d}  {name:23} {figures}")
    print("\nfrom 10 to 40 regions, by the clock and on the CPU:")
    for name in MODELS:
        few, many = costs[10][name], costs[40][name]
        print(f"  {name}: × {many.wall / few.wall:.2f}, × {many.cpu / few.cpu:.2f}")


def pair() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture and a blurred copy of it."""
    clean = cv2.resize(pictures.coffee(), SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(clean, np.uint8), np.asarray(cv2.GaussianBlur(clean, (0, 0), 2), np.uint8)


def masks(count: int) -> NDArray[np.bool_]:
    return RegionSet.grid(SIZE, *GRIDS[count]).masks()


def load(name: str, threads: int) -> Predict:
    """Something that predicts a pair, by its name."""
    if name == OURS:
        from distortion_graph.predict.session import Model

        return Model.load(threads=threads).predict
    import torch
    from transformers import Dinov2Config, Dinov2Model

    from distortion_graph.model.backbones import TransformersBackbone
    from distortion_graph.model.panda import PandaConfig, PandaNet, PandaPredictor

    torch.set_num_threads(threads)
    small = Dinov2Config(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        patch_size=14,
        image_size=518,
    )
    network = PandaNet(PandaConfig(), TransformersBackbone(Dinov2Model(small), source="random"))
    if name == PLAIN:
        for decoder in (network.anchor_decoder, network.target_decoder):
            for block in decoder.transformer:
                block.forward = partial(region_by_region, block)
    return PandaPredictor(network).predict


def region_by_region(block: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """`DecoderBlock.forward` as one would first write it; the same numbers."""
    from torch.nn.functional import gelu

    x, y = block.x_norm(x), block.y_norm(y)
    y = y + block.self_attention(y, y, y)[0]
    b, r, n, width = x.shape
    side = round(n**0.5)
    keys = y[:, None].expand(b, r, n, width).reshape(b * r, n, width)
    x = x + block.cross_attention(x.flatten(0, 1), keys, keys)[0].reshape(x.shape)
    maps = block.norm2(x).flatten(0, 1).transpose(1, 2).reshape(b * r, width, side, side)
    maps = block.ffn.project_out(gelu(block.ffn.project_in(maps)))
    return x + maps.flatten(2).transpose(1, 2).reshape(x.shape), y


def medians(models: dict[str, Predict], repeats: int) -> dict[int, dict[str, Cost]]:
    """What each costs by number of regions, asked in turn after one round of warm-up."""
    both, regions = pair(), {count: masks(count) for count in GRIDS}
    taken: dict[tuple[int, str], list[Cost]] = {}
    for turn in range(repeats + 1):
        for count, name in itertools.product(GRIDS, MODELS):
            found = [timed(models[name], *both, regions[count]) for _ in range(CALLS[name])]
            if turn:
                taken.setdefault((count, name), []).extend(found)
    middle = {
        key: Cost(*map(statistics.median, zip(*costs, strict=True))) for key, costs in taken.items()
    }
    return {count: {name: middle[count, name] for name in MODELS} for count in GRIDS}


def timed(predict: Predict, *call: Any) -> Cost:
    """What one answer costs."""
    wall, cpu = time.perf_counter(), time.process_time()
    predict(*call)
    return Cost(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))


def memory_of(name: str, count: int, threads: int) -> float:
    """Peak MB of a process of its own."""
    command = [sys.executable, __file__, "--memory", name]
    command += ["--regions", str(count), "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def peak_megabytes(name: str, count: int, threads: int) -> float:
    """What this process has held at most after three answers (Linux)."""
    predict = load(name, threads)
    for _ in range(3):
        predict(*pair(), masks(count))
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise SystemExit("no VmHWM in /proc/self/status; memory is measured on Linux only")
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
