"""The training loop: batches in, the best network on the held-out pictures out.

    trainer = Trainer(pictures, Path("runs/first"), TrainingConfig(budget=BudgetConfig(minutes=60)))
    trainer.run()

It reads from `Trainer.run` downwards. What it stands on: `config` (settings), `architectures`
(networks), `streams` (batches by number), `state` (what is saved), `logs`.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from distortion_graph.base.errors import DistortionGraphError, ModelError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.training.architectures import architecture
from distortion_graph.training.averaging import AveragedWeights
from distortion_graph.training.chain import (
    CHAIN_FILE,
    Link,
    chain_from_plain,
    plain_chain,
    read_chain,
    weights_sha256,
    write_chain,
)
from distortion_graph.training.checkpoint import BEST_FOLDER, SETTINGS_FILE, load_weights
from distortion_graph.training.config import TrainingConfig
from distortion_graph.training.config_files import plain, to_yaml
from distortion_graph.training.devices import accelerator_for, has_bf16
from distortion_graph.training.held_out import Evaluation, flat_figures
from distortion_graph.training.logs import MeanLosses, RunLog
from distortion_graph.training.material import Source, fingerprint
from distortion_graph.training.starting import check_run, first_network, parameter_groups
from distortion_graph.training.state import (
    STATE_FILE,
    Progress,
    RunState,
    flatten_optimizer,
    generator_states,
    load_state,
    part,
    refuse_another_run,
    remove_strays,
    restore_generators,
    restore_optimizer,
    save_state,
)
from distortion_graph.training.streams import LENGTH, batches_from, moved, names_in, stream_of
from distortion_graph.training.timing import Clock, Due, Moment, untouched_generators

Evaluate = Callable[[Any], float | Evaluation]
"""Scores a network on held-out pictures, higher is better; with all figures where it has them."""


class Trainer:
    """One run in a folder: `best/` holds the network to keep, the rest is for resuming."""

    def __init__(
        self,
        source: Source,
        folder: Path,
        config: TrainingConfig,
        *,
        evaluate: Evaluate | None = None,
        identity: Mapping[str, Mapping[str, str]] | None = None,
        report: Callable[[str], None] = print,
        watch: Callable[[Moment], None] = lambda moment: None,
    ) -> None:
        """Start, or resume where `folder` holds an unfinished run of the same settings and data.

        `source` is clean pictures, of which pairs are made with the settings' recipe, or a data
        set, whose pairs of the split `train` are used as they are. Without `evaluate` the latest
        network is kept as the best one. `identity` names the data (`material.data_identity`); None
        takes the fingerprint of `source`. `report` gets lines, `watch` every step; both are called
        on the first of several processes alone.

        Raises RegionError where no picture has a region to degrade, RecipeError for a recipe that
        does not fit the network, ModelError for weights or a saved state that do not, and
        DistortionGraphError for a device that is not there.
        """
        check_run(source, config)
        self.source, self.folder, self.config = source, folder, config
        self.evaluate = evaluate
        self.identity = dict(identity or {"data": fingerprint(source)})
        self.accelerator = accelerator_for(
            config.device, accumulation=config.optimiser.accumulation
        )
        self.device, self.is_main = self.accelerator.device, self.accelerator.is_main_process
        self.report = report if self.is_main else lambda line: None
        self.watch = watch if self.is_main else lambda moment: None
        self.bf16 = {"bf16": True, "fp32": False}.get(config.precision, has_bf16(self.device))
        self.architecture = architecture(config.model)
        self.network, self.parents = self._first_network()
        self.model = self.accelerator.prepare_model(self.network)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.network, config.optimiser.weight_decay),
            lr=config.optimiser.learning_rate,
        )
        self.state = self.architecture.state(self.network)
        self.averaged = AveragedWeights(self.state, config.optimiser.ema_decay)
        self.stream = stream_of(source, config, self.architecture)
        self.progress, self.losses, self.loss = Progress(), MeanLosses(), math.nan
        self._resume()

    def run(self) -> Progress:
        """Train until the budget is used up, evaluate, and keep the best network."""
        config, progress = self.config, self.progress
        batches = self._batches()
        clock = Clock(progress.seconds)
        saving, evaluating = Due(config.saving, progress), Due(config.evaluation, progress)
        with RunLog(
            self.folder, config.logging, step=progress.step, silent=not self.is_main
        ) as log:
            while self._used() < 1:
                losses = self._step(batches, clock)
                self._log(log, losses)
                if evaluating.now():
                    self._evaluate(log)
                    self._agree_on_time(clock)
                    evaluating.done()
                if saving.now():
                    self._save()
                    saving.done()
            if progress.evaluated != progress.step:
                self._evaluate(log)
            self._agree_on_time(clock)
            self._save()
        return progress

    def _first_network(self) -> tuple[nn.Module, tuple[Link, ...]]:
        """The same on all processes; what they draw afterwards, for dropout, is not."""
        config, rank = self.config, self.accelerator.process_index
        torch.manual_seed(config.seed)
        if (self.folder / STATE_FILE).is_file():  # the weights will be those that were saved
            config = replace(config, start_from=None)
        network, parents = first_network(config, self.architecture, self.report)
        if config.optimiser.frozen_blocks:
            self._freeze(network, config.optimiser.frozen_blocks)
        network.to(self.device)
        # mypy does not know this overload; convolutions on a CPU need it to be fast.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if rank:
            torch.manual_seed((config.seed + 0x9E3779B97F4A7C15 * rank) % 2**63)
        return network, parents

    def _freeze(self, network: nn.Module, blocks: int) -> None:
        if self.architecture.freeze is None:
            raise DistortionGraphError(
                f"training: optimiser.frozen_blocks is {blocks}, but the encoder of "
                f"{self.config.model} is not trained at all; expected 0"
            )
        self.architecture.freeze(network, blocks)

    def _batches(self) -> Iterator[Any]:
        """This process's share: of every so many batches in a row, one each."""
        workers, processes = self.config.data.workers, self.accelerator.num_processes
        first = self.progress.step * self.config.optimiser.accumulation * processes
        numbers = range(first + self.accelerator.process_index, LENGTH, processes)
        pin = self.device.type == "cuda"
        return batches_from(self.stream, numbers, workers=workers, pin_memory=pin)

    def _step(self, batches: Iterator[Any], clock: Clock) -> dict[str, Tensor]:
        """One step of the optimiser, and its losses on this process."""
        config, progress = self.config.optimiser, self.progress
        self.network.train()
        rate = self.config.rate(progress.step, self._used())
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        sums: dict[str, Tensor] = {}
        for turn in range(config.accumulation):
            asked = time.monotonic()
            batch = moved(next(batches), self.device)
            progress.waiting_seconds += time.monotonic() - asked
            with self.accelerator.accumulate(self.model):
                losses = self._losses(batch)
                progress.pairs += self._check(losses.total, len(batch.inputs.images), turn)
                self.accelerator.backward(losses.total)
            for name, value in losses._asdict().items():
                sums[name] = sums.get(name, 0) + value.detach() / config.accumulation
        self.accelerator.clip_grad_norm_(self.network.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        self.averaged.update(progress.step)
        self._agree_on_time(clock)
        return sums

    def _losses(self, batch: Any) -> Any:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.model(*batch.inputs)
        return self.architecture.criterion(
            output, batch.targets, batch.inputs.valid, self.config.losses
        )

    def _check(self, total: Tensor, pairs: int, turn: int) -> int:
        """All processes' pairs in this turn; all of them stop where one loss is no number."""
        mine = torch.stack([total.detach().float(), torch.tensor(float(pairs), device=self.device)])
        everyone = self.accelerator.gather(mine[None]).tolist()
        for rank, (loss, _) in enumerate(everyone):
            if not math.isfinite(loss):
                self._refuse_loss(turn, rank)
            self.loss = loss if rank == 0 else self.loss
        return sum(int(count) for _, count in everyone)

    def _refuse_loss(self, turn: int, rank: int) -> None:
        step = self.progress.step * self.config.optimiser.accumulation + turn
        number = step * self.accelerator.num_processes + rank
        names = names_in(self.stream, number)
        shown = ", ".join(names[:24]) + (f" and {len(names) - 24} more" * (len(names) > 24))
        kept = load_state(self.folder)
        saved = f"step {kept.progress.step} is kept in" if kept else "nothing was saved yet in"
        raise ModelError(
            f"loss is not finite at step {self.progress.step}, batch {number} (seed "
            f"{self.config.seed}), which draws {shown}; {saved} {self.folder}"
        )

    def _used(self) -> float:
        """Share of the budget that is used up."""
        return self.config.budget.used(self.progress.seconds, self.progress.step)

    def _agree_on_time(self, clock: Clock) -> None:
        """All processes go by the first one's clock, or they would not stop at the same step."""
        seconds = clock.seconds()
        if self.accelerator.num_processes > 1:
            mine = torch.tensor([seconds], dtype=torch.float64, device=self.device)
            seconds = float(self.accelerator.gather(mine)[0])
        self.progress.seconds = seconds

    def _evaluate(self, log: RunLog) -> None:
        """Measure the averaged network and keep it where it is the best."""
        self.progress.evaluated = self.progress.step
        if self.is_main:
            with untouched_generators(self.device):
                network = copy.deepcopy(self.network).eval()
                weights = self.averaged.tensors
                load_weights(network, weights, self.folder, self.architecture.state(network))
                if self._is_best(network, log):
                    self._keep(network)
        self.accelerator.wait_for_everyone()

    def _is_best(self, network: nn.Module, log: RunLog) -> bool:
        if self.evaluate is None:
            return True
        outcome, best = self.evaluate(network), self.progress.best
        score = outcome.score if isinstance(outcome, Evaluation) else outcome
        if isinstance(outcome, Evaluation):
            for pairs, figures in outcome.figures.items():
                log.evaluation(self.progress.step, pairs, flat_figures(figures))
        # Correlations of too few or all equal scores are no numbers; any number beats them.
        is_best = best is None or score > best
        if is_best:
            self.progress.best = None if math.isnan(score) else score
        note = "" if is_best else f", best {best:.4f}"
        self.report(f"step {self.progress.step}: held-out score {score:.4f}{note}")
        return is_best

    def _keep(self, network: nn.Module) -> None:
        """Write the best network with its settings and its chain."""
        best, progress = self.folder / BEST_FOLDER, self.progress
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.architecture.save(best, network)
        atomic_write_text(best / SETTINGS_FILE, to_yaml(self.config))
        link = Link(
            name=str(self.folder),
            sha256=weights_sha256(best),
            model=self.config.model,
            seed=self.config.seed,
            steps=progress.step,
            pairs=progress.pairs,
            minutes=round(progress.seconds / 60, 2),
            best_score=progress.best,
        )
        write_chain(best, [*self.parents, link])

    def _log(self, log: RunLog, losses: Mapping[str, Tensor]) -> None:
        progress = self.progress
        self.losses.add(losses)
        self.watch(Moment(progress, self._used(), self.loss))
        if progress.step % self.config.logging.every_steps:
            return
        seconds = max(progress.seconds, 1e-9)
        row = {
            "pairs": progress.pairs,
            "minutes": round(progress.seconds / 60, 2),
            "waiting": round(progress.waiting_seconds / seconds, 3),
            "pairs_per_second": round(progress.pairs / seconds, 2),
            "rate": round(self.optimizer.param_groups[0]["lr"], 8),
        }
        log.steps(progress.step, row | self.losses.take())

    def _save(self) -> None:
        tensors = {f"network.{k}": v for k, v in self.state.items()}
        tensors |= {f"ema.{k}": v for k, v in self.averaged.tensors.items()}
        tensors |= flatten_optimizer(self.optimizer) | generator_states(self.accelerator)
        if self.is_main:
            state = RunState(tensors, self.progress, plain(self.config), self.identity)
            state.processes = self.accelerator.num_processes
            state.parents = plain_chain(self.parents)
            save_state(self.folder, state)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        saved = load_state(self.folder)
        if saved is not None:
            processes = self.accelerator.num_processes
            refuse_another_run(saved, self.folder, self.config, self.identity, processes)
            load_weights(self.network, part(saved.tensors, "ema."), self.folder, self.state)
            self.averaged.take()
            load_weights(self.network, part(saved.tensors, "network."), self.folder, self.state)
            restore_optimizer(self.optimizer, saved.tensors)
            restore_generators(self.accelerator, saved.tensors)
            self.parents = chain_from_plain(saved.parents, str(self.folder))
            self.progress = replace(saved.progress, best=self._best_kept(saved.progress))
            self.report(f"resuming {self.folder} at step {self.progress.step}")
        if self.is_main:
            if saved is None:
                remove_strays(self.folder)
            atomic_write_text(self.folder / SETTINGS_FILE, to_yaml(self.config))
        self.accelerator.wait_for_everyone()

    def _best_kept(self, progress: Progress) -> float | None:
        """The score of the network in best/, which may be of a step after the last that was saved.

        A folder that was made anew in place of a lost one has no score to beat.
        """
        if not (self.folder / BEST_FOLDER / CHAIN_FILE).is_file():
            return None
        kept = read_chain(self.folder / BEST_FOLDER)[-1].best_score
        return progress.best if kept is None else kept
