"""What is known of a picture that is held against its original, and of two of them as a pair.

`judge` takes one picture at a time, so that any number of them can be compared with one another
for one look at each: scores are measured between the original and the picture, labels are what the
model says of that pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import Node
from distortion_graph.graph.build import DECIMALS
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, Reference, score_masks
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.predict.canonical import equal_inside, predict_canonically
from distortion_graph.predict.comparing import margin_masses
from distortion_graph.predict.decode import DEFAULT_DECODING, Decoding, decode
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.work.threads import CachedCall

Numbers = NDArray[np.float64]


class Original:
    """An original and the metric that scores other pictures of its size against it.

    What the metric works out of the original alone is worked out once, when the first picture is
    scored.
    """

    def __init__(self, picture: Picture, metric: FullReferenceMetric = HAARPSI) -> None:
        self.picture, self.metric = picture, metric
        self._reference: CachedCall[Reference] = CachedCall(lambda: metric.against(picture.rgb))

    def scores(self, candidate: Picture, masks: LazyMasks) -> tuple[Numbers, float]:
        """Scores of R regions, (R,), and of the whole picture.

        Raises ImageError for a picture of another size, RecipeError for a metric that leaves
        [0, 1].
        """
        reference = self._reference()
        # First, alone: threads that score regions find the original's filters there.
        scene = float(reference.scene_score(candidate.rgb))
        scores = score_masks(reference, candidate.rgb, masks)
        for score in (*scores.tolist(), scene):
            if not 0 <= score <= 1:  # NaN fails too
                raise RecipeError(
                    f"metric {self.metric.name!r}: gave the score {score}, expected one from 0 to 1"
                )
        return scores, scene


@dataclass(frozen=True, eq=False)
class JudgedPicture:
    """What is known of R regions of one picture beside its original; see `Predictions`.

    `distortion` (R, D), `severity_given` (R, D, S), `score` (R,) and `scene_score` measured,
    `known` (R,) and `present` (R, D), the latter two None where the model does not say.
    """

    distortion: Numbers
    severity_given: Numbers
    score: Numbers
    scene_score: float
    known: Numbers | None
    present: Numbers | None

    def untouched(self, where: NDArray[np.bool_], clean: int) -> JudgedPicture:
        """The same, but regions (R,) that equal the original are clean; `clean` is its position."""
        if not where.any():
            return self
        is_clean = np.arange(self.distortion.shape[1]) == clean
        return replace(
            self,
            distortion=np.where(where[:, None], is_clean, self.distortion),
            score=np.where(where, 1.0, self.score),
            known=None if self.known is None else np.where(where, 1.0, self.known),
            present=None if self.present is None else np.where(where[:, None], 0.0, self.present),
        )


def judge(
    model: Model,
    original: Original,
    candidate: Picture,
    regions: RegionSet,
    masks: LazyMasks | None = None,
) -> JudgedPicture:
    """Look at one picture beside its original, which lies on it pixel by pixel.

    The bits depend on the two pictures and the region alone, not on the order of the regions. A
    model that takes a reference (`Model.takes_reference`) is told which of the two is the original;
    any other one sees a pair of pictures. A region whose pixels equal the original's is clean, and
    so is all of a picture that is the original.

    Args:
        model: finds what is wrong.
        original: of the candidate's size.
        candidate: what is held against it.
        regions: on the candidate.
        masks: the regions', where there already are some, so that none is decoded twice.

    Raises ImageError for a picture of another size, ModelError for a damaged model, RecipeError for
    a metric that leaves [0, 1].
    """
    clean = model.vocabulary.clean_index
    if rgb_sha256(original.picture.rgb) == rgb_sha256(candidate.rgb):
        return _original_itself(model.vocabulary, len(regions))
    masks = masks or regions.lazy_masks()
    told = 0 if model.takes_reference else None
    said = predict_canonically(model, original.picture, candidate, regions, masks, told)
    scores, scene_score = original.scores(candidate, masks)
    judged = JudgedPicture(
        distortion=said.distortion[1],
        severity_given=said.severity_given[1],
        score=scores,
        scene_score=scene_score,
        known=None if said.known is None else said.known[1],
        present=None if said.present is None else said.present[1],
    )
    return judged.untouched(equal_inside(original.picture.rgb, candidate.rgb, masks), clean)


def _original_itself(vocabulary: Vocabulary, regions: int) -> JudgedPicture:
    """All clean. Severities of what is not there are all as probable."""
    labels, severities = len(vocabulary.distortions), len(vocabulary.severities)
    given = np.full((regions, labels, severities), 1 / (severities - 1))
    given[..., 0] = 0
    given[:, vocabulary.clean_index] = np.arange(severities) == 0
    zeros = np.zeros((regions, labels))
    blank = JudgedPicture(zeros, given, np.ones(regions), 1.0, np.ones(regions), zeros)
    return blank.untouched(np.ones(regions, np.bool_), vocabulary.clean_index)


def pair_predictions(
    anchor: JudgedPicture,
    target: JudgedPicture,
    vocabulary: Vocabulary,
    spread: float,
    equal: NDArray[np.bool_] | None = None,
    *,
    identical: bool = False,
) -> Predictions:
    """Two pictures judged beside one original as predictions, to be decoded `by_margin`.

    Args:
        anchor: of R regions.
        target: of the same regions.
        vocabulary: whose comparisons are wanted, such as `fine_scale` of the model's.
        spread: of a score (`FullReferenceMetric.spread`).
        equal: (R,) regions whose pixels are equal in the two pictures, which are `same` for
            certain; none where it is left out.
        identical: whether the two pictures are equal all over.
    """
    score = np.stack([anchor.score, target.score]).round(DECIMALS)
    scene_score = np.array([anchor.scene_score, target.scene_score]).round(DECIMALS)
    margins = np.append(score[0] - score[1], scene_score[0] - scene_score[1])
    masses = margin_masses(margins, np.full(len(margins), spread), vocabulary)
    predictions = Predictions(
        **{name: _both(anchor, target, name) for name in _OF_NODES},
        score=score,
        comparison=masses[:-1],
        scene_score=scene_score,
        scene_comparison=masses[-1],
    )
    none = np.zeros(len(anchor.score), np.bool_)
    return predictions.where_equal(none if equal is None else equal, scene=identical)


def judged_nodes(
    judged: JudgedPicture, vocabulary: Vocabulary, decoding: Decoding = DEFAULT_DECODING
) -> Sequence[Node]:
    """The nodes of one picture's R regions, without masks; `decoding` is the model's own."""
    pair = pair_predictions(judged, judged, vocabulary, 0.0)
    return [region.anchor for region in decode(pair, vocabulary, None, decoding).regions]


_OF_NODES = tuple(
    field.name for field in fields(JudgedPicture) if field.name not in ("score", "scene_score")
)


def _both(anchor: JudgedPicture, target: JudgedPicture, name: str) -> Any:
    """(2, R, …); None unless both pictures have it."""
    sides = getattr(anchor, name), getattr(target, name)
    return None if any(side is None for side in sides) else np.stack(sides)
