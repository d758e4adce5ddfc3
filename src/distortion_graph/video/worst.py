"""The worst moments: kept while a run goes on, as few as are needed, whatever its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distortion_graph.batch.rows import Row
from distortion_graph.graph import DistortionGraph, load_graph
from distortion_graph.video.pairing import Moment

_SPARE = 3


@dataclass(frozen=True, eq=False)
class WorstMoment:
    """A moment in which the videos are far apart.

    `badness` is how far the region that is farthest apart is, or the whole frame where there are no
    regions; `frames` are (number, timestamp) in each video.
    """

    id: str
    time_s: float
    badness: float
    frames: tuple[tuple[int, int | None], ...]
    graph: DistortionGraph

    def to_value(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "time_s": self.time_s,
            "badness": self.badness,
            "frames": [list(frame) for frame in self.frames],
            "graph": self.graph.to_json(),
        }

    @classmethod
    def from_value(cls, value: dict[str, Any]) -> WorstMoment:
        """What `to_value` gave."""
        frames = tuple((number, pts) for number, pts in value["frames"])
        graph = load_graph(value["graph"])
        return cls(value["id"], value["time_s"], value["badness"], frames, graph)


class Worst:
    """The worst `count` moments, at least `apart_s` seconds from each other.

    Of every stretch of `apart_s` seconds one is remembered, and of those a few more than `count`.
    """

    def __init__(self, count: int, apart_s: float) -> None:
        self.count, self.apart_s = count, apart_s
        self._kept: dict[int, WorstMoment] = {}

    def see(self, id_: str, moment: Moment, row: Row, graph: DistortionGraph) -> None:
        """One more moment; one in which nothing is better or worse does not count."""
        margin = row["worst_margin"] if row["regions"] else row["margin"]
        apart = row["regions_better"] + row["regions_worse"] or row["rank"]
        if not self.count or margin is None or not apart:
            return
        frames = tuple((frame.number, frame.pts) for frame in moment.frames)
        self.add(WorstMoment(id_, moment.time_s, abs(margin), frames, graph))

    def add(self, moment: WorstMoment) -> None:
        """Remember it, if it is among the worst."""
        place = int(moment.time_s / self.apart_s)
        there = self._kept.get(place)
        if there is not None and there.badness >= moment.badness:
            return
        self._kept[place] = moment
        if len(self._kept) > _SPARE * self.count:
            # The latest goes first of those that are equal.
            least = min(self._kept, key=lambda k: (self._kept[k].badness, -k))
            del self._kept[least]

    def among(self, ids: set[str]) -> list[WorstMoment]:
        """Those of these moments that are remembered."""
        return [moment for moment in self._kept.values() if moment.id in ids]

    def chosen(self) -> list[WorstMoment]:
        """The worst ones, the worst first."""
        found: list[WorstMoment] = []
        for moment in sorted(self._kept.values(), key=lambda m: (-m.badness, m.time_s)):
            if all(abs(moment.time_s - other.time_s) >= self.apart_s for other in found):
                found.append(moment)
            if len(found) == self.count:
                break
        return found
