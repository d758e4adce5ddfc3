"""`--split` and `--pairs`, the same in every command, and what they were called before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import typer

SPLITS = ("train", "val", "test")
"""As in `distortion_graph.datasets.layout`, which is not imported for a `--help`; a test compares
them, and `PAIRS` with `distortion_graph.datasets.pair_lists`."""

PAIRS = ("easy", "medium", "hard", "all")

_ALL_THREE = "--pairs easy --pairs medium --pairs hard"
_PAIRS_NOW = {name: f"--pairs {name}" for name in PAIRS} | {
    "all": f"{_ALL_THREE} (--pairs all is every ordered pair)",
    "all-pairs": "--pairs all",
}


def parse_split(text: str) -> str:
    """A split's name; raises a usage error that knows the names of pairs."""
    if text in SPLITS:
        return text
    expected = f"expected {', '.join(SPLITS[:-1])} or {SPLITS[-1]}"
    if text in _PAIRS_NOW:
        raise typer.BadParameter(f"{text!r} is no split, {expected}; use {_PAIRS_NOW[text]}")
    raise typer.BadParameter(_unknown(text, "--split", SPLITS, expected))


def parse_pairs(text: str) -> str:
    """Which pairs; raises a usage error that knows the names of splits."""
    if text in PAIRS:
        return text
    expected = f"expected {', '.join(PAIRS[:-1])} or {PAIRS[-1]}"
    if text in SPLITS:
        raise typer.BadParameter(f"{text!r} is a split, {expected}; use --split {text}")
    if text == "all-pairs":
        raise typer.BadParameter(f"{text!r} is called {_PAIRS_NOW[text]} now")
    raise typer.BadParameter(_unknown(text, "--pairs", PAIRS, expected))


def _unknown(text: str, option: str, names: Sequence[str], expected: str) -> str:
    several = [name.strip() for name in text.split(",")]
    if len(several) > 1 and all(name in names for name in several):
        return f"{text!r}: give the option once each: {' '.join(f'{option} {n}' for n in several)}"
    return f"{text!r} is unknown, {expected}"


def chosen(given: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """What was given, each once; else the default."""
    return tuple(dict.fromkeys(given or default))


def renamed(option: str | None, command: Any) -> str | None:
    """What to use instead of an option of an earlier version that a command does not know."""
    known = {name for parameter in getattr(command, "params", ()) for name in parameter.opts}
    if option in ("--part", "--splits") and "--split" in known:
        return f"{option} is called --split now (repeat it for several)"
    if option == "--split" and "--pairs" in known:
        return f"--split is train, val or test; {', '.join(PAIRS[:-1])} and all are --pairs"
    return None


def _split_option(default: str) -> Any:
    return typer.Option(
        "--split",
        parser=parse_split,
        metavar="train|val|test",
        help=f"Take this split of the data set; may be repeated; by default {default}.",
    )


def _pairs_option(default: str) -> Any:
    return typer.Option(
        "--pairs",
        parser=parse_pairs,
        metavar="easy|medium|hard|all",
        help="Take these pairs; all means every ordered pair; may be repeated; by default "
        f"{default}.",
    )


TestSplit: TypeAlias = Annotated[list[str] | None, _split_option("test")]
ValSplit: TypeAlias = Annotated[list[str] | None, _split_option("val")]
TrainSplit: TypeAlias = Annotated[list[str] | None, _split_option("train")]
EverySplit: TypeAlias = Annotated[list[str] | None, _split_option("all there are")]

ThreePairs: TypeAlias = Annotated[list[str] | None, _pairs_option("easy, medium and hard")]
EasyPairs: TypeAlias = Annotated[list[str] | None, _pairs_option("easy")]
HardPairs: TypeAlias = Annotated[list[str] | None, _pairs_option("hard")]
AnyPairs: TypeAlias = Annotated[list[str] | None, _pairs_option("all")]
DrawnPairs: TypeAlias = Annotated[list[str] | None, _pairs_option("all that are in the result")]
