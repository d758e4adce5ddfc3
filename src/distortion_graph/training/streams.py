"""Batches by number, shared out among trainers and prepared ahead by worker processes."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from distortion_graph.datasets.reader import PandaSet
from distortion_graph.training.architectures import Architecture
from distortion_graph.training.config import TrainingConfig
from distortion_graph.training.material import Source
from distortion_graph.training.pairs_dataset import RootBatches
from distortion_graph.training.samples import SampleStream, quiet_worker

LENGTH = 10**9
_AHEAD = 4
_STARTED = "fork" if sys.platform == "linux" else "spawn"
"""How workers begin: a fork is quick, but macOS' libraries do not survive it; Windows has none."""


def stream_of(source: Source, config: TrainingConfig, chosen: Architecture) -> Dataset[Any]:
    """The endless batches of a run by number: the same on any process and worker."""
    options: dict[str, Any] = {"seed": config.seed, "sampling": config.sampling, "length": LENGTH}
    if chosen.collate is not None:
        options["collate"] = chosen.collate(config.network)
    if isinstance(source, PandaSet):
        return RootBatches(source, **options)
    return SampleStream(source, recipe=config.recipe, **options)


def batches_from(
    stream: Dataset[Any], numbers: range, *, workers: int, pin_memory: bool = False
) -> Iterator[Any]:
    """The batches with these numbers in order, made by `workers` processes, or here with 0.

    Torch's own workers and no executor of `work`: they hand tensors over in shared memory instead
    of through a pipe, and pin them for a GPU.
    """
    # OpenCV's threads do not survive a fork: a worker that inherits their pool waits for them
    # for ever. Without a pool there is nothing to wait for.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    batches = iter(
        DataLoader(
            stream,
            batch_size=None,
            sampler=numbers,
            num_workers=workers,
            worker_init_fn=quiet_worker,
            prefetch_factor=_AHEAD if workers else None,
            multiprocessing_context=_STARTED if workers else None,
            pin_memory=pin_memory,
            # Its own generator, or making it would take a number from the one of dropout.
            generator=torch.Generator(),
        )
    )
    cv2.setNumThreads(threads)
    return batches


def names_in(stream: Any, number: int) -> list[str]:
    """The pictures, or pairs of a data set, that the batch of this number draws, in order."""
    drawn: list[str] = []
    again = copy.copy(stream)
    name = "keys" if isinstance(stream, RootBatches) else "pictures"
    setattr(again, name, _Noted(getattr(stream, name), drawn))
    again[number]
    return list(dict.fromkeys(drawn))


class _Noted(Sequence[Any]):
    """A sequence that notes what is taken from it."""

    def __init__(self, things: Sequence[Any], drawn: list[str]) -> None:
        self.things, self.drawn = things, drawn

    def __len__(self) -> int:
        return len(self.things)

    def __getitem__(self, index: Any) -> Any:
        thing = self.things[index]
        key = "/".join(thing) if isinstance(thing, tuple) else str(getattr(thing, "tag", thing))
        self.drawn.append(key)
        return thing


def moved(batch: Any, device: torch.device) -> Any:
    """A named tuple of named tuples of tensors, on a device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    return type(batch)(*(moved(part, device) for part in batch))
