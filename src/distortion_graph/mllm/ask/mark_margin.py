"""A margin around a picture with places for numbers, and the way from each into the picture.

Numbers stand in rows along the sides. A number of an outer row is moved along its row, by a lane
for each row, so that its line passes between the numbers of the rows further in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.masks.boxes import Box

_GAP_PX = 3
_ROWS = 8
_FAN_STEP_PX = 8
_SAMPLES = 32
_CROSSING_PX = 12.0
_PER_PX = 16


class Slot(NamedTuple):
    """A place for a number: its box, the side it is on, and the lane of its line.

    `edge` is where the margin's inner edge lies along the other axis, as seen from the picture.
    """

    box: Box
    side: int
    row: int
    edge: int

    @property
    def port(self) -> tuple[int, int]:
        """(x, y) where the line leaves the margin."""
        return self._lane(self.box, self.edge)

    def fitted(self, w: int, h: int) -> tuple[Box, tuple[tuple[int, int], ...]]:
        """The box of a number of that size in the slot, and its line as far as the port."""
        x, y, full_w, full_h = self.box
        if self.side in (0, 1):
            along, across = full_w - w, full_h - h
            dx = along if self.row else along // 2
            box = Box(x + dx, y + (across if self.side == 0 else 0), w, h)
            first = box.y + h if self.side == 0 else box.y - 1
            return box, ((self.port[0], first), self.port)
        along, across = full_h - h, full_w - w
        dy = along if self.row else along // 2
        box = Box(x + (across if self.side == 2 else 0), y + dy, w, h)
        first = box.x + w if self.side == 2 else box.x - 1
        return box, ((first, self.port[1]), self.port)

    def _lane(self, box: Box, edge: int) -> tuple[int, int]:
        if self.side in (0, 1):
            return (box.x + (box.width - 3 if self.row else box.width // 2)), edge
        return edge, (box.y + (box.height - 3 if self.row else box.height // 2))


def margin_slots(
    ends: NDArray[np.int64],
    size: tuple[int, int],
    box_wh: tuple[int, int],
    line: int,
    blocked: NDArray[np.bool_],
) -> list[Slot]:
    """A slot for each of the (n, 2) points (x, y) in the picture, n ≥ 1, no slot used twice.

    Lines are short in all and so do not cross; they keep off `blocked` pixels where they can.
    Raises DistortionGraphError where SciPy is not installed.
    """
    if find_spec("scipy") is None:
        raise DistortionGraphError(
            "numbers beside a picture need scipy, not installed: pip install "
            "'distortion-graph[mllm]', or ask with other cues than marks"
        )
    from scipy.optimize import linear_sum_assignment

    slots = _enough(len(ends), size, box_wh, line)
    ports = np.array([slot.port for slot in slots])
    cost = np.hypot(*(ports[None] - ends[:, None]).transpose(2, 0, 1))
    share = np.linspace(0, 1, _SAMPLES, endpoint=False)[1:, None]
    for k, end in enumerate(ends):
        xs, ys = (np.rint(end[a] + share * (ports[:, a] - end[a])).astype(np.int64) for a in (0, 1))
        inside = (xs >= 0) & (xs < size[1]) & (ys >= 0) & (ys < size[0])
        met = blocked[ys.clip(0, size[0] - 1), xs.clip(0, size[1] - 1)] & inside
        cost[k] += _CROSSING_PX * met.sum(0)
    cost += [slot.row * (box_wh[1] + _GAP_PX) for slot in slots]
    # Whole numbers, so that every machine chooses the same.
    _, chosen = linear_sum_assignment(np.rint(_PER_PX * cost))
    return [slots[k] for k in chosen]


def _enough(
    count: int, size: tuple[int, int], box_wh: tuple[int, int], line: int
) -> Sequence[Slot]:
    """The slots of the smallest margin that has as many as that."""
    best: tuple[int, list[Slot]] | None = None
    for rows in range(1, _ROWS + 1):
        fan = _GAP_PX
        while len(slots := [*_slots(size, box_wh, line, rows, fan)]) < count:
            fan += _FAN_STEP_PX
        deep_x, deep_y = (fan + rows * (n + _GAP_PX) for n in box_wh)
        area = (size[0] + 2 * deep_y) * (size[1] + 2 * deep_x)
        if best is None or area < best[0]:
            best = area, slots
    return best[1] if best else []


def _slots(
    size: tuple[int, int], box_wh: tuple[int, int], line: int, rows: int, fan: int
) -> Iterator[Slot]:
    height, width = size
    w, h = box_wh
    lane = line + 4
    for side in range(4):
        flat = side in (0, 1)
        room, long, deep = (width, w, h) if flat else (height, h, w)
        room += 2 * fan
        pitch = long + _GAP_PX + (rows - 1) * lane
        count = (room + _GAP_PX) // pitch
        for k in range(count):
            start = -fan + (k * (room + _GAP_PX)) // count
            for row in range(rows):
                along, away = start + row * lane, fan + row * (deep + _GAP_PX)
                if side == 0:
                    yield Slot(Box(along, -away - h, w, h), side, row, -fan)
                elif side == 1:
                    yield Slot(Box(along, height + away, w, h), side, row, height - 1 + fan)
                elif side == 2:
                    yield Slot(Box(-away - w, along, w, h), side, row, -fan)
                else:
                    yield Slot(Box(width + away, along, w, h), side, row, width - 1 + fan)
