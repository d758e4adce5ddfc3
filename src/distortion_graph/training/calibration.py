"""Probabilities that mean what they say: temperatures and thresholds, found on held-out pairs.

One number divides the log-probabilities of each kind of label (Guo et al., "On Calibration of
Modern Neural Networks", ICML 2017), and `familiarity` is fitted to P(known). All of it is kept
among the network's weights, so that every export has it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.base.errors import ModelError, RegionError
from distortion_graph.base.files import atomic_write_bytes, atomic_write_text
from distortion_graph.bench.clean_pairs import IDENTICAL, CleanSample, clean_pairs
from distortion_graph.bench.metrics import calibration_error
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph.truth import UNSAID
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.model.predict import TorchPredictor
from distortion_graph.predict.decode import choose_further
from distortion_graph.training.chain import read_chain, weights_sha256, write_chain
from distortion_graph.training.checkpoint import (
    CALIBRATION_FILE,
    OPINION_FILE,
    SETTINGS_FILE,
    save_network,
)
from distortion_graph.training.evaluation import Request, open_network
from distortion_graph.training.familiarity import (
    KnownFeatures,
    fit_familiarity,
    make_strange,
    strange_pairs,
)

UNCERTAIN_SHARE = 0.02
"""Share of known nodes of every kind whose P(known) may lie below the threshold; none of a clean
picture beside itself, with room to spare for pictures that calibration has not seen.
"""

PROTOCOL = "pairs of the protocol"
"""The kind under which nodes of labelled samples count; the others are kinds of `clean_pairs`."""

DAMAGED = "damaged copies of clean pictures"
"""The kind under which the damaged copies in `clean_pairs` count."""

_CLEAN = "clean pictures"
_ROOM = 0.9  # of the least P(known) that a clean picture beside itself has

_CANDIDATES = np.exp(np.linspace(np.log(0.3), np.log(4), 131))
_SHARES = np.round(np.arange(0.05, 0.96, 0.01), 2)
_TINY = 1e-12

Probabilities = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """What was found: temperatures, the expected calibration error of each kind of label before
    and after, None of a kind that nobody judged, the threshold of P(known), and the share of nodes
    below the threshold by kind of pair. `also_threshold` and `also_f1`, the F1 of further
    distortions at that threshold, are None for a network that lists none, or where no region had
    several distortions.
    """

    temperature: dict[str, float]
    error_before: dict[str, float | None]
    error_after: dict[str, float | None]
    known_threshold: float
    uncertain: dict[str, float]
    also_threshold: float | None = None
    also_f1: float | None = None


@dataclass(frozen=True, eq=False)
class _Said:
    """Probabilities of N nodes, (N, D) and (N, D, S), and of M pairs of nodes, (M, C); the truth
    of each, `UNSAID` where people judged and did not say.
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

    def errors(self) -> dict[str, float | None]:
        """Expected calibration error of each kind, None where nobody said any."""
        return {
            "distortion": _error(self.distortion, self.true_distortion),
            "severity": _error(self.severity(), self.true_severity),
            "comparison": _error(self.comparison, self.true_comparison),
        }


def calibrate(
    network: DistortionGraphNet,
    samples: Iterable[Sample],
    clean: Iterable[CleanSample],
    several: Iterable[Sample] = (),
) -> Calibration:
    """Set a network's temperatures, P(known) and its thresholds by what it says of pairs.

    Each temperature is the one with the least log-loss on `samples`; the severity's is found after
    the distortion's, for P(severity) is a sum over distortions. P(known) is fitted to the same
    samples and to pairs with each `clean` picture, the damaged copies in them too; outliers take
    the place of clean regions and of clean pictures. The probability from which on further
    distortions are listed is the one of highest F1 over the regions of `several`, where what they
    suffer is known. Raises RegionError for samples without a region.
    """
    nodes, comparison = network.head.nodes, network.head.comparison
    network.head.reset_calibration()
    said, labelled, unknown = _ask(network, samples)
    seen = _ask_clean(network, clean)
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
    named = torch.from_numpy(said.true_distortion != UNSAID).to(labelled.device)
    labels = torch.from_numpy(said.true_distortion).to(labelled.device)[named]
    features = KnownFeatures(
        torch.cat([labelled[named], *seen.damaged]),
        torch.cat([labels, labels.new_tensor(seen.damage)]),
        torch.cat([labelled[:0], *seen.known]),
        torch.cat([unknown, *seen.unknown]),
    )
    known, known_clean = fit_familiarity(nodes, features)
    by_kind = {PROTOCOL: known[: len(labels)], DAMAGED: known[len(labels) :]} | {
        f"{_CLEAN} {kind}": known_clean[seen.kinds == kind]
        for kind in dict.fromkeys(seen.kinds.tolist())
    }
    by_kind = {kind: values for kind, values in by_kind.items() if len(values)}
    threshold = min(map(_threshold, by_kind, by_kind.values()))
    nodes.known_threshold.fill_(threshold)
    uncertain = {kind: float(np.mean(values < threshold)) for kind, values in by_kind.items()}
    temperatures = {"distortion": distortion, "severity": severity, "comparison": compared}
    also_threshold, also_f1 = None, None
    if nodes.present is not None and (found := _further_threshold(network, several)):
        also_threshold, also_f1 = found
        nodes.also_threshold.fill_(also_threshold)
    return Calibration(
        temperatures, errors, said.errors(), threshold, uncertain, also_threshold, also_f1
    )


def _further_threshold(
    network: DistortionGraphNet, several: Iterable[Sample]
) -> tuple[float, float] | None:
    """The threshold of highest F1 of further distortions, and that F1; None where there are none.

    Counted are the distortions beside a region's most probable one, where that is not clean.
    """
    predictor, vocabulary = TorchPredictor(network), network.config.vocabulary
    said_present, truly = [np.zeros(0)], [np.zeros(0, np.bool_)]
    for sample in several:
        said = predictor.predict(sample.anchor, sample.target, sample.masks)
        if sample.suffered is None or said.present is None:
            continue
        beside = choose_further(said, said.distortion.argmax(-1), vocabulary, 0.0)
        said_present.append(said.present[beside])
        truly.append(sample.suffered.present[beside])
    present, true = np.concatenate(said_present), np.concatenate(truly)
    if not true.any():
        return None
    f1 = [2 * true[p].sum() / (p.sum() + true.sum()) for p in (present >= t for t in _SHARES)]
    best = int(np.argmax(f1))
    return float(_SHARES[best]), float(f1[best])


class _SeenClean(NamedTuple):
    """Hidden features of nodes of clean pictures, of damaged copies of those, and of outliers in
    their place, by pair; `kinds` (K,) are the pairs' kinds, one for every node of `known`, and
    `damage` the labels' positions, one for every node of `damaged`.
    """

    known: list[Tensor]
    damaged: list[Tensor]
    unknown: list[Tensor]
    kinds: NDArray[np.str_]
    damage: list[int]


def _threshold(kind: str, known: NDArray[np.float64]) -> float:
    """The largest threshold that nodes of a kind allow."""
    if kind == f"{_CLEAN} {IDENTICAL}":
        return _ROOM * float(known.min())
    return float(np.quantile(known, UNCERTAIN_SHARE))


@contextmanager
def _hidden(network: DistortionGraphNet) -> Iterator[list[Tensor]]:
    """Collects (2, R, width) hidden features of every pair that the network is asked about."""
    seen: list[Tensor] = []
    hidden = network.head.nodes.hidden
    # Rows of the scene come first and have no label.
    with hidden.register_forward_hook(lambda *x: seen.append(x[2][0, :, 1:])):
        yield seen


def _ask(network: DistortionGraphNet, samples: Iterable[Sample]) -> tuple[_Said, Tensor, Tensor]:
    """What the network says of every region, both pictures one after the other; hidden features
    (N, width) of these and (M, width) of outliers in the place of their clean ones.
    """
    predictor, clean = TorchPredictor(network), network.config.vocabulary.clean_index
    columns: tuple[list[NDArray[np.generic]], ...] = tuple([] for _ in range(6))
    known, unknown = [], []
    rng = np.random.default_rng(0)
    with _hidden(network) as seen:
        for sample in samples:
            said = predictor.predict(sample.anchor, sample.target, sample.masks)
            labels = sample.labels
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
    if not any((values != UNSAID).any() for values in columns[3]):
        raise RegionError(
            "calibration: none of the pairs has a region with a distortion, expected some to learn "
            "from"
        )
    said_of_all = _Said(*(np.concatenate(column) for column in columns))
    return said_of_all, torch.cat(known), torch.cat([known[0][:0], *unknown])


def _ask_clean(network: DistortionGraphNet, clean: Iterable[CleanSample]) -> _SeenClean:
    """The hidden features of pictures that are clean all over, of their copies with a distortion
    that the vocabulary has, and of outliers made of them. A network that takes a reference is also
    told which picture is the original.
    """
    predictor, rng = TorchPredictor(network), np.random.default_rng(1)
    ways = 1 + network.config.reference
    names = network.config.vocabulary.distortions
    known: list[Tensor] = []
    damaged: list[Tensor] = []
    unknown: list[Tensor] = []
    kinds: list[str] = []
    damage: list[int] = []
    with _hidden(network) as seen:
        for sample in clean:
            masks = sample.versions.masks
            for pair in clean_pairs(sample, rng):
                for original in (None, pair.sides[0])[:ways]:
                    predictor.predict(pair.anchor, pair.target, masks, original)
                    hidden = seen.pop()
                    of_clean = hidden[list(pair.sides)].flatten(0, 1)
                    known.append(of_clean)
                    kinds += [pair.kind] * len(of_clean)
                    if pair.damage in names:
                        damaged.append(hidden[1])
                        damage += [names.index(pair.damage)] * len(hidden[1])
            for strange in strange_pairs(sample, rng):
                predictor.predict(*strange, masks)
                unknown.append(seen.pop()[0])
    return _SeenClean(known, damaged, unknown, np.array(kinds, np.str_), damage)


def _best(
    said: _Said, change: Callable[[_Said, float], _Said], loss: Callable[[_Said], float]
) -> tuple[_Said, float]:
    """What is said at the temperature of least loss, and that temperature; 1 without any truth."""
    if math.isnan(loss(said)):
        return said, 1.0
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
    """Mean log-loss over what somebody said; NaN where nobody said anything."""
    rows = np.flatnonzero(truth != UNSAID)
    return float(-np.log(p[rows, truth[rows]] + _TINY).mean()) if len(rows) else math.nan


def _error(p: Probabilities, truth: Positions) -> float | None:
    p, truth = p[truth != UNSAID], truth[truth != UNSAID]
    return calibration_error(p.argmax(1) == truth, p.max(1)) if len(truth) else None


def calibrate_network(
    place: Path,
    out: Path,
    wanted: Request,
    more_clean: Sequence[Path] = (),
    warn: Callable[[str], None] = lambda line: None,
) -> Calibration:
    """Calibrate the network in a folder on the pairs asked for, and write it to another one.

    `more_clean` are folders of photographs with nothing wrong in them, for P(known) alone. `warn`
    is told what was left out of the pictures' folders, and what the reader says of pictures. Raises
    as `evaluation.open_network` does, and ModelError for a network that is not ours.
    """
    it = open_network(place, wanted)
    for note in it.notes:
        warn(note)
    if not isinstance(it.network, DistortionGraphNet):
        raise ModelError(f"{it.folder}: a network of {it.kind.name!r} has no temperatures")
    pairs = (sample for pairs in wanted.pairs for sample in it.samples(pairs))
    extra = it.clean_in(more_clean) if more_clean else ()
    calibration = calibrate(it.network, pairs, chain(it.clean(), extra), it.several())
    save_network(out, it.network, it.network.state_dict())
    for name in (SETTINGS_FILE, OPINION_FILE):
        if (it.folder / name).is_file():
            atomic_write_bytes(out / name, (it.folder / name).read_bytes())
    *before, last = read_chain(it.folder)
    write_chain(out, (*before, last.model_copy(update={"sha256": weights_sha256(out)})))
    atomic_write_text(out / CALIBRATION_FILE, json.dumps(asdict(calibration), indent=1) + "\n")
    return calibration
