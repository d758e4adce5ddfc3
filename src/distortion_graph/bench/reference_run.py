"""A model that is given the data set's clean picture: scores measured, labels beside the original.

The row beside the model's own one says what the original is worth.
"""

from __future__ import annotations

from dataclasses import replace

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.evaluate import ModelRun
from distortion_graph.datasets.samples import Sample
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.predict.against import Original
from distortion_graph.predict.asked import AskedBeside
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model

SUFFIX = " + reference"
"""What follows a model's name in the name of its row with the reference."""


class ReferenceRun(ModelRun):
    """A model, answering as `compare --reference` does with the clean picture.

    `metric` is that of the data set's true scores, so comparisons are true by construction.
    """

    by_margin = True

    def __init__(
        self,
        model: Model,
        vocabulary: Vocabulary,
        *,
        name: str | None = None,
        metric: FullReferenceMetric = HAARPSI,
    ) -> None:
        super().__init__(model, vocabulary, name=name or model.identity.name + SUFFIX)
        self.metric = metric

    def _predict(self, pictures: tuple[Picture, Picture], sample: Sample) -> Predictions:
        original = Original(clean_picture(sample), self.metric)
        asked = AskedBeside(self.model, *pictures, (original, original))
        return asked.predictions(sample.regions)


def clean_picture(sample: Sample) -> Picture:
    """The picture that both versions were made of; raises DatasetError where it is not known."""
    if sample.load_clean is None:
        raise DatasetError(f"{sample.tag}: the clean picture is not known, expected one")
    picture = load_picture(sample.load_clean())
    if picture.size != sample.regions.size:
        expected = f"{sample.regions.size[1]}×{sample.regions.size[0]}"
        raise DatasetError(
            f"{sample.tag}: the clean picture is {picture.width}×{picture.height}, expected "
            f"{expected} as its versions"
        )
    return replace(picture, source=sample.tag)
