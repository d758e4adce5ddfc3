"""`distortion-graph dataset build`: degrade clean pictures, region by region, into a data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import RecipeError
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk, short_time

if TYPE_CHECKING:
    from distortion_graph.datasets.make import BuildOptions, BuildReport
    from distortion_graph.datasets.sources import RegionChoice, Source
    from distortion_graph.synth.shots import ShotShares

_SOURCES = (
    "Clean pictures, with or without regions: FOLDER or labels:FOLDER with images/ and label maps "
    "regions/<name>_<annotator>.png; FOLDER or pictures:FOLDER of pictures alone; "
    "coco:PANOPTIC.json,images=FOLDER; psg:PSG.json,images=FOLDER. NAME= before a source names it."
)


def dataset_build(
    context: typer.Context,
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help=_SOURCES)],
    out: Annotated[
        Path,
        typer.Option(
            metavar="ROOT", help="Write the data set to ROOT, or continue the unfinished one there."
        ),
    ],
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="Split the pictures by shares such as train=.9 and test=.1, repeated or joined by "
            "commas; into one split by its name; as the sources say, by source; or by FILE.json "
            "with lists of picture names. By default train=.8,val=.1,test=.1.",
        ),
    ] = None,
    image_format: Annotated[
        str,
        typer.Option(
            metavar="SUFFIX",
            help="Write pictures as png, webp, tif, bmp (lossless), jpg or avif (lossy).",
        ),
    ] = "png",
    quality: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Encode lossy formats with quality 1 to 100; makes webp lossy."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed every random draw.")] = 0,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read labels, scales and thresholds from FILE: a vocabulary's JSON "
            "(docs/vocabularies.md), or a dataset.json, model.json or graph with one in it. By "
            "default the published ones.",
        ),
    ] = None,
    made_of: Annotated[
        str | None,
        typer.Option(
            metavar="LABELS",
            help="Say what labels stand for that are no distortion types, as in "
            "soft=blur:lens+pixelate,grainy=noise.",
        ),
    ] = None,
    types: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="Use these distortion types, as in blur,noise; by default all."
        ),
    ] = None,
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Draw severities with these weights, as in minor=2,moderate=1,severe=1; a "
            "severity left out is never drawn. By default all are equally likely.",
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(
            metavar="LEVELS",
            help="Draw the levels of a severity from these; by default "
            "minor=1+2,moderate=3,severe=4+5.",
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            metavar="published|wild",
            help="Distort by the published table, or also as cameras, weather and codecs do "
            "(wild): several distortions in one region, labelled by what was lost, of pictures "
            "with looks that need not lie on each other (docs/wild.md).",
        ),
    ] = "published",
    also_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Give a second distortion to this share of the distorted regions of mixed "
            "pictures, and a third to this share of those (wild; .25 by default).",
        ),
    ] = None,
    look_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Give a look to this share of the pictures before they are distorted, to all "
            "versions alike: developed, resized, saved (wild; .6 by default).",
        ),
    ] = None,
    two_looks_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Give a picture a look of its own in this share of the pairs (wild; .12 by "
            "default).",
        ),
    ] = None,
    moved_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Move one picture against the other in this share of the pairs (wild; .33 by "
            "default).",
        ),
    ] = None,
    clean_share: Annotated[
        float, typer.Option(help="Keep this share of the regions of mixed pictures clean.")
    ] = 0.2,
    feather: Annotated[
        float,
        typer.Option(
            metavar="PX", help="Fade each distortion in over PX pixels inside a region's edge."
        ),
    ] = 0.0,
    min_share: Annotated[
        float, typer.Option(help="Drop regions below this share of their picture.")
    ] = 0.008,
    regions_wanted: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Take, of several label maps, the one whose number of regions is nearest to N.",
        ),
    ] = 8,
    max_regions: Annotated[
        int | None,
        typer.Option(metavar="N", help="Keep at most the N largest regions of a picture."),
    ] = None,
    max_side: Annotated[
        int | None,
        typer.Option(
            metavar="PX", help="Scale larger pictures down to PX along their longer side."
        ),
    ] = None,
    segmenter: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Find the regions of pictures without masks by this: auto, or panoptic:MODEL.",
        ),
    ] = "auto",
    metric: Annotated[
        str, typer.Option(metavar="NAME", help="Score regions by this metric.")
    ] = "haarpsi",
    licence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Record the pictures' licence; SOURCE=TEXT for one source; may be repeated.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Use N processes; by default one per core."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Stop at a file that is left out, and at a picture that is not taken as it is.",
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a data set of the published layout from clean pictures.

    Every region of every picture is degraded on its own and scored: one version of the picture
    for each distortion type, and two mixed ones. The same sources, options and library versions
    give the same bytes, with any number of workers.

    A build may be stopped at any moment; started again with the same options, it resumes where it
    was. On a complete data set it checks every file and makes damaged ones again.

    \b
    Examples:
      distortion-graph dataset build photos --out my-set
      distortion-graph dataset build bsds500/val --split test --out my-bench
      distortion-graph dataset build photos --vocabulary words.json --out graded \\
          --levels slight=1+2,strong=3+4+5 --made-of soft=blur,grainy=noise
      distortion-graph dataset build photos --recipe wild --split test --out my-wild
      distortion-graph dataset build coco:panoptic_val2017.json --max-regions 40 \\
          --licence "CC BY 4.0" --out coco-set

    Exit codes: 0 done, 2 the input or the disk is at fault (one line says what), 1 a defect of the
    program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)

    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
    from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
    from distortion_graph.datasets.make.pictures import LOSSY
    from distortion_graph.datasets.sources import RegionChoice
    from distortion_graph.formats.files import load_vocabulary
    from distortion_graph.measure.quality import get_metric
    from distortion_graph.work.executor import worker_count

    choice = RegionChoice(
        min_share=min_share, wanted=regions_wanted, max_regions=max_regions, max_side=max_side
    )
    opened = _sources(sources, choice, segmenter)
    words = DEFAULT_VOCABULARY if vocabulary is None else load_vocabulary(vocabulary)
    options = BuildOptions(
        seed=seed,
        splits=parse_splits(",".join(split or ("train=.8,val=.1,test=.1",))),
        image_format=image_format.lower(),
        quality=quality,
        vocabulary=words,
        made_of=None if made_of is None else _made_of(made_of),
        types=None if types is None else tuple(part.strip() for part in types.split(",")),
        severity_weights=None if severity is None else _weights(severity),
        severity_levels=_levels(levels, words.severities[1:]),
        recipe_name=recipe,
        also_share=also_share,
        shot_shares=_shot_shares(
            recipe, look_share=look_share, two_looks_share=two_looks_share, moved_share=moved_share
        ),
        clean_share=clean_share,
        feather_px=feather,
        regions=choice,
        metric=get_metric(metric),
        licences=_licences(licence or [], [source.name for source in opened]),
        workers=worker_count(workers),
        strict=strict,
    )
    if options.image_format in LOSSY or options.quality is not None:
        talk.warn(
            f"{options.image_format} is lossy: its artefacts come on top of every region's "
            "distortion, also of clean ones; png, and webp without --quality, are lossless"
        )
    with WorkTalk(talk) as report:
        done = build_dataset(opened, out, options, report)
    talk.say(_summary(out, done, options))


def _sources(specs: Sequence[str], choice: RegionChoice, segmenter: str) -> tuple[Source, ...]:
    from distortion_graph.datasets.sources import parse_source
    from distortion_graph.segment.segmenter import check_segmenter

    check_segmenter(segmenter)
    return tuple(parse_source(spec, choice=choice, segmenter=segmenter) for spec in specs)


def _summary(out: Path, done: BuildReport, options: BuildOptions) -> str:
    count = sum(done.pictures.values())
    parts = ", ".join(f"{split} {number}" for split, number in done.pictures.items())
    others = "other file" if done.left_out == 1 else "other files"
    counts = ((done.skipped, "left out"), (done.noted, "with notes"), (done.left_out, others))
    skipped = "".join(f", {count} {what}" for count, what in counts if count)
    versions = counted(len(options.versions), "version")
    root = f"{out}: {counted(count, 'picture')} in {versions} ({parts}{skipped})"
    if done.complete_before and not done.repaired:
        return f"{root}; nothing to do, every file is whole"
    if done.complete_before:
        damaged = counted(done.repaired, "damaged picture")
        return f"{root}; every file checked, {damaged} made again"
    rate = f", {done.images / max(done.seconds, 1e-9):.1f} images/s" if done.images else ""
    before = f"; {counted(done.kept, 'picture')} kept" if done.kept else ""
    return (
        f"{root}; {counted(done.images, 'image')} made in {short_time(done.seconds)}{rate}{before}"
    )


def _pairs(option: str, text: str, example: str) -> dict[str, str]:
    """The parts of `name=value,name=value`."""
    pairs: dict[str, str] = {}
    for part in text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not (name and sign and value) or name in pairs:
            raise RecipeError(f"{option} {text!r}: expected NAME=VALUE parts, as in {example}")
        pairs[name] = value
    return pairs


def _weights(text: str) -> dict[str, float]:
    example = "minor=2,moderate=1,severe=1"
    try:
        return {k: float(v) for k, v in _pairs("--severity", text, example).items()}
    except ValueError as e:
        if isinstance(e, RecipeError):
            raise
        raise RecipeError(f"--severity {text!r}: expected numbers, as in {example}") from e


def _shot_shares(recipe: str, **given: float | None) -> ShotShares | None:
    """The shares given, beside the recipe's own; None where none is given."""
    from distortion_graph.datasets.make.options import RECIPES
    from distortion_graph.synth.shots import NO_HISTORY

    wanted = {name: share for name, share in given.items() if share is not None}
    usual = RECIPES[recipe].shots if recipe in RECIPES else NO_HISTORY
    return replace(usual, **wanted) if wanted else None


def _levels(text: str | None, severities: Sequence[str]) -> dict[str, tuple[int, ...]] | None:
    """Levels of every severity; those not given are the usual ones, where there are such."""
    from distortion_graph.synth.synthesis import DEFAULT_SEVERITY_LEVELS

    example = "minor=1+2,moderate=3,severe=4+5"
    parts = {} if text is None else _pairs("--levels", text, example)
    if not all(re.fullmatch(r"\d(\+\d)*", value) for value in parts.values()):
        raise RecipeError(f"--levels {text!r}: expected levels 1 to 5, as in {example}")
    unknown = next((name for name in parts if name not in severities), None)
    if unknown is not None:
        known = ", ".join(severities)
        raise RecipeError(f"--levels {text!r}: unknown severity {unknown!r}, expected {known}")
    given = {name: tuple(map(int, value.split("+"))) for name, value in parts.items()}
    all_usual = tuple(severities) == tuple(DEFAULT_SEVERITY_LEVELS)
    usual = DEFAULT_SEVERITY_LEVELS if all_usual else {}
    missing = [name for name in severities if name not in given and name not in usual]
    if missing:
        raise RecipeError(
            f"--levels: the vocabulary's severity {missing[0]!r} has no levels; give some of 1 to "
            f"5 for {', '.join(severities)}, as in {severities[0]}=1+2"
        )
    return None if text is None else {name: given.get(name) or usual[name] for name in severities}


def _made_of(text: str) -> dict[str, tuple[str, ...]]:
    example = "soft=blur:lens+pixelate,grainy=noise"
    pairs = _pairs("--made-of", text, example)
    return {k: tuple(part.strip() for part in v.split("+")) for k, v in pairs.items()}


def _licences(texts: Sequence[str], names: Sequence[str]) -> Mapping[str, str]:
    """By source; "" stands for all. What is before "=" is a source's name if it could be one."""
    licences: dict[str, str] = {}
    for text in texts:
        named = re.fullmatch(r"(\w[\w.-]*)=(.+)", text, re.DOTALL)
        name = next((n for n in names if text.startswith(f"{n}=")), named[1] if named else "")
        licences[name] = text.removeprefix(f"{name}=") if name else text
    return licences
