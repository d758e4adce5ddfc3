"""Options and checks that several commands share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from distortion_graph.base.errors import OutputError

REGIONS_HELP = (
    "Take these regions: auto (found in the pictures); distortions (found by what is wrong in "
    "them); whole; grid:ROWSxCOLS; LABELS.png (0 = unlabelled) or LABELS.png,NAMES.json; "
    "FILE[,image=NAME] (COCO, labelme, CVAT, Label Studio, SVG, GeoJSON, or an earlier graph); "
    "alpha:PICTURE (where it is opaque); "
    "panoptic:FILE.json[,image=NAME] or panoptic:FILE.png,FILE.json[,CATEGORIES.json]; "
    "panoptic:FOLDER or panoptic:ORG/NAME (found and named by a panoptic model; needs the segment "
    "extra)."
)
"""As in `distortion_graph.regions.spec`, which is not imported for a `--help`; a test compares
them."""

Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but errors (and what --json asks for).")
]
Verbose: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Print sizes, the model and times as well, on standard error."
    ),
]
MaxPixels: TypeAlias = Annotated[
    int, typer.Option(min=1, metavar="N", help="Refuse pictures of more pixels than this.")
]
Threads: TypeAlias = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Use at most N threads in all; 0 means one per core."),
]


class Fit(StrEnum):
    """What to do with a target of another size; `predict.sizes.Fit` has the same words."""

    error = "error"
    crop = "crop"
    resize = "resize"
    resize_anyway = "resize!"


FitOption: TypeAlias = Annotated[
    Fit,
    typer.Option(
        help="Refuse a target of another size; crop both to the common part, top left; resize the "
        "target to the anchor if they have the same shape; or resize! it in any case."
    ),
]


class EvidenceLevel(StrEnum):
    """What is measured between the pictures."""

    all = "all"
    fast = "fast"
    none = "none"


EvidenceOption: TypeAlias = Annotated[
    EvidenceLevel,
    typer.Option(help="Measure everything, everything but the mean CIEDE2000 (fast), or nothing."),
]
ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Use this model: a folder made by `export`, or hf://ORG/NAME. By default the one "
        "that comes with the program.",
    ),
]
ModelAsInCompare: TypeAlias = Annotated[
    str | None, typer.Option(metavar="MODEL", help="Use this model, as in `compare`.")
]
Providers: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Run on this ONNX Runtime provider; when repeated, on the first available.",
    ),
]
GraphColumn: TypeAlias = Annotated[
    bool, typer.Option("--graph-column", help="Write each graph as JSON into the table too.")
]


class Align(StrEnum):
    """How a target may lie on its anchor; `pictures.align.ALIGN_MODES` has the same words."""

    auto = "auto"
    none = "none"
    translation = "translation"
    similarity = "similarity"
    homography = "homography"
    flow = "flow"


class Rotate(StrEnum):
    """Degrees clockwise; `pictures.turning.TURNS` has the same numbers."""

    not_at_all = "0"
    quarter = "90"
    half = "180"
    three_quarters = "270"


AlignOption: TypeAlias = Annotated[
    Align,
    typer.Option(
        help="Lay the target on the anchor: auto (as simply as explains them, of any two sizes), "
        "none (pixel by pixel), a shift (translation), also turned and scaled (similarity), in "
        "perspective (homography), with small local motion (flow)."
    ),
]


def _metric_names() -> list[str]:
    """For the shell that completes --metric."""
    from distortion_graph.measure.metrics.registry import map_metric_names

    return list(map_metric_names())


Metrics: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Measure this too, as a map pooled by region: flip, gmsd, ms_ssim, ssimulacra2 or "
        "vif; may be repeated.",
        autocompletion=_metric_names,
    ),
]


ReferenceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|anchor|target",
        help="Measure scores against this original: a third picture, or one of the two.",
    ),
]


class Scale(StrEnum):
    """The steps of comparisons; `base.vocabulary.Scale` has the same words."""

    common = "common"
    fine = "fine"


ScaleOption: TypeAlias = Annotated[
    Scale,
    typer.Option(
        help="Compare in the steps of the model's vocabulary (common), or in finer ones for "
        "near-lossless pictures."
    ),
]
ScoreMetric: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Measure scores against --reference by this metric; by default haarpsi.",
    ),
]
Background: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="COLOUR|checker",
        help="Lay transparent pixels on this: a CSS colour name, #rrggbb, or a checkerboard.",
    ),
]
Labelled: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        help="Take the pictures of a folder with images/ and label maps "
        "regions/<name>_<annotator>.png."
    ),
]
Pictures: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        help="Take the pictures of a folder without masks; their regions are found automatically."
    ),
]
MeasuredRoot: TypeAlias = Annotated[
    Path | None, typer.Option("--root", help="Take the pairs of this data set.")
]
MeasuredPictures: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--held-out", help="Take only the pictures that FILE lists, as JSON; by default all."
    ),
]
MovedAnchor: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Read the anchor from here, not where the graph says."),
]
MovedTarget: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Read the target from here, not where the graph says."),
]
MovedReference: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Read the reference from here, not where the graph says."),
]
Lossy: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--lossy",
        help="Make the report smaller: re-encode its pictures with loss, and say so in it.",
    ),
]
DataRoot: TypeAlias = Annotated[
    Path, typer.Argument(metavar="ROOT", help="A data set made by `dataset build`, or PandaSet.")
]
PairsIndex: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Read the easy and medium lists from FILE, not from ROOT."),
]
OnlyPictures: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Take only the pictures that FILE lists, as JSON."),
]
PairsLimit: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Take only the first N pairs of each list.")
]
MarkdownTables: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the tables to FILE as Markdown.")
]
LatexTables: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the tables to FILE as LaTeX.")
]
DEFAULT_MAX_PIXELS = 100_000_000
"""As in `distortion_graph.pictures.images`, which is not imported for a `--help`; a test compares
them."""
DEFAULT_BACKGROUND = "white"
"""As in `distortion_graph.pictures.backgrounds`, likewise."""


def check_outputs(outputs: Iterable[tuple[str, Path, bool]], inputs: Sequence[str | Path]) -> None:
    """Refuse outputs that cannot be written, before any work is done.

    `outputs` are (option, path, whether it is a picture), where one may be "-", standard output;
    `inputs` are files that are read, which no output may overwrite. Raises OutputError.
    """
    from distortion_graph.base.files import check_output
    from distortion_graph.cli.streams import check_standard, is_standard

    outputs = list(outputs)
    check_standard(outputs)
    seen: list[tuple[str, Path]] = []
    for option, path, picture in outputs:
        if is_standard(path):
            continue
        check_output(path, picture=picture)
        for name in inputs:
            if same_file(path, name):
                raise OutputError(f"{path}: {option} would overwrite an input; choose another name")
        for other, earlier in seen:
            if same_file(path, earlier):
                raise OutputError(f"{path}: {other} and {option} are the same file; name two")
        seen.append((option, path))


def same_file(first: str | Path, second: str | Path) -> bool:
    """Whether two names stand for one ordinary file, links followed; it need not exist."""
    try:
        a, b = Path(os.path.realpath(first)), Path(os.path.realpath(second))
        if a.exists() and b.exists():
            return a.is_file() and a.samefile(b)
        return a == b
    except (OSError, ValueError):  # such as a name that no file can have
        return False


def check_score_metric(name: str | None, reference: str | None) -> None:
    """Refuse a metric without a reference (OutputError), and an unknown one (RecipeError)."""
    if name is None:
        return
    from distortion_graph.measure.quality import get_metric

    if reference is None:
        raise OutputError(
            f"--score-metric {name} measures scores against an original, expected --reference FILE "
            "too"
        )
    get_metric(name)
