"""What a policy says: how pairs are compared, and what may not happen between them.

The *anchor* is the picture as it was accepted, the *target* the new one. All parts are frozen and
typed, and unknown keys fail. docs/gate.md has the keys in a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StrictStr,
    ValidationError,
    model_validator,
)

from distortion_graph.base.errors import PolicyError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Scale, Vocabulary
from distortion_graph.batch.worker import Comparing
from distortion_graph.graph import Side
from distortion_graph.measure.evidence import Level
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS
from distortion_graph.predict.sizes import Fit

Share: TypeAlias = Annotated[float, Strict(), Field(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Strict(), Field(gt=0, le=1)]
Pixel: TypeAlias = Annotated[int, Strict(), Field(ge=0)]
BoxNumbers: TypeAlias = Annotated[tuple[Pixel, ...], Field(min_length=4, max_length=4)]
Words: TypeAlias = tuple[StrictStr, ...]

Rule: TypeAlias = Literal["comparison", "loss", "distortions", "differs", "size"]
"""What a finding breaks; "size" is broken where nothing says what to do with another size."""

RULES: tuple[Rule, ...] = ("comparison", "loss", "distortions", "differs")


class Part(BaseModel):
    """Base of every part of a policy."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class How(Part):
    """How pairs are compared; the keys are options of `compare`.

    Other than there, the pictures of a pair lie on each other pixel by pixel unless `align` says
    otherwise, and another size is a finding unless `fit` says what to do.
    """

    regions: StrictStr = "auto"
    align: AlignMode = "none"
    fit: Fit = "error"
    reference: Side | None = None
    score_metric: StrictStr = HAARPSI.name
    scale: Scale = "common"
    evidence: Level = "fast"
    model: StrictStr | None = None
    background: StrictStr = DEFAULT_BACKGROUND
    max_pixels: Annotated[int, Strict(), Field(ge=1)] = DEFAULT_MAX_PIXELS

    def comparing(self) -> Comparing:
        """The same for a batch."""
        return Comparing(**self.model_dump())


class Places(Part):
    """Parts of a picture: named regions (with `*` for any text), boxes (x, y, w, h) in pixels of
    the anchor, and masks: pictures of the anchor's size, black outside.
    """

    regions: Words = ()
    boxes: tuple[BoxNumbers, ...] = ()
    masks: Words = ()

    def __bool__(self) -> bool:
        return bool(self.regions or self.boxes or self.masks)


class Ignored(Places):
    """What no rule looks at: places, and pixels that only another drawing of the same makes differ.

    `antialiasing` is "edges", pixels that smooth an edge, or "text", letters and edges drawn anew
    within a pixel (`measure.antialiasing`).
    """

    antialiasing: Literal["edges", "text"] | None = None

    def __bool__(self) -> bool:
        return self.antialiasing is not None or super().__bool__()


class ComparisonRule(Part):
    """No region of the target may be worse than `worst` with `probability` or more."""

    worst: StrictStr = "slightly_worse"
    probability: Positive = 0.5

    def rank(self, vocabulary: Vocabulary) -> int:
        """The rank of `worst`; raises VocabularyError, PolicyError for a label above `same`."""
        rank = vocabulary.comparisons[vocabulary.comparison_index(self.worst)].rank
        if rank > 0:
            below = vocabulary.comparison_labels[: vocabulary.neutral_index + 1]
            raise PolicyError(
                f"comparison.worst is {self.worst!r}, expected one of {', '.join(below)}"
            )
        return rank


class LossRule(Part):
    """The largest loss of score, score(anchor) − score(target), of a region and of the scene."""

    region: Share | None = None
    scene: Share | None = None


class DistortionRule(Part):
    """Distortions that no region of the target may suffer with `probability` or more.

    They are those `forbidden`, or all but those `allowed`. What the anchor's region suffers as
    badly does not count.
    """

    forbidden: Words = ()
    allowed: Words | None = None
    probability: Positive = 0.5

    @model_validator(mode="after")
    def _check(self) -> DistortionRule:
        if self.forbidden and self.allowed is not None:
            raise ValueError("forbidden and allowed exclude each other, expected one of them")
        return self

    def forbids(self, label: str) -> bool:
        """Whether a distortion other than clean may not be there."""
        return label in self.forbidden if self.allowed is None else label not in self.allowed


class DiffersRule(Part):
    """Visibly differing pixels: at most `share` of those outside the places named by `outside`."""

    share: Share = 0.0
    outside: Places = Places()


class Rules(Part):
    """What may not happen to a pair, and what is ignored; a rule that is null is not there."""

    comparison: ComparisonRule | None = None
    loss: LossRule | None = None
    distortions: DistortionRule | None = None
    differs: DiffersRule | None = None
    ignore: Ignored = Ignored()

    @property
    def named_regions(self) -> bool:
        """Whether a place is named by a region."""
        outside = self.differs.outside.regions if self.differs else ()
        return bool(self.ignore.regions or outside)

    def check_labels(self, vocabulary: Vocabulary) -> None:
        """Raise VocabularyError or PolicyError for a label that a vocabulary does not have."""
        if self.comparison is not None:
            self.comparison.rank(vocabulary)
        if self.distortions is not None:
            for label in (*self.distortions.forbidden, *(self.distortions.allowed or ())):
                vocabulary.distortion_index(label)


class BaselineRule(Part):
    """What was recorded of each pair, and how much more is allowed: by default, measured noise."""

    file: StrictStr
    tolerance: Share | None = None


class Policy(Rules):
    """A whole policy: rules for all pairs, and changes of them for some.

    `folders` are rules by a glob of the pair's id, which is its path in the folder: `*` is any
    text, slashes too. What they say replaces what the policy says, key by key, later globs last.
    """

    compare: How = How()
    folders: Mapping[str, Rules] = Field(default_factory=dict)
    baseline: BaselineRule | None = None

    @model_validator(mode="after")
    def _check(self) -> Policy:
        every = [self.all_pairs, *(self._merged((glob,)) for glob in self.folders)]
        if self.baseline is None and not any(
            getattr(rules, name) is not None for rules in every for name in RULES
        ):
            raise ValueError(f"no rule, expected at least one of {', '.join(RULES)} or baseline")
        pixelwise = any(rules.differs or rules.ignore for rules in every)
        if pixelwise and self.compare.align != "none":
            raise ValueError(
                f"compare.align is {self.compare.align!r}, but differs and ignore need pictures "
                "that lie on each other pixel by pixel, expected 'none'"
            )
        return self

    @property
    def all_pairs(self) -> Rules:
        """The rules of pairs that no glob fits."""
        return self._merged(())

    def globs_of(self, pair_id: str) -> tuple[str, ...]:
        """The keys of `folders` that fit a pair, in their order."""
        return tuple(glob for glob in self.folders if fnmatchcase(pair_id, glob))

    def rules_of(self, pair_id: str) -> Rules:
        """The rules of a pair; raises PolicyError where those of two globs exclude each other."""
        globs = self.globs_of(pair_id)
        try:
            return self._merged(globs)
        except ValidationError as error:
            where = f"folders {' and '.join(map(repr, globs))}, which fit {pair_id}"
            raise PolicyError(validation_line(error, where, Rules)) from error

    def check_labels(self, vocabulary: Vocabulary) -> None:
        """As `Rules.check_labels`, for those of every glob too."""
        for rules in (self.all_pairs, *(self._merged((glob,)) for glob in self.folders)):
            Rules.check_labels(rules, vocabulary)

    def measured(self) -> dict[str, Any]:
        """What changes the amounts that are measured, and not just what is allowed of them."""

        def of(rules: Rules) -> dict[str, Any]:
            outside = rules.differs.outside if rules.differs else Places()
            return {
                "comparison.worst": rules.comparison and rules.comparison.worst,
                "differs.outside": outside.model_dump(mode="json"),
                "ignore": rules.ignore.model_dump(mode="json"),
            }

        folders = {f"folders {glob}": of(self._merged((glob,))) for glob in self.folders}
        return self.compare.model_dump(mode="json") | of(self.all_pairs) | folders

    def _merged(self, globs: tuple[str, ...]) -> Rules:
        # What was not said is missing from these, so that it replaces nothing.
        tree = self.model_dump(include=set(Rules.model_fields), exclude_unset=True)
        for glob in globs:
            tree = _replaced(tree, self.folders[glob].model_dump(exclude_unset=True))
        return Rules.model_validate(tree)


def _replaced(tree: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """A tree with the values of another one, key by key."""
    merged = dict(tree)
    for key, value in by.items():
        inner = merged.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        merged[key] = _replaced(inner or {}, value) if both else value
    return merged
