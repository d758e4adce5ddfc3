"""Which of the forms on offer a request would rather have (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from distortion_graph.serve.http.problems import Problem


def chosen(accept: str | None, offered: Sequence[str]) -> str:
    """The media type on offer that a header likes best, of equal ones the first.

    Raises Problem where it takes none of them.
    """
    ranges = [_range(part) for part in (accept or "*/*").split(",") if part.strip()]
    best = max(offered, key=lambda offer: (_liking(offer, ranges), -offered.index(offer)))
    if _liking(best, ranges) <= 0:
        raise Problem("accept", f"Accept is {accept!r:.80}, expected one of {', '.join(offered)}")
    return best


def _range(part: str) -> tuple[str, float]:
    """A media range and how much it is liked."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    liking = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                liking = min(max(float(value), 0.0), 1.0)
            except ValueError:
                liking = 0.0
    return name, liking


def _liking(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much an offer is liked, by the narrowest range that it is in."""
    kind = offer.partition("/")[0]
    for name in (offer, f"{kind}/*", "*/*"):
        likings = [liking for given, liking in ranges if given == name]
        if likings:
            return max(likings)
    return 0.0
