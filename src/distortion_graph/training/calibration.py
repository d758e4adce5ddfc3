"""Probabilities that mean what they say: temperatures and a threshold, found on held-out pairs.

One number divides the log-probabilities of each kind of label (Guo et al., "On Calibration of
Modern Neural Networks", ICML 2017), and `familiarity` is fitted to P(known). All of it is kept
among the network's weights, so that every export has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.bench.metrics import calibration_error
from distortion_graph.data.samples import Sample
from distortion_graph.errors import ModelError, RegionError
from distortion_graph.files import atomic_write_bytes, atomic_write_text
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.model.predict import TorchPredictor
from distortion_graph.training.chain import read_chain, weights_sha256, write_chain
from distortion_graph.training.checkpoint import SETTINGS_FILE, save_network
from distortion_graph.training.evaluation import Request, open_network
from distortion_graph.training.familiarity import fit_familiarity, make_strange

CALIBRATION_FILE = "calibration.json"

UNCERTAIN_SHARE = 0.02
"""Share of known nodes whose P(known) may lie below the threshold."""

_CANDIDATES = np.exp(np.linspace(np.log(0.3), np.log(4), 131))
_TINY = 1e-12

Probabilities = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """What was found: temperatures, the expected calibration error of each kind of label before
    and after, and the threshold of P(known).
    """

    temperature: dict[str, float]
    error_before: dict[str, float]
    error_after: dict[str, float]
    known_threshold: float


@dataclass(frozen=True, eq=False)
class _Said:
    """Probabilities of N nodes, (N, D) and (N, D, S), and of M pairs of nodes, (M, C); the truth
    of each.
    """

    distortion: Probabilities
    severity_given: Probabilities
    comparison: Probabilities
    true_distortion: Positions
    true_severity: Positions
    true_comparison: Positions

    def severity(self) -> Probabilities:
        """(N, S)."""
        return np.asarray((self.distortion[..., None] * self.severity_given).sum(1))

    def errors(self) -> dict[str, float]:
        """Expected calibration error of each kind."""
        return {
            "distortion": _error(self.distortion, self.true_distortion),
            "severity": _error(self.severity(), self.true_severity),
            "comparison": _error(self.comparison, self.true_comparison),
        }


def calibrate(network: DistortionGraphNet, samples: Iterable[Sample]) -> Calibration:
    """Set a network's temperatures and threshold by what it says of samples.

    Each temperature is the one with the least log-loss; the severity's is found after the
    distortion's, for P(severity) is a sum over distortions. The outliers that P(known) is fitted to
    take the place of clean regions. Raises RegionError for samples without a region.
    """
    nodes, comparison = network.head.nodes, network.head.comparison
    network.head.reset_calibration()
    said, features = _ask(network, samples)
    errors = said.errors()
    said, distortion = _best(
        said, lambda s, t: _changed(s, distortion=_tempered(s.distortion, t)), _distortion_loss
    )
    said, severity = _best(
        said,
        lambda s, t: _changed(s, severity_given=_tempered(s.severity_given, t)),
        _severity_loss,
    )
    said, compared = _best(
        said, lambda s, t: _changed(s, comparison=_tempered(s.comparison, t)), _comparison_loss
    )
    nodes.temperature.copy_(nodes.temperature.new_tensor([distortion, severity]))
    comparison.temperature.fill_(compared)
    labels = torch.from_numpy(said.true_distortion).to(features.known.device)
    known = fit_familiarity(nodes, features.known, labels, features.unknown)
    threshold = float(np.quantile(known, UNCERTAIN_SHARE))
    nodes.known_threshold.fill_(threshold)
    found = {"distortion": distortion, "severity": severity, "comparison": compared}
    return Calibration(found, errors, said.errors(), threshold)


class _Features(NamedTuple):
    """Hidden features of nodes that have a label, (N, width), and of some that have none."""

    known: Tensor
    unknown: Tensor


def _ask(network: DistortionGraphNet, samples: Iterable[Sample]) -> tuple[_Said, _Features]:
    """What the network says of every region, both pictures one after the other."""
    predictor, clean = TorchPredictor(network), network.config.vocabulary.clean_index
    columns: tuple[list[NDArray[np.generic]], ...] = tuple([] for _ in range(6))
    seen: list[Tensor] = []
    known, unknown = [], []
    rng = np.random.default_rng(0)
    # Rows of the scene come first and have no label.
    hidden = network.head.nodes.hidden
    with hidden.register_forward_hook(lambda *x: seen.append(x[2][0, :, 1:])):
        for sample in samples:
            said, labels = (
                predictor.predict(sample.anchor, sample.target, sample.masks),
                sample.labels,
            )
            known.append(seen.pop().flatten(0, 1))
            row = (
                np.concatenate(said.distortion),
                np.concatenate(said.severity_given),
                said.comparison,
                np.concatenate(labels.distortion),
                np.concatenate(labels.severity),
                labels.comparison,
            )
            for column, values in zip(columns, row, strict=True):
                column.append(values)
            strange = make_strange(sample, clean, rng)
            if strange.where.any():
                predictor.predict(strange.anchor, strange.target, sample.masks)
                unknown.append(seen.pop()[torch.from_numpy(strange.where)])
    if not any(len(values) for values in columns[0]):
        raise RegionError(
            "calibration: none of the pairs has a region, expected some to learn from"
        )
    features = _Features(torch.cat(known), torch.cat([known[0][:0], *unknown]))
    return _Said(*(np.concatenate(column) for column in columns)), features


def _best(
    said: _Said, change: Callable[[_Said, float], _Said], loss: Callable[[_Said], float]
) -> tuple[_Said, float]:
    """What is said at the temperature of least loss, and that temperature."""
    losses = [loss(change(said, float(t))) for t in _CANDIDATES]
    best = float(_CANDIDATES[int(np.argmin(losses))])
    return change(said, best), best


def _changed(said: _Said, **columns: Probabilities) -> _Said:
    return _Said(**{**said.__dict__, **columns})


def _tempered(p: Probabilities, temperature: float) -> Probabilities:
    raised = np.where(p > 0, p, 0) ** (1 / temperature)
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def _distortion_loss(said: _Said) -> float:
    return _loss(said.distortion, said.true_distortion)


def _severity_loss(said: _Said) -> float:
    return _loss(said.severity(), said.true_severity)


def _comparison_loss(said: _Said) -> float:
    return _loss(said.comparison, said.true_comparison)


def _loss(p: Probabilities, truth: Positions) -> float:
    return float(-np.log(p[np.arange(len(truth)), truth] + _TINY).mean())


def _error(p: Probabilities, truth: Positions) -> float:
    return calibration_error(p.argmax(1) == truth, p.max(1))


def calibrate_network(place: Path, out: Path, wanted: Request) -> Calibration:
    """Calibrate the network in a folder on the pairs asked for, and write it to another one.

    Raises as `evaluation.open_network` does, and ModelError for a network that is not ours.
    """
    it = open_network(place, wanted)
    if not isinstance(it.network, DistortionGraphNet):
        raise ModelError(f"{it.folder}: a network of {it.kind.name!r} has no temperatures")
    pairs = (sample for pairs in wanted.pairs for sample in it.samples(pairs))
    found = calibrate(it.network, pairs)
    save_network(out, it.network, it.network.state_dict())
    settings = it.folder / SETTINGS_FILE
    if settings.is_file():
        atomic_write_bytes(out / SETTINGS_FILE, settings.read_bytes())
    *before, last = read_chain(it.folder)
    write_chain(out, (*before, last.model_copy(update={"sha256": weights_sha256(out)})))
    atomic_write_text(out / CALIBRATION_FILE, json.dumps(asdict(found), indent=1) + "\n")
    return found
