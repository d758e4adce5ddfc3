"""Train a network's head alone, on features of regions that are made once.

    python benchmarks/train_heads.py features runs/features --network NETWORK \\
        --pictures free/images --pictures drawn --minutes 20
    python benchmarks/train_heads.py fit runs/features --network NETWORK --out runs/head

The encoder is most of a training step's work and needs it least once it has been trained.
`features` lets its ONNX export look at random training pairs (those of `distortion-graph train`)
and keeps the moments, histograms and labels of their regions, about 0.25 MB a pair; run it once a
core with different --first. `fit` trains the head on them for some minutes, as `train` would, and
writes a network folder to go on from with `train --start-from`. After every pass it takes the
newest files that are there (--newest), so `features` may go on writing beside it. Weights of
NETWORK that do not fit begin anew, as with `start_partly`; where those are layers of the reader,
`--teacher MODEL` pulls what it says towards what an exported model's reader says, at first as
strongly as the loss counts its own parts and in the end not at all.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.datasets.pictures import load_sources, read_names
from distortion_graph.masks.masks import as_masks
from distortion_graph.model.network import DistortionGraphNet, GraphHead, NetworkOutput, Statistics
from distortion_graph.model.pair_encoder import Moments
from distortion_graph.predict.loading import Networks, read_manifest
from distortion_graph.predict.looks import Look, RegionCells, map_moments, pixel_moments
from distortion_graph.predict.names import (
    COUNTS,
    ENCODER_FILE,
    MOMENTS,
    READER_FILE,
    READING,
    REGION_AXES,
    STATISTICS,
)
from distortion_graph.predict.tiles import Tile, joined_moments
from distortion_graph.training.architectures import architecture
from distortion_graph.training.averaging import AveragedWeights
from distortion_graph.training.batch import Batch, Targets
from distortion_graph.training.chain import Link, weights_sha256, write_chain
from distortion_graph.training.checkpoint import save_network
from distortion_graph.training.config_files import read_config
from distortion_graph.training.criterion import LossWeights, criterion
from distortion_graph.training.export import export_onnx
from distortion_graph.training.samples import SampleStream
from distortion_graph.training.starting import first_network, parameter_groups

BATCHES_A_FILE = 20
PAIRS_A_BATCH = 32
WARM_UP_STEPS = 200
_REGIONS_AT_ONCE = 256

# Axis of the regions in every array: those of one pair have none for pairs before it.
AXES = {name: 1 + axis for name, axis in REGION_AXES.items()} | {
    "valid": 1,
    "distortion": 2,
    "severity": 2,
    "score": 2,
    "comparison": 1,
    "present": 2,
    "known": 2,
}
OF_PAIRS = ("is_original",)
"""Arrays without an axis of regions."""

HEAD_INPUTS = ("area", "is_scene", "valid", *OF_PAIRS)


def features(options: argparse.Namespace) -> None:
    """Write the features of random pairs for so many minutes."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        network, _ = _first_network(options.network, options.config)
        export_onnx(network, Path(folder), name="features", version="0", card={})
        networks = Networks(Path(folder), read_manifest(Path(folder)), None)
        networks.session(ENCODER_FILE, 1)  # reads the files before the folder is gone
    held_out = read_names(options.held_out) if options.held_out else frozenset()
    found = load_sources(options.labelled, options.pictures, cache=options.out / "regions")
    config = read_config(options.config)
    sampling = config.sampling
    stream = SampleStream(
        [p for p in found if p.tag not in held_out],
        seed=options.seed,
        recipe=config.recipe,
        sampling=sampling,
        start=options.first,
    )
    rows: list[dict[str, NDArray[np.generic]]] = []
    end, number = time.monotonic() + 60 * options.minutes, 0
    while time.monotonic() < end or len(rows) % BATCHES_A_FILE:
        batch: Batch = stream[number]
        images, weights = batch.inputs.images.numpy(), batch.inputs.weights.numpy()
        moments = []
        for pair, w in zip(images, weights, strict=True):
            whole = slice(0, pair.shape[1]), slice(0, pair.shape[2])
            none = RegionCells(as_masks(np.zeros((0, *pair.shape[1:3]), np.bool_)))
            looks = [Look(picture, none, networks) for picture in pair]
            tile = Tile(whole, whole)
            moments.append(
                joined_moments(pixel_moments(looks, tile, w), map_moments(looks, tile, w, 1))
            )
        stacked = (np.stack(column) for column in zip(*moments, strict=True))
        rows.append(_kept(batch, dict(zip(MOMENTS, stacked, strict=True)), sampling.max_regions))
        number += 1
        if len(rows) == BATCHES_A_FILE:
            path = options.out / f"{options.first + number:09d}.npz"
            columns: dict[str, Any] = {k: np.concatenate([r[k] for r in rows]) for k in rows[0]}
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.savez(file, **columns)
            unfinished.replace(path)  # `fit` may look at any time
            print(f"{path}: {sum(len(row['area']) for row in rows)} pairs", flush=True)
            rows = []


def _first_network(
    place: Path, settings: Path | None
) -> tuple[DistortionGraphNet, tuple[Link, ...]]:
    config = replace(read_config(settings), start_from=place, start_partly=True)
    network, parents = first_network(config, architecture(config.model), print)
    return cast(DistortionGraphNet, network), parents


def _kept(
    batch: Batch, moments: dict[str, NDArray[np.float32]], max_regions: int
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a batch, regions padded to the most there can be; counts as whole numbers."""
    inputs, targets = batch
    found: dict[str, NDArray[np.generic]] = dict(moments)
    found |= {name: getattr(inputs, name).numpy() for name in (*STATISTICS, *HEAD_INPUTS)}
    for name in COUNTS:
        found[name] = np.minimum(found[name], np.iinfo(np.uint16).max).astype(np.uint16)
    found |= {name: tensor.numpy() for name, tensor in targets._asdict().items()}
    for name, array in found.items():
        if name in OF_PAIRS:
            continue
        missing = [(0, 0)] * array.ndim
        missing[AXES[name]] = (0, 1 + max_regions - array.shape[AXES[name]])
        found[name] = np.pad(array, missing)
    return found


def fit(options: argparse.Namespace) -> None:
    """Train the head for some epochs and write the network."""
    torch.manual_seed(options.seed)
    network, parents = _first_network(options.network, options.config)
    head = network.head.train()
    weights = LossWeights(**{name: float(value) for name, value in options.loss})
    optimizer = torch.optim.AdamW(parameter_groups(head, 0.02), lr=options.learning_rate)
    averaged = AveragedWeights(head.state_dict(), 0.998)
    began = time.monotonic()
    step = 0
    for batch in _batches(options, torch.Generator().manual_seed(options.seed)):
        done = (time.monotonic() - began) / (60 * options.minutes)
        if done >= 1:
            break
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        level = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * warm * level
        targets = Targets(*(batch[name] for name in Targets._fields))
        reading, output = _run(head, batch)
        losses = criterion(output, targets, batch["valid"], weights)
        loss = losses.total
        if READING in batch:
            loss = loss + level * _unlike(reading, batch[READING], batch["valid"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
        step += 1
        averaged.update(step)
        if step % 100 == 0:
            print(f"step {step}: loss {losses.total.item():.3f}", flush=True)
    head.load_state_dict(averaged.tensors)
    save_network(options.out, network.eval(), network.state_dict())
    link = Link(
        name=str(options.out),
        sha256=weights_sha256(options.out),
        model="lite0",
        seed=options.seed,
        steps=step,
        pairs=step * PAIRS_A_BATCH,
        minutes=round((time.monotonic() - began) / 60, 2),
    )
    write_chain(options.out, (*parents, link))


class _Features(NamedTuple):
    """Regions of all pairs one after the other, and what has no regions by pair.

    `of_regions` arrays have the regions as their first axis; the regions of pair k are
    `counts[k]` from `first[k]` on.
    """

    of_regions: dict[str, Tensor]
    of_pairs: dict[str, Tensor]
    counts: Tensor
    first: Tensor


def _load(paths: list[Path]) -> _Features:
    """Features without the padding, which is more than half of the files."""
    if not paths:
        raise SystemExit("no features there, expected files that `features` wrote")
    files = [np.load(path) for path in paths]
    valid = [f["valid"] for f in files]
    of_regions = {
        name: torch.cat(
            [
                torch.from_numpy(np.moveaxis(f[name], AXES[name], 1)[kept])
                for f, kept in zip(files, valid, strict=True)
            ]
        )
        for name in files[0].files
        if name not in OF_PAIRS
    }
    of_pairs = {n: torch.cat([torch.from_numpy(f[n]) for f in files]) for n in OF_PAIRS}
    counts = torch.from_numpy(np.concatenate(valid).sum(1))
    return _Features(of_regions, of_pairs, counts, counts.cumsum(0) - counts)


def _readings(statistics: dict[str, Tensor], teacher: Path) -> Tensor:
    """What a model's reader says of all regions, (regions, 2, width) of 16 bits."""
    reader = onnxruntime.InferenceSession(teacher / READER_FILE)
    found = []
    for first in range(0, len(statistics[STATISTICS[0]]), _REGIONS_AT_ONCE):
        given = {}
        for name in STATISTICS:
            some = statistics[name][first : first + _REGIONS_AT_ONCE].float()
            given[name] = some.movedim(0, REGION_AXES[name]).numpy()
        [read] = reader.run([READING], given)
        found.append(torch.from_numpy(read).movedim(0, 1).half())
    return torch.cat(found)


def _unlike(reading: Tensor, teacher: Tensor, valid: Tensor) -> Tensor:
    """Mean squared distance in units of the teacher's variance."""
    mine, theirs = (x.float().transpose(1, 2)[valid] for x in (reading, teacher))
    return (mine - theirs).square().mean() / theirs.var(0).mean()


def _batches(
    options: argparse.Namespace, generator: torch.Generator
) -> Iterator[dict[str, Tensor]]:
    """Endless batches; pairs with about as many regions stand together, of as many as the most."""
    size = PAIRS_A_BATCH
    paths: list[Path] = []
    data: _Features | None = None
    while True:
        newest = sorted(options.folder.glob("*.npz"), key=_written)[-options.newest :]
        if data is None or newest != paths:
            paths, data = newest, None  # no two windows at once: each may fill half of the memory
            data = _load(paths)
            if options.teacher:
                data.of_regions[READING] = _readings(data.of_regions, options.teacher)
            print(f"{len(data.counts)} pairs of {len(paths)} files", flush=True)
        order: list[Tensor] = []
        for block in torch.split(torch.randperm(len(data.counts), generator=generator), 16 * size):
            alike = block[torch.argsort(data.counts[block])]
            order += [part for part in torch.split(alike, size) if len(part) == size]
        for k in torch.randperm(len(order), generator=generator).tolist():
            yield _batch(data, order[k])


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _batch(data: _Features, pairs: Tensor) -> dict[str, Tensor]:
    """The arrays of some pairs as the network takes them.

    Where a pair has fewer regions than another one, others' regions stand, and `valid` is false.
    """
    counts = data.counts[pairs]
    places = torch.arange(int(counts.max()))
    index = (data.first[pairs][:, None] + places).clamp_max(int(data.counts.sum()) - 1)
    batch = {name: kept[pairs] for name, kept in data.of_pairs.items()}
    for name, kept in data.of_regions.items():
        batch[name] = kept[index].movedim(1, AXES[name])
    return batch | {"valid": places < counts[:, None]}


def _run(head: GraphHead, batch: dict[str, Tensor]) -> tuple[Tensor, NetworkOutput]:
    """What the head reads, and its output."""
    moments = Moments(*(batch[name] for name in MOMENTS))
    statistics = Statistics(*(batch[name].float() for name in STATISTICS))
    reading = head.read(statistics)
    return reading, head.relate(moments, reading, *(batch[name] for name in HEAD_INPUTS))


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    make = commands.add_parser("features")
    make.add_argument("out", type=Path)
    make.add_argument("--network", type=Path, required=True)
    make.add_argument("--config", type=Path, help="settings as of `train`: recipe and sampling")
    make.add_argument("--labelled", type=Path, action="append", default=[])
    make.add_argument("--pictures", type=Path, action="append", default=[])
    make.add_argument("--held-out", type=Path)
    make.add_argument("--minutes", type=float, default=20.0)
    make.add_argument("--first", type=int, default=0, help="number of the first batch")
    make.add_argument("--seed", type=int, default=0)
    make.set_defaults(run=features)
    train = commands.add_parser("fit")
    train.add_argument("folder", type=Path)
    train.add_argument("--network", type=Path, required=True)
    train.add_argument("--config", type=Path, help="settings as of `train`: network")
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--minutes", type=float, default=12.0)
    train.add_argument("--newest", type=int, default=150, help="as many of the newest files")
    train.add_argument("--learning-rate", type=float, default=1.5e-3)
    train.add_argument("--loss", nargs=2, action="append", default=[], metavar=("PART", "WEIGHT"))
    train.add_argument("--teacher", type=Path, help="folder of an exported model")
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=fit)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.run(options)


if __name__ == "__main__":
    main()
