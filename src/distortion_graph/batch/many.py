"""`compare_many`: an iterator of graphs, for notebooks and training loops."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, Unpack, overload

from PIL import Image

from distortion_graph.base.errors import (
    BatchError,
    DistortionGraphError,
    DistortionGraphWarning,
    ModelError,
)
from distortion_graph.base.vocabulary import Scale
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.storage import is_url, load_from
from distortion_graph.graph import DistortionGraph
from distortion_graph.measure.evidence import Level
from distortion_graph.measure.quality import FullReferenceMetric
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.images import ImageSource, Picture
from distortion_graph.pictures.turning import Turn
from distortion_graph.pipeline import compare
from distortion_graph.predict.session import Model, load_model
from distortion_graph.predict.sizes import Fit
from distortion_graph.regions import RegionSource
from distortion_graph.work.executor import worker_count
from distortion_graph.work.local import LocalThreads
from distortion_graph.work.threads import thread_budget


class CompareOptions(TypedDict, total=False):
    """Arguments of `compare` that may differ from pair to pair."""

    regions: RegionSource
    target_regions: RegionSource | None
    reference: ImageSource | Picture | None
    score_metric: str | FullReferenceMetric
    scale: Scale
    evidence: Level
    metrics: Sequence[str]
    align: AlignMode
    fit: Fit
    rotate: Turn
    strict: bool
    max_pixels: int
    background: str


class PairToCompare(CompareOptions):
    """A pair with arguments of its own."""

    anchor: ImageSource | Picture
    target: ImageSource | Picture


Pair: TypeAlias = "tuple[ImageSource | Picture, ImageSource | Picture] | PairToCompare | PairTask"
"""Anchor and target; or a mapping of arguments of `compare`; or a pair of a folder or a list
(`match_folders`, `read_manifest`).
"""

Errors = Literal["raise", "return"]

_PICTURES = ("anchor", "target", "reference")
_OPTIONS = tuple(CompareOptions.__annotations__)


class _Compared(NamedTuple):
    result: DistortionGraph | DistortionGraphError
    notes: Sequence[str]


@overload
def compare_many(
    pairs: Iterable[Pair],
    *,
    model: Model | str | Path | None = ...,
    errors: Literal["raise"] = ...,
    workers: int | None = ...,
    threads: int = ...,
    warn: Callable[[int, str], object] | None = ...,
    **options: Unpack[CompareOptions],
) -> Generator[DistortionGraph, None, None]: ...


@overload
def compare_many(
    pairs: Iterable[Pair],
    *,
    model: Model | str | Path | None = ...,
    errors: Literal["return"],
    workers: int | None = ...,
    threads: int = ...,
    warn: Callable[[int, str], object] | None = ...,
    **options: Unpack[CompareOptions],
) -> Generator[DistortionGraph | DistortionGraphError, None, None]: ...


def compare_many(
    pairs: Iterable[Pair],
    *,
    model: Model | str | Path | None = None,
    errors: Errors = "raise",
    workers: int | None = None,
    threads: int = 0,
    warn: Callable[[int, str], object] | None = None,
    **options: Unpack[CompareOptions],
) -> Generator[DistortionGraph | DistortionGraphError, None, None]:
    """The graphs of many pairs, one by one in their order, each as `compare` gives it.

    Pairs are compared side by side in threads of this process, one thread each. They are taken
    from `pairs` as there is room for them, at most three per worker ahead of the graphs that were
    given, so `pairs` may be endless and memory does not grow with their number. With a model on a
    graphics card (`Model.load(providers=["CUDAExecutionProvider"])`) the threads decode and measure
    while it computes. Nothing begins before the first graph is asked for; whoever stops early
    leaves at most the running pairs to finish.

    Args:
        pairs: each a tuple of anchor and target, or a mapping of arguments of `compare`
            (`{"anchor": a, "target": b, "regions": masks}`), or a `PairTask`. Pictures are what
            `compare` takes, or URLs that fsspec opens.
        model: a loaded `Model`, a model folder, or None for the shipped one.
        errors: "raise" ends at the first pair that cannot be compared, after the graphs of those
            before it; "return" gives the error in the place of its graph, and goes on.
        workers: pairs that are compared at once; None for one per core that the process may use.
        threads: all of them together use at most so many; 0 for one per core.
        warn: is told of warnings, with the number of the pair, from 0; without it Python's
            warnings are, in one line each that begins with that number.
        options: arguments of `compare` that hold for every pair that does not give its own.

    Raises:
        BatchError: an argument or a pair that is none of these, whatever `errors` says.
        ModelError: the model cannot be used, whatever `errors` says.
        DistortionGraphError: with "raise" what `compare` raises; `__notes__` has the pair's number.
    """
    _check_names(options, _OPTIONS, "compare_many")
    if errors not in ("raise", "return"):
        raise BatchError(f"errors is {errors!r}, expected 'raise' or 'return'")
    if workers is not None and workers < 1:
        raise BatchError(f"workers is {workers}, expected at least 1")
    loaded = model if isinstance(model, Model) else load_model(model)
    with thread_budget(threads or loaded.threads):
        job: Callable[..., DistortionGraph] = partial(compare, model=loaded)
        executor = LocalThreads(job, worker_count(workers))
    return _results(executor, options, pairs, errors, warn)


def _results(
    executor: LocalThreads[Callable[..., DistortionGraph]],
    options: CompareOptions,
    pairs: Iterable[Pair],
    errors: Errors,
    warn: Callable[[int, str], object] | None,
) -> Generator[DistortionGraph | DistortionGraphError, None, None]:
    with executor:
        tasks = ({**options, **_arguments(pair, number)} for number, pair in enumerate(pairs))
        compared = executor.run(_compare, tasks, ordered=True)
        for number, (_, (result, notes)) in enumerate(compared):
            for text in notes:
                if warn is None:
                    line = f"pair {number}: {text}"
                    warnings.warn(line, DistortionGraphWarning, stacklevel=2)
                else:
                    warn(number, text)
            if isinstance(result, DistortionGraphError) and errors == "raise":
                result.add_note(f"pair {number}, counted from 0")
                raise result
            yield result


def _compare(job: Callable[..., DistortionGraph], arguments: Mapping[str, Any]) -> _Compared:
    notes: list[str] = []
    try:
        return _Compared(job(**_opened(arguments), warn=notes.append), notes)
    except ModelError:
        raise
    except DistortionGraphError as error:
        return _Compared(error, notes)


def _arguments(pair: object, number: int) -> Mapping[str, Any]:
    """The arguments of `compare` that a pair gives."""
    where = f"pair {number}, counted from 0"
    if isinstance(pair, PairTask):
        given: dict[str, Any] = {"anchor": pair.anchor, "target": pair.target}
        further = {"reference": pair.reference, "regions": pair.regions}
        given |= {name: value for name, value in further.items() if value is not None}
    elif isinstance(pair, Mapping):
        given = dict(pair)
        _check_names(given, ("anchor", "target", *_OPTIONS), where)
        for name in ("anchor", "target"):
            if name not in given:
                raise BatchError(f"{where}: has no {name!r}, expected anchor and target")
    elif isinstance(pair, tuple | list) and len(pair) == 2:
        given = dict(zip(("anchor", "target"), pair, strict=True))
    else:
        size = f" of {len(pair)}" if isinstance(pair, tuple | list) else ""
        raise BatchError(
            f"{where}: found {type(pair).__name__}{size}, expected (anchor, target) or a mapping "
            "of arguments of `compare`"
        )
    for picture in (given.get(name) for name in _PICTURES):
        if isinstance(picture, Image.Image):  # a picture of several pairs is read by one thread
            with suppress(Exception):  # which is told where it is compared
                picture.load()
    return given


def _opened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with the pictures behind URLs in place of their names."""
    how = {name: arguments[name] for name in ("max_pixels", "background") if name in arguments}
    opened = dict(arguments)
    for name in _PICTURES:
        value = arguments.get(name)
        if isinstance(value, str) and is_url(value):
            opened[name] = load_from(value, **how)
    return opened


def _check_names(given: Mapping[str, object], known: Sequence[str], where: str) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f" ({', '.join(known)})"
            raise BatchError(f"{where}: unknown argument {name!r}{hint}")
