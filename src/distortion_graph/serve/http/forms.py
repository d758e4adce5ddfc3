"""The fields of the service's forms: the command's options by their own names, files as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from distortion_graph.base.errors import RankingError
from distortion_graph.base.files import HeldFile
from distortion_graph.base.vocabulary import Scale
from distortion_graph.measure.evidence import Level
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND, check_background
from distortion_graph.predict.sizes import Fit
from distortion_graph.ranking.parts import Wanted
from distortion_graph.serve.access import VALUE_SPECS_HELP
from distortion_graph.serve.http.problems import Problem
from distortion_graph.serve.http.work import Entries, PairTask, RankTask, shown_name

REGIONS_HELP = (
    f"{VALUE_SPECS_HELP}; or files: a label map (PNG, 0 = unlabelled), alone or with names as "
    "JSON, or what COCO, labelme, CVAT, Label Studio, SVG or GeoJSON have, or an earlier graph; of "
    "files with annotations of several pictures, image=NAME beside them chooses one"
)
_MOST = 8  # files, words or names of metrics in one field

Text = Annotated[str, Field(max_length=200)]
RegionEntries = Annotated[list[UploadFile | Text], Field(min_length=1, max_length=_MOST)]


class Form(BaseModel):
    """A form; fields of other names are refused."""

    model_config = ConfigDict(extra="forbid")


class Looks(Form):
    """What comparisons and rankings have in common."""

    align: AlignMode = Field(
        "auto", description="How a picture may lie on the other one; see the command's --align."
    )
    strict: bool = Field(False, description="Refuse pictures that may not show the same scene.")
    score_metric: Text | None = Field(
        None, description="With a reference: the metric of measured scores, by default haarpsi."
    )
    metric: list[Text] = Field(
        [],
        max_length=_MOST,
        description="Measure these too: flip, gmsd, ms_ssim, ssimulacra2 or vif.",
    )
    background: Text = Field(
        DEFAULT_BACKGROUND,
        description="What transparent pixels are laid on: a CSS colour name, #rrggbb or checker.",
    )


class PairOptions(Looks):
    """How a pair is compared: the options of the command `compare`."""

    scale: Scale = Field("common", description="The steps of comparisons, or finer ones: fine.")
    evidence: Level = Field("all", description="What is measured between the pictures.")
    fit: Fit = Field("error", description="Fit a target of another size instead of aligning it.")
    rotate: Literal["0", "90", "180", "270"] = Field(
        "0", description="Turn the target clockwise first, in degrees."
    )

    def task(self, files: dict[str, Any], **more: Any) -> PairTask:
        """The task of a pair with these files; raises ImageError for an unknown background."""
        check_background(self.background)
        options = {
            "score_metric": self.score_metric or HAARPSI.name,
            "scale": self.scale,
            "evidence": self.evidence,
            "metrics": tuple(self.metric),
            "align": self.align,
            "fit": self.fit,
            "strict": self.strict,
        }
        return PairTask(
            **files,
            background=self.background,
            rotate=int(self.rotate),  # type: ignore[arg-type]
            options=options,
            **more,
        )

    def check_metric(self, has_reference: bool) -> None:
        """Raise Problem for a metric of scores that nothing is measured against."""
        if self.score_metric is not None and not has_reference:
            raise Problem(
                "request",
                f"score_metric {self.score_metric!r} measures scores against an original, expected "
                "reference too",
            )


class CompareForm(PairOptions):
    """Two pictures, and how they are compared."""

    anchor: UploadFile = Field(description="The first picture.")
    target: UploadFile = Field(description="The second picture, of the same scene.")
    reference: UploadFile | Literal["anchor", "target"] | None = Field(
        None,
        description="The original, which scores are measured against: a third picture, or which of "
        "the two it is.",
    )
    regions: RegionEntries = Field(["auto"], description=f"Of the anchor: {REGIONS_HELP}.")
    target_regions: list[UploadFile | Text] = Field(
        [],
        max_length=_MOST,
        description="Files as in regions, of the target; those of regions are then of the anchor "
        "alone, and the two are matched.",
    )
    colour: Literal["severity", "distortion"] = Field(
        "severity", description="What the colours of the overlay mean."
    )
    lossy: bool = Field(False, description="Make the report smaller, its pictures with loss.")

    async def whole_task(self, form: str) -> PairTask:
        """The task, with all files read."""
        self.check_metric(self.reference is not None)
        reference = self.reference
        files: dict[str, Any] = {
            "anchor": await held(self.anchor, "anchor"),
            "target": await held(self.target, "target"),
            "reference": reference
            if reference is None or isinstance(reference, str)
            else await held(reference, "reference"),
            "regions": await entries(self.regions),
            "target_regions": await entries(self.target_regions),
        }
        return self.task(files, forms=(form,), colour=self.colour, lossy=self.lossy)


class RankForm(Looks):
    """Several pictures of one scene, and how they are ranked: the options of the command `rank`."""

    candidates: list[UploadFile] = Field(min_length=2, description="The pictures to rank.")
    reference: UploadFile | None = Field(None, description="The original of all of them.")
    regions: RegionEntries = Field(
        ["auto"], description=f"Of the reference, or of the first candidate: {REGIONS_HELP}."
    )
    by: Wanted = Field("score", description="What orders candidates that have a reference.")
    tie: float | None = Field(
        None, ge=0, le=1, description="Candidates at most so far behind count as tied."
    )
    size: bool = Field(False, description="Set quality against the sizes of the files.")
    ladder: list[Text] = Field(
        [], max_length=_MOST, description="NAME=FILES: these candidates are steps of one ladder."
    )
    lossy: bool = Field(False, description="Make the page smaller, its pictures with loss.")

    async def whole_task(self, form: str, most: int) -> RankTask:
        """The task, with all files read; raises Problem for more candidates than `most`."""
        if len(self.candidates) > most:
            raise Problem(
                "request", f"found {len(self.candidates)} candidates, expected at most {most}"
            )
        for name, wanted in (("score_metric", self.score_metric), ("metric", self.metric)):
            if wanted and self.reference is None:
                raise Problem("request", f"{name} measures against reference, expected that too")
        check_background(self.background)
        options = {
            "score_metric": self.score_metric or HAARPSI.name,
            "metrics": tuple(self.metric),
            "align": self.align,
            "by": self.by,
            "tolerance": self.tie,
            "sizes": self.size,
            "ladders": ladders(self.ladder),
            "strict": self.strict,
        }
        return RankTask(
            candidates=tuple(
                [await held(file, f"candidate {k}") for k, file in enumerate(self.candidates, 1)]
            ),
            reference=None if self.reference is None else await held(self.reference, "reference"),
            regions=await entries(self.regions),
            background=self.background,
            options=options,
            form=form,
            lossy=self.lossy,
        )


def ladders(given: Sequence[str]) -> dict[str, list[str]] | None:
    """`NAME=FILES`, each of them; None where there is none. Raises RankingError."""
    found: dict[str, list[str]] = {}
    for text in given:
        name, _, files = text.partition("=")
        steps = [step for step in files.split(",") if step]
        if not name or not steps:
            raise RankingError(f"ladder {text!r}: expected NAME=FILES, for example avif=avif-*")
        found.setdefault(name, []).extend(steps)
    return found or None


async def held(upload: UploadFile, otherwise: str) -> HeldFile:
    """A sent file in memory; `otherwise` is its name where its sender gave none."""
    return HeldFile(shown_name(upload.filename, otherwise), await upload.read())


async def entries(given: Sequence[UploadFile | str]) -> Entries:
    """Regions as they were sent, with all files read."""
    return tuple(
        [entry if isinstance(entry, str) else await held(entry, "regions") for entry in given]
    )
