"""The words of a distortion graph: labels, ordered scales, thresholds, and how people read labels.

The vocabulary is data: it travels inside every graph, data set and checkpoint. Model, loss,
metrics and file formats ask it for sizes and never hard-code them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Literal, NoReturn, TypeAlias, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from distortion_graph.base.errors import VocabularyError

_Value = TypeVar("_Value")

# The labels stay as they were published; these are for people. They must tell one distortion from
# another, be short enough for a column of a table, and make sense in "the sky: …, severe".
_PUBLISHED_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "clean": "clean",
        "snow": "snow",
        "contrast_inc": "too much contrast",
        "compression": "compression",
        "brightness": "too bright",
        "oversharpen": "oversharpening",
        "noise": "noise",
        "blur": "blur",
        "haze": "haze",
        "rain": "rain",
        "saturate_inc": "oversaturation",
        "saturate_dec": "washed-out colours",
        "contrast_dec": "too little contrast",
        "darken": "too dark",
        "pixelate": "pixelation",
    }
)


UNCERTAIN = "uncertain"
"""What is said of a node that the model itself does not believe to know."""


class FrozenMap(dict[str, _Value]):
    """A dict that cannot be changed and can be hashed: a frozen graph is frozen all through."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the parts of a distortion graph cannot be changed; make a new one")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenMap[_Value]], tuple[dict[str, _Value]]]:
        return FrozenMap, (dict(self),)


def frozen_map(values: Mapping[str, _Value]) -> FrozenMap[_Value]:
    """A `FrozenMap` of these values; for pydantic, which cannot see what `FrozenMap[str]` takes."""
    return FrozenMap(values)


Words: TypeAlias = Annotated[Mapping[str, str], AfterValidator(frozen_map)]


class ComparisonLevel(BaseModel):
    """One step of the comparison scale.

    `rank` is negative where the anchor is worse, 0 for the neutral step, positive where it is
    better. A score difference d = score_anchor − score_target falls on the highest |rank| whose
    `min_abs_d` it reaches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(min_length=1)
    rank: int
    min_abs_d: float = Field(ge=0, allow_inf_nan=False)


class Vocabulary(BaseModel):
    """Distortion labels, the ordered severity scale and the ordered comparison scale.

    The first severity is the word for "nothing wrong"; the same word must be among the
    distortions. Comparisons are kept in rank order, −K … K, and mirror each other.

    `words` is what people read instead of a label (`in_words`); labels may be missing from it, and
    files always have the labels. Two vocabularies that differ in their words alone are equal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    distortions: tuple[str, ...]
    severities: tuple[str, ...]
    comparisons: tuple[ComparisonLevel, ...]
    words: Words | None = None

    def __eq__(self, other: object) -> bool:
        return self._labels == other._labels if isinstance(other, Vocabulary) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._labels)

    @property
    def _labels(self) -> tuple[object, ...]:
        """All but the words."""
        return self.distortions, self.severities, self.comparisons

    @model_serializer(mode="wrap")
    def _without_missing_words(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        if self.words is None:
            fields.pop("words", None)
        return fields

    @model_validator(mode="after")
    def _check(self) -> Vocabulary:
        _need_unique("distortions", self.distortions, at_least=2)
        _need_unique("severities", self.severities, at_least=2)
        _need_unique("comparisons", [c.label for c in self.comparisons], at_least=3)
        if self.severities[0] not in self.distortions:
            raise VocabularyError(
                f"vocabulary: the first severity {self.severities[0]!r} is the word for an "
                f"undistorted region and must be among the distortions {list(self.distortions)}"
            )
        self._check_comparisons()
        self._check_words()
        return self

    def _check_comparisons(self) -> None:
        ranks = [c.rank for c in self.comparisons]
        steps = len(ranks) // 2
        if ranks != list(range(-steps, steps + 1)):
            raise VocabularyError(
                f"vocabulary: comparison ranks must run from −K to K in order, got {ranks}"
            )
        right = [c.min_abs_d for c in self.comparisons[steps:]]
        left = [c.min_abs_d for c in self.comparisons[steps::-1]]
        if right != left or right[0] != 0 or any(b <= a for a, b in pairwise(right)):
            raise VocabularyError(
                "vocabulary: min_abs_d must be 0 at rank 0, grow with |rank| and be equal for "
                f"rank k and −k, got {[c.min_abs_d for c in self.comparisons]}"
            )

    def _check_words(self) -> None:
        scales = (self.distortions, self.severities, self.comparison_labels)
        labels = tuple(dict.fromkeys(label for scale in scales for label in scale))
        for label, text in (self.words or {}).items():
            try:
                _index("label", label, labels)
            except VocabularyError as error:
                raise VocabularyError(f"vocabulary: words: {error}") from None
            if not text.strip() or not text.isprintable():
                raise VocabularyError(
                    f"vocabulary: the words of {label!r} are {text!r}, expected one line of text"
                )
        for scale in scales if self.words else ():
            text, count = Counter(map(self.in_words, scale)).most_common(1)[0]
            if count > 1:
                alike = " and ".join(label for label in scale if self.in_words(label) == text)
                raise VocabularyError(
                    f"vocabulary: {alike} read {text!r}, expected words that tell them apart"
                )

    def in_words(self, label: str) -> str:
        """What people read instead of a label: `slightly_worse` → `slightly worse`.

        The vocabulary's own words, else those that the published distortions have where they are
        the vocabulary's, else the label with spaces for its underscores.
        """
        if self.words is not None and label in self.words:
            return self.words[label]
        if label in _PUBLISHED_WORDS and _PUBLISHED_WORDS.keys() == set(self.distortions):
            return _PUBLISHED_WORDS[label]
        return label.replace("_", " ")

    @property
    def clean(self) -> str:
        """The word for an undistorted region: a distortion label and the lowest severity."""
        return self.severities[0]

    @cached_property
    def clean_index(self) -> int:
        """Position of the clean label among the distortions."""
        return self.distortions.index(self.clean)

    @cached_property
    def comparison_labels(self) -> tuple[str, ...]:
        """Comparison labels in rank order, worst for the anchor first."""
        return tuple(c.label for c in self.comparisons)

    @property
    def neutral_index(self) -> int:
        """Position of the neutral comparison (rank 0); also the number of steps on a side."""
        return len(self.comparisons) // 2

    @cached_property
    def thresholds(self) -> tuple[float, ...]:
        """Lower bounds of |d| for ranks 1 … K."""
        return tuple(c.min_abs_d for c in self.comparisons[self.neutral_index + 1 :])

    def distortion_index(self, label: str) -> int:
        """Index of a distortion label; raises VocabularyError naming the nearest label."""
        return _index("distortion", label, self.distortions)

    def severity_index(self, label: str) -> int:
        """Index of a severity label; raises VocabularyError naming the nearest label."""
        return _index("severity", label, self.severities)

    def comparison_index(self, label: str) -> int:
        """Index of a comparison label; raises VocabularyError naming the nearest label."""
        return _index("comparison", label, self.comparison_labels)

    def compare_scores(self, anchor: float, target: float) -> ComparisonLevel:
        """The comparison level of two quality scores: is the anchor better (+) or worse (−)?"""
        d = anchor - target
        rank = sum(abs(d) >= t for t in self.thresholds)
        return self.comparisons[self.neutral_index + (rank if d > 0 else -rank)]


def _need_unique(what: str, labels: Sequence[str], *, at_least: int) -> None:
    if len(labels) < at_least:
        raise VocabularyError(f"vocabulary: {what} needs at least {at_least} labels, got {labels}")
    if len(set(labels)) != len(labels) or not all(labels):
        raise VocabularyError(f"vocabulary: {what} must be distinct and not empty, got {labels}")


def _index(what: str, label: str, labels: Sequence[str]) -> int:
    if label in labels:
        return labels.index(label)
    near = get_close_matches(label, labels, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise VocabularyError(f"unknown {what} {label!r}, expected one of {', '.join(labels)}{hint}")


def _default() -> Vocabulary:
    comparisons = [
        ("significantly_worse", -2, 0.3),
        ("slightly_worse", -1, 0.1),
        ("same", 0, 0.0),
        ("slightly_better", 1, 0.1),
        ("significantly_better", 2, 0.3),
    ]
    return Vocabulary(
        distortions=(
            "clean",
            "snow",
            "contrast_inc",
            "compression",
            "brightness",
            "oversharpen",
            "noise",
            "blur",
            "haze",
            "rain",
            "saturate_inc",
            "saturate_dec",
            "contrast_dec",
            "darken",
            "pixelate",
        ),
        severities=("clean", "minor", "moderate", "severe"),
        comparisons=tuple(
            ComparisonLevel(label=label, rank=rank, min_abs_d=d) for label, rank, d in comparisons
        ),
    )


DEFAULT_VOCABULARY = _default()
"""The published vocabulary: 14 distortions and clean, 4 severities, 5 comparisons."""

FINE_COMPARISONS = tuple(
    ComparisonLevel(label=label, rank=rank, min_abs_d=d)
    for label, rank, d in (
        ("clearly_worse", -3, 0.1),
        ("visibly_worse", -2, 0.033),
        ("measurably_worse", -1, 0.003),
        ("same", 0, 0.0),
        ("measurably_better", 1, 0.003),
        ("visibly_better", 2, 0.033),
        ("clearly_better", 3, 0.1),
    )
)
"""Steps for near-lossless work, of HaarPSI: thirds of the default ones, and a step below them.

A photograph saved as JPEG 98 scores about .003 lower, and one saved as JPEG 70 .033, which people
who compare side by side just see; docs/vocabularies.md has the figures.
"""

Scale = Literal["common", "fine"]
"""Which steps comparisons have: those of a model's own vocabulary, or `FINE_COMPARISONS`."""


def scaled(vocabulary: Vocabulary, scale: Scale) -> Vocabulary:
    """The vocabulary itself, or `fine_scale` of it; raises VocabularyError for another scale."""
    if scale not in get_args(Scale):
        known = ", ".join(map(repr, get_args(Scale)))
        raise VocabularyError(f"scale is {scale!r}, expected one of {known}")
    return vocabulary if scale == "common" else fine_scale(vocabulary)


def fine_scale(vocabulary: Vocabulary) -> Vocabulary:
    """The same labels and severities with `FINE_COMPARISONS`, and without words for others."""
    severities, distortions = vocabulary.severities, vocabulary.distortions
    kept = {*severities, *distortions, *(level.label for level in FINE_COMPARISONS)}
    words = vocabulary.words and {k: v for k, v in vocabulary.words.items() if k in kept}
    return Vocabulary(
        distortions=distortions, severities=severities, comparisons=FINE_COMPARISONS, words=words
    )
