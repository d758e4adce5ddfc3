"""`rank`: several pictures of one scene in, an order of them in every region out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from distortion_graph.base.errors import DistortionGraphWarning, RankingError
from distortion_graph.graph.build import picture_info, shapes_of
from distortion_graph.graph.metrics import MetricInfo
from distortion_graph.measure.metrics.registry import map_metrics
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, get_metric
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, Picture
from distortion_graph.predict.session import Model, load_model
from distortion_graph.ranking.candidates import (
    CandidateSources,
    Loaded,
    Source,
    check_enough,
    load_candidates,
)
from distortion_graph.ranking.order import DECIMALS
from distortion_graph.ranking.parts import (
    By,
    Candidate,
    LeftOut,
    RankedRegion,
    Ranking,
    Rates,
    Wanted,
)
from distortion_graph.ranking.rates import bits_per_pixel, rates_of
from distortion_graph.ranking.seeing import see
from distortion_graph.ranking.seen import Looking, Seen
from distortion_graph.ranking.standings import (
    TOLERANCES,
    chosen_order,
    region_standings,
    scene_standings,
)
from distortion_graph.regions import RegionSource
from distortion_graph.work.threads import thread_budget

_SHOWN_IDS = 8


def rank(
    candidates: CandidateSources,
    *,
    reference: Source | None = None,
    regions: RegionSource = "auto",
    score_metric: str | FullReferenceMetric = HAARPSI.name,
    metrics: Sequence[str] = (),
    model: Model | str | Path | None = None,
    align: AlignMode = "auto",
    by: Wanted = "score",
    tolerance: float | None = None,
    sizes: bool = False,
    ladders: Mapping[str, Sequence[str]] | None = None,
    strict: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
    threads: int = 0,
) -> Ranking:
    """Rank several pictures of the same scene, in every region and as a whole.

    With a reference every candidate is held against it. Without one all pairs are compared, and a
    Bradley-Terry fit makes one order of them.

    Args:
        candidates: two or more: paths, file bytes, Pillow images or H×W×3 uint8 arrays, in a row
            or by name; or a folder.
        reference: the original that all of them were made from, likewise.
        regions: as in `compare`; masks lie on the reference, or on the first candidate.
        score_metric: what measures scores against the reference: the name of a registered metric,
            or a metric.
        metrics: names of further metrics to measure against the reference, as in `compare`.
        model: a loaded `Model`, a model folder, or None for the shipped one.
        align: how a candidate may lie on the reference or the first candidate, as in `compare`.
        by: whether measured scores order the candidates of a reference, or the opinions that people
            are expected to have of them, which follow from scores and distortions.
        tolerance: candidates that are at most so far behind share a place; by default .005 of a
            score, .01 of an opinion, and .1 of the probability of being preferred.
        sizes: whether the sizes of the files join: bits per pixel, and how ladders differ.
        ladders: names of candidates or patterns of them by ladder; by default names that end in
            numbers tell, so that avif-q50 and avif-q80 are steps of avif.
        strict: refuse what is otherwise left out or warned of.
        max_pixels: pictures of more pixels are refused.
        background: what transparent pixels are laid on: a CSS colour, "#rrggbb" or "checker".
        threads: at most so many work at once, as in `compare`.

    Raises:
        RankingError: fewer than two candidates can be ranked, or a ladder names none.
        RecipeError: a metric is unknown, or leaves its range.
        ImageError, RegionError, ModelError: one line each, see `distortion_graph.base.errors`.

    Warns:
        DistortionGraphWarning: a candidate was left out, or not taken quite as it is.
    """
    notes: list[str] = []
    of_model = model.threads if isinstance(model, Model) else 0
    with thread_budget(threads or of_model):
        loaded = load_candidates(
            candidates,
            reference,
            strict=strict,
            max_pixels=max_pixels,
            background=background,
        )
    notes += [f"{line}; left out" for _, line in loaded.left_out]
    notes += loaded.notes
    ranking = rank_loaded(
        loaded,
        regions=regions,
        score_metric=score_metric,
        metrics=metrics,
        model=model,
        align=align,
        by=by,
        tolerance=tolerance,
        sizes=sizes,
        ladders=ladders,
        strict=strict,
        threads=threads,
        warn=notes.append,
    )
    for text in notes:
        warnings.warn(text, DistortionGraphWarning, stacklevel=2)
    return ranking


def rank_loaded(
    loaded: Loaded,
    *,
    regions: RegionSource = "auto",
    score_metric: str | FullReferenceMetric = HAARPSI.name,
    metrics: Sequence[str] = (),
    model: Model | str | Path | None = None,
    align: AlignMode = "auto",
    by: Wanted = "score",
    tolerance: float | None = None,
    sizes: bool = False,
    ladders: Mapping[str, Sequence[str]] | None = None,
    strict: bool = False,
    threads: int = 0,
    warn: Callable[[str], object],
) -> Ranking:
    """`rank` for pictures that are already loaded; what was said of them is the caller's to show.

    `warn` is told, in a line, of what else there is to know.
    """
    if tolerance is not None and not 0 <= tolerance <= 1:
        raise RankingError(f"tolerance is {tolerance}, expected a number from 0 to 1")
    if by == "opinion" and loaded.reference is None:
        raise RankingError(
            "an order by opinion follows from scores against the original, expected a reference "
            "(--reference) too"
        )
    if ladders is not None and not sizes:
        raise RankingError("ladders are about file sizes, expected sizes=True (--size) too")
    if sizes and find_spec("scipy") is None:
        raise RankingError(
            "comparing by file size needs scipy, not installed: pip install "
            "'distortion-graph[rank]'"
        )
    further = map_metrics(metrics)
    if further and loaded.reference is None:
        raise RankingError(
            f"metrics {', '.join(metrics)} are measured against an original, expected a reference "
            "(--reference) with them"
        )
    base = loaded.reference or loaded.candidates[0].picture
    rates = {}
    if sizes:
        for one in loaded.candidates:
            rates[one.name] = bits_per_pixel(one.name, one.size_bytes, base.size)
    metric = get_metric(score_metric) if isinstance(score_metric, str) else score_metric
    opened = model if isinstance(model, Model) else load_model(model)
    looking = Looking(opened, metric, further, align, strict)
    with thread_budget(threads or looking.model.threads):
        original = loaded.reference and _called(loaded.reference, "reference")
        pictures = [_called(one.picture, one.name) for one in loaded.candidates]
        seen = see(looking, original, pictures, regions, warn)
    for line in _unshown(loaded, seen):
        warn(line)
    left = {loaded.candidates[k].name: line for k, line in seen.problems.items()}
    for line in left.values():
        warn(f"{line}; left out")
    check_enough(
        [one for one in loaded.candidates if one.name not in left],
        [line for _, line in loaded.left_out] + list(left.values()),
    )
    return _ranking(loaded, seen, looking, by, tolerance, rates, ladders)


def _unshown(loaded: Loaded, seen: Seen) -> Iterator[str]:
    """Which regions some candidates do not show."""
    for one, known in zip(loaded.candidates, seen.candidates, strict=True):
        missing = [key for key in seen.regions.ids if known is not None and key not in known.nodes]
        if missing:
            few = ", ".join(map(str, missing[:_SHOWN_IDS])) + ", …" * (len(missing) > _SHOWN_IDS)
            yield f"{one.name}: does not show region{'s' * (len(missing) > 1)} {few}"


def _called(picture: Picture, name: str) -> Picture:
    """A picture that lines call by a name where it is no file."""
    return picture if picture.source else replace(picture, source=name)


def _ranking(
    loaded: Loaded,
    seen: Seen,
    looking: Looking,
    wanted: Wanted,
    tolerance: float | None,
    rates: Mapping[str, float],
    ladders: Mapping[str, Sequence[str]] | None,
) -> Ranking:
    by = chosen_order(seen, wanted)
    within = TOLERANCES[by] if tolerance is None else tolerance
    names = [one.name for one in loaded.candidates]
    scene = scene_standings(seen, names, by, within)
    regions = _regions(seen, names, by, within)
    candidates = _candidates(loaded, seen, rates)
    joined = rates_of(candidates, scene, regions, ladders, by) if rates else None
    if joined is not None:
        candidates = [_on_ladder(candidate, joined) for candidate in candidates]
    left = [*loaded.left_out, *((names[k], line) for k, line in seen.problems.items())]
    return Ranking(
        vocabulary=looking.model.vocabulary,
        model=looking.model.identity.info,
        reference=None if loaded.reference is None else picture_info(loaded.reference),
        metric=seen.metric,
        metrics=tuple(MetricInfo(**metric.describe()) for metric in looking.metrics),
        by=by,
        tolerance=within,
        candidates=tuple(candidates),
        left_out=tuple(LeftOut(source=name, reason=line) for name, line in left),
        scene=scene,
        regions=regions,
        rates=joined,
    )


def _regions(
    seen: Seen, names: Sequence[str], by: By, tolerance: float
) -> tuple[RankedRegion, ...]:
    masks = seen.regions.lazy_masks()
    pixels = seen.regions.size[0] * seen.regions.size[1]
    shapes = shapes_of(seen.regions, masks)
    return tuple(
        RankedRegion(
            id=region.id,
            name=region.name,
            area_fraction=round(region.rle.area() / pixels, DECIMALS),
            **shape._asdict(),
            standings=region_standings(seen, names, by, tolerance, where),
        )
        for where, (region, shape) in enumerate(zip(seen.regions, shapes, strict=True), start=1)
    )


def _candidates(loaded: Loaded, seen: Seen, rates: Mapping[str, float]) -> list[Candidate]:
    return [
        Candidate(
            name=one.name,
            picture=picture_info(one.picture),
            alignment=known.alignment,
            size_bytes=one.size_bytes if rates else None,
            bits_per_pixel=round(rates[one.name], DECIMALS) if rates else None,
        )
        for one, known in zip(loaded.candidates, seen.candidates, strict=True)
        if known is not None
    ]


def _on_ladder(candidate: Candidate, rates: Rates) -> Candidate:
    own = [ladder.name for ladder in rates.ladders if candidate.name in ladder.candidates]
    return candidate.model_copy(update={"ladder": own[0]}) if own else candidate
