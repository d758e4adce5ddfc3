"""`distortion-graph distort`: one known distortion on a picture or on some of its regions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.options import (
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    MaxPixels,
    Quiet,
    check_outputs,
)
from distortion_graph.cli.streams import named, write_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distortion_graph.masks.container import RegionSet
    from distortion_graph.pictures.images import Picture
    from distortion_graph.regions import RegionSpec
    from distortion_graph.synth.synthesis import Draw

_FRAME = "frame"


@dataclass(frozen=True)
class Wish:
    """What is to be applied; what is None is drawn."""

    distortion: str
    subtype: str | None
    severity: str
    level: int | None
    seed: int


def _list_types(context: typer.Context, wanted: bool) -> None:
    if wanted:
        talk_of(context).show(_types_table())
        raise typer.Exit


def distort(
    context: typer.Context,
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="The picture to distort.")],
    type: Annotated[
        str,
        typer.Option(
            "--type", metavar="TYPE[:SUBTYPE]", help="Apply this distortion, one of --list."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Write the result to FILE; - is standard output, as PNG."
        ),
    ],
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="minor|moderate|severe", help="Draw one of the levels of this severity."
        ),
    ] = None,
    level: Annotated[
        int | None, typer.Option(min=1, max=5, help="Use this level; none is drawn.")
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help=f"Distort only inside regions. {REGIONS_HELP}"),
    ] = None,
    only: Annotated[
        list[int] | None,
        typer.Option(metavar="ID", help="Distort only this region; may be repeated."),
    ] = None,
    feather: Annotated[
        float, typer.Option(min=0, metavar="PX", help="Fade in from the regions' edges inwards.")
    ] = 0.0,
    depth: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP", help="Read a depth map for haze: one channel, larger is farther."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed what is drawn; the same seed gives the same picture.")
    ] = 0,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    quiet: Quiet = False,
    show_list: Annotated[
        bool,
        typer.Option(
            "--list", help="Print types, sub-types and levels.", callback=_list_types, is_eager=True
        ),
    ] = False,
) -> None:
    """Apply one distortion to a picture or its regions.

    Prints what was drawn. What is not given (sub-type, level within the severity) is drawn from
    the seed, the picture's pixels and the region's id: the same call gives the same bytes. Needs
    --severity or --level.

    \b
    Examples:
      distortion-graph distort --list
      distortion-graph distort a.jpg --type noise --severity minor --out b.png
      distortion-graph distort a.jpg --type blur:motion --severity severe \\
          --regions masks.png --only 3 --seed 7 --out b.png

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(out,))
    if regions is None and (only or feather):
        raise RecipeError("--only and --feather need --regions, such as --regions masks.png")
    wish = _wish(type, severity, level, seed)
    from distortion_graph.regions import RegionSpec

    spec = None if regions is None else RegionSpec.parse(regions)
    files = spec.files if spec else ()
    inputs: list[str | Path] = [picture, *files, *([depth] if depth else [])]
    check_outputs([("--out", out, True)], inputs)
    if depth is not None and not _takes_depth(wish):
        raise RecipeError(f"--depth is for haze, not for {type}")

    from distortion_graph.base.files import encode_image
    from distortion_graph.pictures.images import load_picture

    clean = load_picture(picture, max_pixels=max_pixels)
    for text in clean.warnings:
        talk.warn(text)
    far = None if depth is None else _read_depth(depth, clean)
    chosen = _chosen(clean, spec, only, talk)
    result, drawn = _distorted(clean, wish, chosen, feather, far)
    write_all([(out, encode_image(named(out), result))])
    for line in drawn:
        talk.say(line)


def _wish(kind: str, severity: str | None, level: int | None, seed: int) -> Wish:
    """Check names and numbers against the tables; raises RecipeError."""
    from distortion_graph.synth.distort.registry import SUBTYPES, find_subtype
    from distortion_graph.synth.synthesis import DEFAULT_SEVERITY_LEVELS as LEVELS

    distortion, _, subtype = kind.partition(":")
    any_subtype = next(iter(SUBTYPES.get(distortion, ("",))))
    find_subtype(distortion, subtype if ":" in kind else any_subtype)
    if severity is None and level is None:
        raise RecipeError(f"--severity ({', '.join(LEVELS)}) or --level (1 to 5) is needed")
    if severity is not None and severity not in LEVELS:
        raise RecipeError(f"unknown severity {severity!r}, expected one of {', '.join(LEVELS)}")
    if severity is None:
        severity = next(name for name, levels in LEVELS.items() if level in levels)
    if level is not None and level not in LEVELS[severity]:
        levels = " and ".join(map(str, LEVELS[severity]))
        raise RecipeError(f"--level {level} is not {severity}, whose levels are {levels}")
    return Wish(distortion, subtype or None, severity, level, seed)


def _takes_depth(wish: Wish) -> bool:
    """Whether the sub-type that is named, or one that may be drawn, can use a depth map."""
    from distortion_graph.synth.distort.registry import SUBTYPES

    entries = SUBTYPES[wish.distortion]
    named = [entries[wish.subtype]] if wish.subtype else [e for e in entries.values() if e.drawn]
    return any(entry.takes_depth for entry in named)


def _chosen(
    picture: Picture, spec: RegionSpec | None, only: list[int] | None, talk: Talk
) -> RegionSet | None:
    """The regions to distort; None for the whole frame."""
    if spec is None:
        return None
    from distortion_graph.regions.sources import resolve_regions

    regions = resolve_regions(spec, picture, picture, warn=talk.warn)
    return regions.subset(dict.fromkeys(only)) if only else regions


def _distorted(
    clean: Picture,
    wish: Wish,
    regions: RegionSet | None,
    feather_px: float,
    depth: NDArray[np.float32] | None,
) -> tuple[NDArray[np.uint8], list[str]]:
    """The picture with the wish applied to each region from a draw of its own; lines of draws."""
    from distortion_graph.pictures.images import rgb_sha256
    from distortion_graph.synth.keys import generator
    from distortion_graph.synth.synthesis import apply_draw, paste

    tag = rgb_sha256(clean.rgb)
    result, lines = clean.rgb, []
    targets: list[tuple[int | None, str]] = [(None, "whole frame")]
    if regions is not None:
        targets = [(k, f"region {r.id} ({r.name})") for k, r in enumerate(regions)]
    for k, title in targets:
        part = _FRAME if k is None or regions is None else regions[k].id
        rng = generator(wish.seed, tag, wish.distortion, part)
        draw = _draw(wish, rng)
        frame = apply_draw(clean.rgb, draw, rng, depth=depth)
        if k is None or regions is None:
            result = frame
        else:
            result = paste(result, frame, regions.mask(k), feather_px)
        lines.append(
            f"{title}: {draw.distortion}:{draw.subtype}, {draw.severity}, level {draw.level}"
        )
    return result, lines


def _draw(wish: Wish, rng: np.random.Generator) -> Draw:
    """Draw what the wish leaves open; what it names does not change the other draws."""
    from dataclasses import replace

    from distortion_graph.synth.synthesis import DEFAULT_RECIPE, draw_strength

    draw = draw_strength(wish.distortion, wish.severity, DEFAULT_RECIPE, rng)
    return replace(
        draw,
        subtype=wish.subtype or draw.subtype,
        level=draw.level if wish.level is None else wish.level,
    )


def _read_depth(path: Path, picture: Picture) -> NDArray[np.float32]:
    """A one-channel picture's stored numbers, laid on the picture; larger is farther."""
    import numpy as np

    from distortion_graph.base.errors import RegionError
    from distortion_graph.pictures.decoders import decode_strictly
    from distortion_graph.pictures.images import open_picture_file
    from distortion_graph.regions.fitting import fit_map

    label = str(path)
    opened = open_picture_file(path, label)
    image = opened.image
    if image.width * image.height != picture.width * picture.height:
        raise ImageError(
            f"{label}: depth map is {image.width}×{image.height}, expected the picture's "
            f"{picture.width}×{picture.height}"
        )
    values: NDArray[Any] = decode_strictly(opened, label).numbers()
    if values.ndim != 2 or image.mode == "P" or not np.isfinite(values).all():
        raise ImageError(
            f"{label}: pixels of mode {image.mode}, expected one channel of finite depths"
        )
    try:
        return np.asarray(fit_map(values, picture, label), np.float32)
    except RegionError as e:
        raise ImageError(str(e)) from e


def _types_table() -> Any:
    """Every type and sub-type with the strength of each level."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from distortion_graph.synth.distort.registry import SUBTYPES
    from distortion_graph.synth.synthesis import DEFAULT_SEVERITY_LEVELS as LEVELS

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("type", "sub-type"):
        table.add_column(title, no_wrap=True)
    for severity, levels in LEVELS.items():
        for level in levels:
            table.add_column(f"{severity}\nlevel {level}")
    for distortion, subtypes in SUBTYPES.items():
        for k, (name, entry) in enumerate(subtypes.items()):
            strengths = [_strength(value) for value in entry.strengths]
            mark = "" if entry.drawn else " *"
            table.add_row("" if k else distortion, name + mark, *strengths)
    note = "\n* used only where it is named. Units are in the documentation of the distortions."
    return Group(table, Text(note))


def _strength(value: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return " ".join(f"{part:.4g}" for part in parts)
