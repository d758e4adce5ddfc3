"""A benchmark's result as a file: what ran, its figures, and the answers they come from.

The answers are kept as columns, one entry per region, so that any figure can be made again and runs
can be compared region by region.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Numbers, Positions, Truth
from distortion_graph.bench.figures import Figures, Part
from distortion_graph.bench.metrics import MISSED
from distortion_graph.datasets.layout import PairKey
from distortion_graph.graph import parse_json

Position = Annotated[int, Field(ge=0, lt=2**63)]
Given = Position | None
Share = Annotated[float, Field(ge=0, le=1)]
Flag = Annotated[int, Field(ge=0, le=1)]
Two = tuple[list[Any], list[Any]]


class TruthColumns(Part):
    """What is true of N regions: the pair's number, the region's id, labels as positions.

    Labels and scores are null where people judged and did not say.
    Of two columns the first is the anchor's. `present` has a column of 0 and 1 for each distortion
    of the vocabulary, whether a region suffers it; null where the data set does not say whether
    regions have several.
    """

    pair: list[Position]
    region: list[Position]
    distortion: tuple[list[Given], list[Given]]
    severity: tuple[list[Given], list[Given]]
    comparison: list[Given]
    score: tuple[list[Share | None], list[Share | None]]
    present: tuple[list[list[Flag]], list[list[Flag]]] | None = None

    @classmethod
    def of(cls, truth: Truth) -> TruthColumns:
        """The columns of a truth."""
        return cls(
            pair=truth.pair.tolist(),
            region=truth.region.tolist(),
            distortion=_two(truth.distortion),
            severity=_two(truth.severity),
            comparison=_nullable(truth.comparison),
            score=_two(truth.score),
            present=_by_label(truth.present),
        )

    def table(self, keys: Sequence[PairKey]) -> Truth:
        """The truth as arrays."""
        return Truth(
            tuple(keys),
            np.array(self.pair, np.int64),
            np.array(self.region, np.int64),
            _positions(self.distortion).reshape(2, -1),
            _positions(self.severity).reshape(2, -1),
            _positions([self.comparison]).reshape(-1),
            _numbers(self.score),
            _flags(self.present),
        )


class AnswerColumns(Part):
    """What a run said of the same N regions, null where it said nothing.

    The confidences are the probabilities of the labels given. `also` and `present` have a
    column for each distortion of the vocabulary: whether it is named beside the first, and its
    probability of being there; null for a run that does not say, and where the truth does not.
    """

    distortion: tuple[list[Given], list[Given]]
    severity: tuple[list[Given], list[Given]]
    comparison: list[Given]
    score: tuple[list[Share | None], list[Share | None]]
    distortion_confidence: tuple[list[Share | None], list[Share | None]]
    severity_confidence: tuple[list[Share | None], list[Share | None]]
    comparison_confidence: list[Share | None]
    also: tuple[list[list[Flag]], list[list[Flag]]] | None = None
    present: tuple[list[list[Share | None]], list[list[Share | None]]] | None = None

    @classmethod
    def of(cls, answers: Answers) -> AnswerColumns:
        """The columns of answers."""
        return cls(
            distortion=_two(answers.distortion),
            severity=_two(answers.severity),
            comparison=_nullable(answers.comparison),
            score=_two(answers.score),
            distortion_confidence=_two(answers.distortion_confidence),
            severity_confidence=_two(answers.severity_confidence),
            comparison_confidence=_nullable(answers.comparison_confidence),
            also=_by_label(answers.also),
            present=_by_label(answers.present),
        )

    def table(self) -> Answers:
        """The answers as arrays."""
        return Answers(
            _positions(self.distortion).reshape(2, -1),
            _positions(self.severity).reshape(2, -1),
            _positions([self.comparison]).reshape(-1),
            _numbers(self.score),
            _numbers(self.distortion_confidence),
            _numbers(self.severity_confidence),
            _numbers([self.comparison_confidence]).reshape(-1),
            _flags(self.also),
            None if self.present is None else np.stack([_numbers(side) for side in self.present]),
        )


class PristineFigures(Part):
    """Share of never-distorted regions that are called clean.

    Beside the clean picture itself, and beside its `version`; null where the root has none.
    """

    beside_itself: float | None
    beside_version: float | None
    version: str | None


class RunResult(Part):
    """One run over one list of pairs.

    `left_out` are numbers of pairs without an answer that were not counted, `missing_files` and
    `extra_regions` what a folder of predictions lacked and had too much.
    """

    name: str
    kind: Literal["model", "predictions", "baseline"]
    figures: Figures
    answers: AnswerColumns
    left_out: list[Position] = Field(default_factory=list)
    missing_files: int = 0
    extra_regions: int = 0


class PairsResult(Part):
    """Easy, medium, hard or all pairs, their truth, and every run.

    `keys` are (anchor version, target version, tag), one per pair.
    """

    pairs: str
    keys: list[tuple[str, str, str]]
    truth: TruthColumns
    runs: list[RunResult]

    def table(self) -> Truth:
        """The truth as arrays."""
        return self.truth.table([PairKey(*key) for key in self.keys])


class RunIdentity(Part):
    """What a run was: a model's version and SHA-256, a folder's name; null where unknown."""

    kind: Literal["model", "predictions", "baseline"]
    model: str | None = None
    version: str | None = None
    sha256: str | None = None
    pristine: PristineFigures | None = None


class RootIdentity(Part):
    """Which data set: its folder's name, and the SHA-256 of the files that say what is in it."""

    name: str
    sha256: dict[str, str]


class BenchResult(Part):
    """All of a result file: the splits of the data set that were used, a result per pairs."""

    format: Literal["distortion-graph bench 1"] = "distortion-graph bench 1"
    root: RootIdentity
    splits: list[str]
    seed: int
    vocabulary: Vocabulary
    identities: dict[str, RunIdentity]
    pairs: list[PairsResult]
    software: dict[str, str]

    @model_validator(mode="after")
    def _check(self) -> BenchResult:
        if not self.pairs:
            raise ValueError("pairs: none there, expected at least one")
        _check_once([listed.pairs for listed in self.pairs], "pairs")
        for listed in self.pairs:
            _check_once([run.name for run in listed.runs], f"{listed.pairs} pairs: runs")
            _check_columns(listed, self.vocabulary)
            strangers = [run.name for run in listed.runs if run.name not in self.identities]
            if strangers:
                raise ValueError(f"pairs: {strangers[0]!r} is not among the identities")
        return self

    def to_json(self) -> str:
        """The text of the file; floats are written so that they are read back exactly."""
        return self.model_dump_json() + "\n"


def read_result(path: Path) -> BenchResult:
    """A result file, checked all through; raises DistortionGraphError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DistortionGraphError(
            f"{path}: cannot be read ({error.strerror}), expected a result of `bench --json`"
        ) from error
    value = parse_json(data, str(path))
    form = value.get("format") if isinstance(value, dict) else None
    expected = BenchResult.model_fields["format"].default
    if form != expected:
        raise DistortionGraphError(
            f"{path}: format is {form!r:.60}, expected {expected!r}, a result of `bench --json`"
        )
    if "part" in value:
        raise DistortionGraphError(
            f"{path}: has the keys 'part' and 'splits' of an earlier version, expected 'splits' "
            "(train, val, test) and 'pairs' (easy, medium, hard, all); run `bench --json` again"
        )
    try:
        return BenchResult.model_validate(value)
    except ValidationError as error:
        raise DistortionGraphError(validation_line(error, str(path), BenchResult)) from error


class _Column(NamedTuple):
    name: str
    values: list[Any]
    below: int | None


def _check_once(names: Sequence[str], what: str) -> None:
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise ValueError(f"{what}: {twice[0]!r} is there twice, expected once")


def _check_columns(listed: PairsResult, vocabulary: Vocabulary) -> None:
    """Columns of one length, positions that exist; raises ValueError, which pydantic words."""
    truth, count = listed.truth, len(listed.truth.region)
    columns = [_Column("truth.pair", truth.pair, len(listed.keys))]
    columns += _columns_of("truth", truth, vocabulary)
    for run in listed.runs:
        columns += _columns_of(f"run {run.name!r}", run.answers, vocabulary)
        columns.append(_Column(f"run {run.name!r}.left_out", run.left_out, len(listed.keys)))
    for name, values, below in columns:
        if len(values) != count and not name.endswith("left_out"):
            raise ValueError(
                f"{listed.pairs} pairs: {name} has {len(values)} entries, expected {count}"
            )
        largest = max((v for v in values if v is not None), default=0)
        if below is not None and largest >= max(below, 1):
            raise ValueError(
                f"{listed.pairs} pairs: {name} holds {largest}, expected less than {below}"
            )


def _columns_of(
    place: str, table: TruthColumns | AnswerColumns, vocabulary: Vocabulary
) -> list[_Column]:
    sizes = {
        "distortion": len(vocabulary.distortions),
        "severity": len(vocabulary.severities),
        "comparison": len(vocabulary.comparisons),
    }
    columns = []
    for name in type(table).model_fields:
        if name in ("pair", "region"):
            continue
        value = getattr(table, name)
        sides: Sequence[list[Any]] = value if isinstance(value, tuple) else (value,)
        if name in ("also", "present"):
            sides = _label_columns(f"{place}.{name}", value, len(vocabulary.distortions))
        columns += [_Column(f"{place}.{name}", side, sizes.get(name)) for side in sides]
    return columns


def _label_columns(place: str, sides: Two | None, labels: int) -> list[list[Any]]:
    """The columns of every distortion; raises ValueError, which pydantic words."""
    for side in sides or ():
        if len(side) != labels:
            raise ValueError(f"{place} has {len(side)} columns, expected one for {labels} labels")
    return [column for side in sides or () for column in side]


def _two(values: NDArray[Any]) -> Two:
    return _nullable(values[0]), _nullable(values[1])


def _by_label(values: NDArray[Any] | None) -> Two | None:
    """(2, D, N) as a column for each label."""
    if values is None:
        return None
    plain = values.astype(np.int64) if values.dtype == np.bool_ else values
    anchor, target = ([_nullable(column) for column in side] for side in plain)
    return anchor, target


def _flags(sides: Two | None) -> NDArray[np.bool_] | None:
    return None if sides is None else np.array(sides, np.int64).astype(np.bool_)


def _nullable(values: NDArray[Any]) -> list[Any]:
    """Plain numbers, None for what is missing."""
    if values.dtype.kind == "f":
        return [None if v != v else v for v in values.tolist()]
    return [None if v == MISSED else v for v in values.tolist()]


def _positions(sides: Sequence[Sequence[int | None]]) -> Positions:
    return np.array([[MISSED if v is None else v for v in side] for side in sides], np.int64)


def _numbers(sides: Sequence[Sequence[float | None]]) -> Numbers:
    rows = [[np.nan if v is None else v for v in side] for side in sides]
    return np.array(rows, np.float64).reshape(len(sides), -1)
