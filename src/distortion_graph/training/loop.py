"""The training loop: synthetic batches in, the best network on the held-out pictures out."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from distortion_graph.data.pictures import CleanPicture, large_regions
from distortion_graph.data.reader import PandaSet
from distortion_graph.data.synthesis import DEFAULT_RECIPE, Recipe
from distortion_graph.errors import (
    DistortionGraphError,
    ImageError,
    ModelError,
    RecipeError,
    RegionError,
)
from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.encoder import imagenet_state
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.training.batch import Batch
from distortion_graph.training.checkpoint import (
    PROGRESS_FILE,
    STATE_FILE,
    flatten_optimizer,
    load_network,
    load_state,
    load_weights,
    restore_optimizer,
    save_network,
    save_state,
)
from distortion_graph.training.criterion import Losses, LossWeights, criterion
from distortion_graph.training.pairs_dataset import RootBatches
from distortion_graph.training.samples import SampleStream, SamplingConfig, quiet_worker

Evaluate = Callable[[DistortionGraphNet], float]
"""Scores a network on held-out pictures; higher is better."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything a run depends on besides the pictures.

    The run ends after `minutes` of training time or `max_steps` batches, whichever is first, and
    the cosine schedule ends with it. `bf16` computes the encoder in bfloat16.
    """

    minutes: float = 60.0
    max_steps: int = 10**9
    seed: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 200
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    workers: int = 1
    bf16: bool = True
    evaluate_every_minutes: float = 15.0
    save_every_minutes: float = 5.0
    network: NetworkConfig = field(default_factory=NetworkConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        for name in ("minutes", "learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise DistortionGraphError(
                    f"training: {name} must be a number above 0, got {getattr(self, name)}"
                )
        for name, least in (("max_steps", 1), ("warmup_steps", 1), ("workers", 0), ("seed", 0)):
            if not least <= getattr(self, name) < 2**63:
                raise DistortionGraphError(
                    f"training: {name} must be at least {least}, got {getattr(self, name)}"
                )


@dataclass
class Progress:
    """How far a run is; survives an interruption."""

    step: int = 0
    pairs: int = 0
    seconds: float = 0.0
    waiting_seconds: float = 0.0
    best: float | None = None


class Trainer:
    """One run in a folder: `best/` holds the network to keep, the rest is for resuming."""

    def __init__(
        self,
        pictures: Sequence[CleanPicture] | PandaSet,
        folder: Path,
        config: TrainingConfig,
        *,
        recipe: Recipe = DEFAULT_RECIPE,
        evaluate: Evaluate | None = None,
        start_from: Path | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        """Start, or resume where `folder` holds an unfinished run.

        `pictures` are clean ones, of which pairs are made with `recipe`, or a data set, whose pairs
        of the split `train` are used as they are.

        `start_from` is a network folder whose weights a new run begins with; without it the
        encoder begins with ImageNet weights. Without `evaluate` the latest network is kept as the
        best one.

        Raises RegionError where no picture has a region to degrade, RecipeError for a recipe that
        does not fit the network, and ModelError for weights or a saved state that do not.
        """
        if isinstance(pictures, PandaSet):
            vocabulary = pictures.vocabulary
        else:
            vocabulary = recipe.vocabulary
            _check_sources(pictures, config.sampling)
        if vocabulary != config.network.vocabulary:
            made_of = "data set" if isinstance(pictures, PandaSet) else "recipe"
            raise RecipeError(
                f"training: the {made_of} and the network have different vocabularies"
            )
        torch.manual_seed(config.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.pictures, self.folder, self.config, self.recipe = pictures, folder, config, recipe
        self.evaluate, self.report = evaluate, report
        self.network = _first_network(config, start_from).to(self.device)
        # mypy does not know this overload; convolutions on a CPU need it to be fast.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(self.network, config.weight_decay), lr=config.learning_rate
        )
        self.ema = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.progress = Progress()
        self._resume()

    def run(self) -> Progress:
        """Train until the budget is used up, evaluate, and keep the best network."""
        config, progress = self.config, self.progress
        batches = self._batches()
        started, before = time.monotonic(), progress.seconds
        next_save = before + 60 * config.save_every_minutes
        next_evaluation = before + 60 * config.evaluate_every_minutes
        while self._done() < 1:
            asked = time.monotonic()
            batch = next(batches).to(self.device)
            progress.waiting_seconds += time.monotonic() - asked
            losses = self._step(batch)
            progress.step += 1
            progress.pairs += len(batch.inputs.images)
            progress.seconds = before + time.monotonic() - started
            if progress.step % 50 == 0:
                self._log(losses)
            if progress.seconds >= next_evaluation:
                self._evaluate()
                progress.seconds = before + time.monotonic() - started
                next_evaluation = progress.seconds + 60 * config.evaluate_every_minutes
            if progress.seconds >= next_save:
                self._save()
                next_save = progress.seconds + 60 * config.save_every_minutes
        self._evaluate()
        self._save()
        return progress

    def _batches(self) -> Any:
        config, start = self.config, self.progress.step
        stream: Dataset[Batch]
        if isinstance(self.pictures, PandaSet):
            stream = RootBatches(
                self.pictures, seed=config.seed, sampling=config.sampling, start=start
            )
        else:
            stream = SampleStream(
                self.pictures,
                seed=config.seed,
                recipe=self.recipe,
                sampling=config.sampling,
                start=start,
            )
        workers = self.config.workers
        # OpenCV's threads do not survive a fork: a worker that inherits their pool waits for them
        # for ever. Without a pool there is nothing to wait for.
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        batches = iter(
            DataLoader(
                stream,
                batch_size=None,
                num_workers=workers,
                worker_init_fn=quiet_worker,
                prefetch_factor=4 if workers else None,
                multiprocessing_context="fork" if workers else None,
            )
        )
        cv2.setNumThreads(threads)
        return batches

    def _step(self, batch: Batch) -> Losses:
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._schedule()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            output = self.network(*batch.inputs)
        losses = criterion(output, batch.targets, batch.inputs.valid, self.config.losses)
        if not torch.isfinite(losses.total):
            raise ModelError(
                f"loss is not finite at batch {self.progress.step} (seed {self.config.seed}); "
                f"what was saved before stays in {self.folder}"
            )
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        self._update_ema()
        return losses

    def _update_ema(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.progress.step) / (10 + self.progress.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.ema[name].lerp_(value, 1 - decay)
                else:
                    self.ema[name].copy_(value)

    def _done(self) -> float:
        """Share of the budget that is used up."""
        by_time = self.progress.seconds / (60 * self.config.minutes)
        return max(by_time, self.progress.step / self.config.max_steps)

    def _schedule(self) -> float:
        """Linear warm-up, then a cosine to 1 % at the end of the budget."""
        warm = min(1.0, (self.progress.step + 1) / self.config.warmup_steps)
        return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, self._done()))))

    def _evaluate(self) -> None:
        network = DistortionGraphNet(self.config.network)
        network.load_state_dict(self.ema)
        network.to(self.device).eval()
        if self.evaluate:
            score, best = self.evaluate(network), self.progress.best
            self.report(f"step {self.progress.step}: held-out score {score:.4f}")
            # Correlations of too few or all equal scores are no numbers; any number beats them.
            if best is not None and not score > best:
                return
            self.progress.best = None if math.isnan(score) else score
        save_network(self.folder / "best", network, network.state_dict())

    def _save(self) -> None:
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.items()}
        tensors |= flatten_optimizer(self.optimizer)
        save_state(self.folder, tensors, asdict(self.progress))

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        found = load_state(self.folder)
        if found is None:
            return
        tensors, progress = found
        try:
            self.progress = Progress(**progress)
        except TypeError as problem:
            raise ModelError(f"{self.folder / PROGRESS_FILE}: {problem}") from problem
        load_weights(self.network, _part(tensors, "network."), self.folder / STATE_FILE)
        self.ema = {k: v.to(self.device) for k, v in _part(tensors, "ema.").items()}
        restore_optimizer(self.optimizer, tensors)
        self.report(f"resuming {self.folder} at step {self.progress.step}")

    def _log(self, losses: Losses) -> None:
        progress = self.progress
        row = {
            "step": progress.step,
            "pairs": progress.pairs,
            "minutes": round(progress.seconds / 60, 2),
            "waiting": round(progress.waiting_seconds / max(progress.seconds, 1e-9), 3),
            "rate": round(self.optimizer.param_groups[0]["lr"], 6),
        } | {name: round(value.item(), 4) for name, value in losses._asdict().items()}
        path = self.folder / "log.csv"
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        if progress.step % 250 == 0:
            self.report(" ".join(f"{k} {v}" for k, v in row.items()))


def _check_sources(pictures: Sequence[CleanPicture], sampling: SamplingConfig) -> None:
    """Without a region to find, drawing samples would never end."""
    if not pictures:
        raise ImageError("training: no pictures left to train on, all of them are held out")
    maps = (label_map for picture in pictures for label_map in picture.label_maps)
    if not any(large_regions(label_map, sampling.min_share) for label_map in maps):
        raise RegionError(
            f"training: none of the {len(pictures)} pictures has a region of at least "
            f"{sampling.min_share:.1%} of it"
        )


def _first_network(config: TrainingConfig, start_from: Path | None) -> DistortionGraphNet:
    if start_from is None:
        network = DistortionGraphNet(config.network)
        network.encoder.encoder.load_imagenet(imagenet_state())
        return network
    network = load_network(start_from)
    if network.config != config.network:
        raise ModelError(f"{start_from}: made for another size or vocabulary than this run's")
    return network


def _parameter_groups(network: torch.nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and filters, none for biases, norms and scalars."""
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    others = [p for p in network.parameters() if p.ndim < 2]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
