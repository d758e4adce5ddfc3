"""`dataset.json`: what a data set is, for people and programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.layout import (
    DATASET_FILE,
    check_version_folders,
    version_names,
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourceDescription(_Part):
    """Where pictures came from: the source's name and kind, how many, and the licence given.

    `skipped` pictures could not be used; of `noted` ones the reader took a part or changed colours
    (the manifest says what and why of each); `left_out` are the source's other files, by reason.
    """

    name: str
    kind: str
    pictures: int
    skipped: int
    noted: int = 0
    left_out: dict[str, int] = {}
    licence: str | None = None
    segmenter: str | None = None


class SplitDescription(_Part):
    """Counts of one split."""

    pictures: int
    regions: int


class RecipeDescription(_Part):
    """How regions were degraded (`distortion_graph.synth.synthesis.Recipe`), and what was kept.

    `id` is the start of the SHA-256 of the other fields; the manifest's lines refer to it. A
    version of another recipe than the published one was made of a shot of the clean picture
    (`distortion_graph.synth.shots.ShotShares`) and scored against that, not against gt/. What
    only such a recipe has is not written for the published one.
    """

    id: str
    seed: int
    types: tuple[str, ...]
    severity_levels: dict[str, tuple[int, ...]]
    clean_share: float
    feather_px: float
    min_share: float
    max_regions: int | None
    severity_weights: dict[str, float] | None = None
    wanted_regions: int | None = None
    max_side_px: int | None = None
    made_of: dict[str, tuple[str, ...]] | None = None
    name: str = "published"
    labelled_by: Literal["level", "loss"] = "level"
    also_drawn: tuple[str, ...] = ()
    also_share: float = 0.0
    look_share: float = 0.0
    two_looks_share: float = 0.0
    moved_share: float = 0.0

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        value: dict[str, Any] = handler(self)
        if self.name == "published":
            for name in _BEYOND_PUBLISHED:
                value.pop(name, None)
        return value


_BEYOND_PUBLISHED = (
    "name",
    "labelled_by",
    "also_drawn",
    "also_share",
    "look_share",
    "two_looks_share",
    "moved_share",
)


class ImageDescription(_Part):
    """The format of the degraded and clean pictures; `quality` is null for lossless ones."""

    format: str
    quality: int | None


class JudgedDescription(_Part):
    """Of a data set of what people judged: numbers of graphs, people, and regions with labels."""

    graphs: int
    people: int
    regions: int


class BuildDescription(_Part):
    """What `dataset build` needs to know its own work again.

    `options` by the words of the command line, `listing` the SHA-256 of the sources' pictures by
    name, `files` the SHA-256 of every file in the root that is neither a picture nor dataset.json.
    """

    options: dict[str, Any]
    listing: str
    files: dict[str, str]


class DatasetDescription(_Part):
    """All of `dataset.json`. `metric` is what the full-reference metric says of itself.

    `judged` is there where people gave the labels (`dataset import-judged`): nothing was degraded
    or measured, so that there is no recipe and no metric, and gt/ has only the originals known.
    """

    format: Literal["distortion-graph dataset 1"] = "distortion-graph dataset 1"
    vocabulary: Vocabulary
    versions: tuple[str, ...]
    metric: dict[str, Any]
    recipe: RecipeDescription | None = None
    image: ImageDescription
    splits: dict[str, SplitDescription]
    sources: tuple[SourceDescription, ...]
    predicates: tuple[str, ...] = ()
    software: dict[str, str]
    build: BuildDescription | None = None
    judged: JudgedDescription | None = None

    @model_validator(mode="after")
    def _check(self) -> DatasetDescription:
        if (self.recipe is None) == (self.judged is None):
            raise ValueError("recipe and judged: expected one of them, and no more")
        return self

    def need_scores(self, root: Path, why: str) -> None:
        """Raise DatasetError, with the reason, where people gave the labels and no scores."""
        if self.judged is not None:
            raise DatasetError(
                f"{root}: is of what people judged, but {why}; give one that was built"
            )

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        value: dict[str, Any] = handler(self)
        absent = ("recipe", "build") if self.judged else ("judged",)
        return {key: part for key, part in value.items() if key not in absent}


def read_description(root: Path) -> DatasetDescription | None:
    """What a root says of itself; None where it has no dataset.json, as the published one.

    Raises DatasetError for a file that is not such a description, or whose vocabulary's labels
    cannot be names of folders.
    """
    path = root / DATASET_FILE
    if not path.is_file():
        return None
    try:
        description = DatasetDescription.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DatasetError(validation_line(error, str(path), DatasetDescription)) from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    check_version_folders(version_names(description.vocabulary), str(path))
    return description
