"""What a timeline shows over time, as rows of one grid: scores, comparisons, distortions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import SIDES, Side
from distortion_graph.report.wording import percent, printable, score_places, words
from distortion_graph.video.sampling import time_text
from distortion_graph.video.timeline import Step, Timeline, spans

_WIDE, _HIGH = 1000, 120
_STEPS_OF_SHARE = 5
_FAINTEST = 0.35
_LEAST_SHARE = 0.005
_MOST_TICKS = 6
_NICE_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def axis(found: Timeline) -> str:
    """The times below all rows."""
    length = _length_s(found)
    step = next((s for s in _NICE_S if length / s <= _MOST_TICKS), _NICE_S[-1])
    ticks, number = [], 0
    while (number * step) < length * 0.97:
        place = 100 * number * step / length
        text = time_text(found.from_s + number * step, 0 if step >= 1 else 1)
        ticks.append(f'<span style="left:{place:.2f}%">{text}</span>')
        number += 1
    return _row("", f'<div class="axis">{"".join(ticks)}</div>')


def place_of(found: Timeline, time_s: float) -> float:
    """Where a time lies, 0 … 1."""
    return (time_s - found.from_s) / _length_s(found)


def scores(found: Timeline, measured: bool) -> str:
    """A line per video of its mean score, above a band that reaches down to the lowest."""
    marked = [(step, (a + b) / 2) for step, a, b in spans(found) if step.scored]
    if not marked:
        return ""
    lowest = min(value for step, _ in marked for value in step.lowest.values())
    floor = min(0.9, int(lowest * 10) / 10)

    def y(value: float) -> float:
        return 4 + (1 - value) / (1 - floor) * (_HIGH - 8)

    parts = []
    for side in SIDES:
        line = [(x * _WIDE, y(step.mean(side) or 0.0)) for step, x in marked]
        low = [(x * _WIDE, y(step.lowest[side])) for step, x in marked]
        band = "L".join(f"{a:.1f} {b:.1f}" for a, b in (*line, *reversed(low)))
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in line)
        parts.append(f'<path class="band {side}" d="M{band}Z"/>')
        if len(line) > 1:
            parts.append(f'<path class="line {side}" d="M{path}"/>')
        else:
            a, b = line[0]
            parts.append(f'<path class="line {side}" d="M{a - 60:.1f} {b:.1f}h120"/>')
    said = "; ".join(
        f"{side} {found.means[f'{side}_score']:.3f} on average"
        for side in SIDES
        if f"{side}_score" in found.means
    )
    label = f"{'Measured' if measured else 'Predicted'} scores over time: {said}"
    scale = f'<span class="top">1</span><span class="bottom">{floor:g}</span>'
    return _row("score", f'<div class="scale">{scale}{_svg(parts, label, _HIGH)}</div>', "scores")


def comparisons(found: Timeline, vocabulary: Vocabulary) -> str:
    """A strip of the region that is farthest apart, and one per region where they stay."""
    rows = [
        _strip(
            found,
            "farthest apart" if found.regions else "comparison",
            lambda step: (step.rank, step.margin),
            vocabulary,
        )
    ]
    for number, name in found.regions.items():
        rows.append(
            _strip(
                found,
                printable(name),
                lambda step, number=number: _of_region(step, number),  # type: ignore[misc]
                vocabulary,
            )
        )
    return "".join(rows)


def distortions(found: Timeline, vocabulary: Vocabulary, side: Side) -> str:
    """A strip per distortion of a side: the more of the area has it, the stronger."""
    rows = []
    clean = vocabulary.distortions[vocabulary.clean_index]
    labels = [label for label in vocabulary.distortions if label != clean]
    labels.sort(key=lambda label: -found.mean_share(side, label))
    for label in labels:
        mean = found.mean_share(side, label)
        if mean < _LEAST_SHARE:
            continue
        runs = _runs(found, lambda step, label=label: _level(step.share(side, label)))  # type: ignore[misc]
        parts = [
            f'<rect class="found" {_box(a, b)} fill-opacity="{_opacity(level):.2f}">'
            f"<title>{_span(steps)}: {_shares(steps, side, label)} of the area</title></rect>"
            for level, steps, a, b in runs
            if level
        ]
        text = words(vocabulary, label)
        said = f"{text} in the {side}: {percent(mean)} of the area on average"
        rows.append(_row(text, _svg(parts, said, 10)))
    return "".join(rows)


def _of_region(step: Step, number: int) -> tuple[int, float]:
    margin, rank = step.regions.get(number, (0.0, 0))
    return rank, margin


def _strip(
    found: Timeline,
    name: str,
    of: Callable[[Step], tuple[int, float]],
    vocabulary: Vocabulary,
) -> str:
    by_rank = {c.rank: c.label for c in vocabulary.comparisons}
    lowest = min(by_rank)
    parts, apart, places = [], 0, score_places(vocabulary)
    for rank, steps, a, b in _runs(found, lambda step: None if _empty(step) else of(step)[0]):
        if rank is None:
            parts.append(f'<rect class="failed" {_box(a, b)}><title>{_span(steps)}: could not be '
                         "compared</title></rect>")  # fmt: skip
            continue
        if not rank:  # the ground of the strip
            continue
        apart += len(steps)
        margin = max((of(step)[1] for step in steps), key=abs)
        how = words(vocabulary, by_rank[rank])
        said = f"{_span(steps)}: the anchor is {how} ({margin:+.{places}f})"
        parts.append(
            f'<rect class="c{rank - lowest}" {_box(a, b)}><title>{escape(said)}</title></rect>'
        )
    label = f"{name}: better or worse in {apart} of {len(found.steps)} steps"
    return _row(name, _svg(parts, label, 10))


def _empty(step: Step) -> bool:
    return step.failed == step.moments


def _runs(
    found: Timeline, of: Callable[[Step], int | None]
) -> Iterator[tuple[int | None, list[Step], float, float]]:
    """Steps one after the other of which the same is said, with where they begin and end."""
    for value, group in groupby(spans(found), key=lambda entry: of(entry[0])):
        entries = list(group)
        yield value, [step for step, _, _ in entries], entries[0][1], entries[-1][2]


def _level(share: float) -> int:
    """A share in a few steps, 0 for hardly any."""
    return 0 if share < _LEAST_SHARE else max(1, round(share * _STEPS_OF_SHARE))


def _opacity(level: int) -> float:
    return _FAINTEST + (1 - _FAINTEST) * level / _STEPS_OF_SHARE


def _shares(steps: Sequence[Step], side: Side, label: str) -> str:
    shares = [step.share(side, label) for step in steps]
    return percent(sum(shares) / len(shares))


def _span(steps: Sequence[Step]) -> str:
    first, last = time_text(steps[0].start_s), time_text(steps[-1].end_s)
    return first if first == last else f"{first} to {last}"


def _box(first: float, last: float) -> str:
    # A little wider than its part, so that no seam shows between two.
    return f'x="{first * _WIDE:.2f}" width="{(last - first) * _WIDE + 0.4:.2f}" height="10"'


def _svg(parts: Iterable[str], label: str, height: int) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDE} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def _row(name: str, track: str, kind: str = "strip") -> str:
    return (
        f'<div class="name"><bdi>{escape(name)}</bdi></div><div class="track {kind}">{track}</div>'
    )


def _length_s(found: Timeline) -> float:
    usual = (found.to_s - found.from_s) / max(1, found.moments - 1)
    return found.to_s - found.from_s + (usual or 1.0)
