"""A ranking in words: what is said of a candidate, a region, and of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from distortion_graph.base.counting import counted
from distortion_graph.base.vocabulary import UNCERTAIN
from distortion_graph.graph import Node, SceneNode
from distortion_graph.ranking.parts import (
    BdRate,
    By,
    RankedRegion,
    Ranking,
    RegionStanding,
    SceneStanding,
    Standing,
)
from distortion_graph.report.wording import percent, printable, words

BY_WORDS: dict[By, str] = {
    "score": "score",
    "opinion": "expected opinion",
    "pairs": "comparison of all pairs",
}

_MOST_NAMES = 3


def why(ranking: Ranking, node: Node | SceneNode | None) -> str:
    """What is wrong with a region or a picture: `compression, moderate`, `clean`, `not shown`."""
    if node is None:
        return "not shown"
    if isinstance(node, SceneNode):
        return _scene_why(ranking, node)
    threshold = None if ranking.model is None else ranking.model.known_threshold
    if node.known is not None and threshold is not None and node.known < threshold:
        return UNCERTAIN
    labels = dict.fromkeys((node.distortion.label, node.severity.label))  # clean stands in both
    first = ", ".join(words(ranking.vocabulary, label) for label in labels)
    also = [
        f"also {words(ranking.vocabulary, f.label)}, {words(ranking.vocabulary, f.severity)}"
        for f in node.also
    ]
    return "; ".join([first, *also])


def _scene_why(ranking: Ranking, node: SceneNode) -> str:
    """The distortion that covers most of a picture, with its share; clean where nothing else is."""
    shares = dict(node.distortion_share or {})
    clean = ranking.vocabulary.clean
    wrong = {label: share for label, share in shares.items() if label != clean and share > 0}
    if not wrong:
        return words(ranking.vocabulary, clean) if shares else ""
    label = max(wrong, key=lambda each: wrong[each])
    return f"{words(ranking.vocabulary, label)} ({percent(wrong[label])})"


def value_text(standing: Standing) -> str:
    """What the order follows, with its interval where there is one."""
    if standing.interval is None:
        return bare_value(standing)
    low, high = standing.interval
    return f"{bare_value(standing)} ({low:.2f}–{high:.2f})"


def bare_value(standing: Standing) -> str:
    """The same without an interval; a dash for a candidate that does not show the region."""
    if standing.value is None:
        return "–"
    return f"{standing.value:.3f}" if standing.interval is None else f"{standing.value:.2f}"


def metric_text(value: float | None) -> str:
    """A value of a further metric; a dash where it says nothing."""
    if value is None:
        return "–"
    return (f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}").replace("-", "−")


def behind_text(standing: Standing) -> str:
    """By how much a candidate is behind the best; a dash for that itself."""
    text = f"{standing.behind or 0.0:.3f}"
    return "–" if text == "0.000" else f"−{text}"


def place_text(standing: Standing, standings: Sequence[Standing]) -> str:
    """`3`, or `3=` where several share the place; a dash for one without a place."""
    if standing.place is None:
        return "–"
    shared = sum(other.place == standing.place for other in standings) > 1
    return f"{standing.place}{'=' * shared}"


def names_text(names: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b, c and 4 more`."""
    shown = [printable(name) for name in names]
    if len(shown) > _MOST_NAMES:
        return f"{', '.join(shown[:_MOST_NAMES])} and {len(shown) - _MOST_NAMES} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def summary(ranking: Ranking) -> str:
    """One or two sentences: who is best as a whole, by how much, and in how many regions."""
    best = ranking.best
    order = ranking.ordered
    who = names_text(best)
    verb = "is" if len(best) == 1 else "are equally"
    first = f"As a whole, {who} {verb} {'best' if len(best) == 1 else 'good and best'}"
    next_one = next((s for s in order if s.place != 1), None)
    if next_one is not None and next_one.behind is not None:
        first += f", {next_one.behind:.3f} ahead of {printable(next_one.candidate)}"
    return f"{first}. {_regions_sentence(ranking)}" if ranking.regions else f"{first}."


def basis(ranking: Ranking) -> str:
    """What the order rests on, in one sentence."""
    told = f"tied within {ranking.tolerance:g}"
    if ranking.by == "pairs":
        intervals = any(standing.interval for standing in ranking.scene)
        return (
            f"Ordered by the {BY_WORDS['pairs']}: values are shares of the others to which a "
            f"candidate is preferred{', with 95 % intervals' * intervals}; {told} of a probability."
        )
    measured = "predicted" if ranking.metric is None else f"measured by {ranking.metric}"
    scores = f"scores are {measured} against the reference"
    return f"Ordered by {BY_WORDS[ranking.by]}, {told}; {scores}."


def region_line(ranking: Ranking, region: RankedRegion) -> str:
    """`sky: avif-q50 best (0.981, clean); last jpeg-q40, −0.212: compression, moderate`."""
    order = region.ordered
    if not order:
        return f"{title_of(region)}: no candidate shows it"
    best = [s for s in order if s.place == 1]
    said = why(ranking, best[0].node)
    line = f"{title_of(region)}: {names_text([s.candidate for s in best])} best"
    line += f" ({value_text(best[0])}, {said})"
    last = order[-1]
    if last.place == 1:
        return f"{line}; all are tied"
    return (
        f"{line}; last {printable(last.candidate)}, {behind_text(last)}: {why(ranking, last.node)}"
    )


def title_of(region: RankedRegion) -> str:
    """`3 sky`, or `region 3` where it has no name of its own."""
    name = printable(region.name)
    plain = f"region {region.id}"
    return plain if name in ("", plain, str(region.id)) else f"{region.id} {name}"


def weakest(ranking: Ranking, candidate: str) -> tuple[RankedRegion, RegionStanding] | None:
    """The region in which a candidate is farthest behind the best, and how; None where it is in
    the first place everywhere."""
    found = [
        (standing.behind, region, standing)
        for region in ranking.regions
        for standing in region.standings
        if standing.candidate == candidate and standing.behind is not None and standing.place != 1
    ]
    return max(found, key=lambda entry: entry[0])[1:] if found else None


def best_counts(ranking: Ranking) -> Counter[str]:
    """In how many regions each candidate is best, alone or with others."""
    return Counter(name for region in ranking.regions for name in region.best)


def rate_line(rate: BdRate) -> str:
    """`jpeg needs 42.0 % more bytes than avif at equal quality (PCHIP 56.7 %)`."""
    anchor, test = printable(rate.anchor), printable(rate.test)
    if rate.cubic_percent is None or rate.pchip_percent is None:
        return f"{test} against {anchor}: no BD-rate, {printable(rate.problem or '')}"
    way = "more" if rate.pchip_percent >= 0 else "fewer"
    cubic = f"cubic {_signed(rate.cubic_percent)}"
    share = "" if rate.overlap is None else f", over {percent(rate.overlap)} of the qualities"
    return (
        f"{test} takes {abs(rate.pchip_percent):.1f} % {way} bytes than {anchor} at equal quality "
        f"(BD-rate, PCHIP; {cubic}{share})"
    )


def ranking_text(ranking: Ranking) -> str:
    """The order, a line per region, and how ladders differ."""
    lines = [summary(ranking), basis(ranking), ""]
    for standing in ranking.ordered:
        lines.append(_order_line(ranking, standing))
    lines += ["", *(region_line(ranking, region) for region in ranking.regions)]
    lines += [f"left out: {printable(left.reason)}" for left in ranking.left_out]
    if ranking.rates is not None:
        lines += [rate_line(rate) for rate in ranking.rates.bd_rates if rate.region is None]
    return "\n".join(lines)


def _order_line(ranking: Ranking, standing: SceneStanding) -> str:
    name, said = printable(standing.candidate), why(ranking, standing.node)
    return f"{place_text(standing, ranking.scene)} {name} {value_text(standing)} {said}"


def _regions_sentence(ranking: Ranking) -> str:
    counts = best_counts(ranking)
    total = len(ranking.regions)
    if not counts:
        return "No candidate shows any region."
    most = max(counts.values())
    names = [c.name for c in ranking.candidates if counts[c.name] == most]
    where = f"{most} of {counted(total, 'region')}"
    if most == total:
        where = "the one region" if total == 1 else f"all {total} regions"
    return f"In {where} {names_text(names)} {'is' if len(names) == 1 else 'are'} best or tied."


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.1f} %"
