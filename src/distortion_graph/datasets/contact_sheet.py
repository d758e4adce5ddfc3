"""The contact sheet of a data set: some pictures in all versions, with regions and labels drawn in.

Below a heading with its name a picture stands clean and in every version, as many beside each
other as there is room for. A region is outlined in the colour of its severity; its label has its
index and, as far as words fit, distortion, severity and score (its name in the clean picture).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.decoding import read_rgb
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    SPLITS,
    check_tag,
    picture_path,
    stats_path,
    version_names,
)
from distortion_graph.datasets.stats import PictureRecord, RegionRecord, picture_from_json
from distortion_graph.datasets.stats_stream import stream_values
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS
from distortion_graph.report.drawing import Canvas, Chip, Typeface, rounded, typeface, write_middle
from distortion_graph.report.outlines import ground_of, outline
from distortion_graph.report.palette import INK, MUTED, PAPER, Rgb, severity_colours
from distortion_graph.report.placing import Ground, place_labels

SHOWN_PX, LEAST_PX = 520, 280
"""Pictures with a longer side above this are scaled down to it; below, up by a whole factor."""

WIDTH_PX = 3000
"""Width of the sheet: six landscape pictures of the usual kind beside each other."""

_CANDIDATES = 400
_GAP, _LINE, _FACE_PX, _HEAD_FACE_PX, _BAR, _HEAD = 14, 2, 14, 22, 26, 46
_EMPTY: Rgb = (52, 56, 64)


@dataclass
class SheetPanel:
    """One version of a picture; `rgb` (h, w, 3) and `record` are None where they are damaged."""

    version: str
    rgb: NDArray[np.uint8] | None
    record: PictureRecord | None
    note: str = ""


@dataclass
class SheetPicture:
    """A picture of the sheet: clean first, then its versions."""

    tag: str
    split: str
    panels: list[SheetPanel] = field(default_factory=list)


def make_sheet(root: str | Path, *, pictures: int = 4) -> NDArray[np.uint8]:
    """(h, `WIDTH_PX`, 3) RGB: the contact sheet of a root.

    The pictures are of the test split, or else of val or train: of the first few hundred in its
    labels, those with the least SHA-256 of their name. What is damaged shows as an empty panel.
    Raises DatasetError where there are no labels that could be read.
    """
    root = Path(root)
    try:
        description = read_description(root)
    except DatasetError:
        description = None
    vocabulary = description.vocabulary if description else DEFAULT_VOCABULARY
    return draw_sheet(list(choose_pictures(root, vocabulary, pictures)), vocabulary)


def choose_pictures(root: Path, vocabulary: Vocabulary, count: int) -> Iterator[SheetPicture]:
    """The pictures of a sheet, one in memory at a time; raises DatasetError as `make_sheet`."""
    for split in reversed(SPLITS):
        versions = [v for v in version_names(vocabulary) if stats_path(root, split, v).is_file()]
        chosen = _least(root, split, versions, count)
        if chosen:
            break
    else:
        raise DatasetError(f"{root}: no labels that can be read, so there is no contact sheet")
    records = {version: _records(root, split, version, chosen) for version in versions}
    for tag in chosen:
        own = [records[version].get(tag) for version in versions]
        picture = SheetPicture(tag, split)
        first = next((record for record in own if record is not None), None)
        for version, record in zip((CLEAN_FOLDER, *versions), (first, *own), strict=True):
            try:
                rgb, note = read_rgb(picture_path(root, version, split, tag)), ""
            except DatasetError:
                rgb, note = None, "no picture that can be read"
            picture.panels.append(SheetPanel(version, rgb, record, note))
        yield picture


def _least(root: Path, split: str, versions: Sequence[str], count: int) -> list[str]:
    """Names of the chosen pictures, of the first version whose labels can be read."""
    for version in versions:
        entries = _readable(stats_path(root, split, version))
        tags = [tag for tag, _ in islice(entries, _CANDIDATES)]
        if tags:
            return sorted(tags, key=lambda tag: hashlib.sha256(tag.encode()).digest())[:count]
    return []


def _records(
    root: Path, split: str, version: str, wanted: Sequence[str]
) -> dict[str, PictureRecord]:
    records: dict[str, PictureRecord] = {}
    for tag, value in _readable(stats_path(root, split, version)):
        if tag in wanted:
            try:
                records[tag] = picture_from_json(value, tag)
            except DatasetError:
                continue
            if len(records) == len(wanted):
                break
    return records


def _readable(path: Path) -> Iterator[tuple[str, object]]:
    """Entries up to the first damage."""
    try:
        for tag, value in stream_values(path):
            yield check_tag(tag, str(path)), value
    except DatasetError:
        return


def draw_sheet(pictures: Sequence[SheetPicture], vocabulary: Vocabulary) -> NDArray[np.uint8]:
    """(h, `WIDTH_PX`, 3) RGB of pictures with their panels."""
    blocks = [_block(picture, vocabulary) for picture in pictures]
    return np.concatenate([_legend(vocabulary), *blocks])


def _legend(vocabulary: Vocabulary) -> Canvas:
    canvas, face = _ground_plate(_HEAD), typeface(_HEAD_FACE_PX)
    x, middle = _GAP, _HEAD / 2
    colours = severity_colours(len(vocabulary.severities))
    for label, colour in zip(vocabulary.severities, colours, strict=True):
        rounded(canvas, (x, middle - face.px / 2, face.px, face.px), 5, colour)
        write_middle(canvas, _words(label), x + face.px + 8, middle, face, PAPER)
        x += face.px + 8 + face.width(_words(label)) + 2 * _GAP
    return canvas


def _block(picture: SheetPicture, vocabulary: Vocabulary) -> Canvas:
    """Heading and panels of a picture."""
    width, height = _shown(picture)
    columns = max(1, (WIDTH_PX - _GAP) // (width + _GAP))
    rows = math.ceil(len(picture.panels) / columns)
    canvas = _ground_plate(_HEAD + rows * (_BAR + height + _GAP))
    _heading(canvas, picture)
    for k, panel in enumerate(picture.panels):
        x = _GAP + (k % columns) * (width + _GAP)
        y = _HEAD + (k // columns) * (_BAR + height + _GAP)
        _title(canvas, panel, x, y + _BAR / 2, width)
        canvas[y + _BAR : y + _BAR + height, x : x + width] = _panel(
            panel, (width, height), vocabulary
        )
    return canvas


def _shown(picture: SheetPicture) -> tuple[int, int]:
    """(w, h) at which all panels of a picture are shown."""
    sizes = [panel.rgb.shape[:2] for panel in picture.panels if panel.rgb is not None]
    height, width = sizes[0] if sizes else (3, 4)
    longest = max(height, width)
    scale = float(math.ceil(LEAST_PX / longest)) if longest < LEAST_PX else 1.0
    scale = min(scale, SHOWN_PX / longest)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _heading(canvas: Canvas, picture: SheetPicture) -> None:
    face = typeface(_HEAD_FACE_PX)
    clean = picture.panels[0]
    parts = [picture.tag if face.can_draw(picture.tag) else "?", picture.split]
    if clean.rgb is not None:
        parts.append(f"{clean.rgb.shape[1]} x {clean.rgb.shape[0]} px")
    if clean.record is not None:
        parts.append(f"{len(clean.record.regions)} regions")
    x = _GAP
    for text, colour in zip(parts, (PAPER, MUTED, MUTED, MUTED), strict=False):
        text = _fitting(text, face, WIDTH_PX // 2)
        write_middle(canvas, text, x, _HEAD / 2, face, colour)
        x += face.width(text) + 2 * _GAP


def _title(canvas: Canvas, panel: SheetPanel, x: int, middle: float, width: int) -> None:
    face = typeface(_FACE_PX + 2)
    clean = panel.version == CLEAN_FOLDER
    write_middle(canvas, "clean" if clean else _words(panel.version), x, middle, face, PAPER)
    if panel.record is not None and panel.record.score is not None and not clean:
        text = f"score {panel.record.score:.2f}"
        write_middle(canvas, text, x + width - face.width(text), middle, face, MUTED)


def _panel(panel: SheetPanel, shown: tuple[int, int], vocabulary: Vocabulary) -> Canvas:
    canvas = np.empty((shown[1], shown[0], 3), np.uint8)
    face = typeface(_FACE_PX)
    if panel.rgb is None:
        canvas[:] = _EMPTY
        write_middle(canvas, _fitting(panel.note, face, shown[0]), 4, shown[1] / 2, face, PAPER)
        return canvas
    way = cv2.INTER_AREA if panel.rgb.shape[1] > shown[0] else cv2.INTER_NEAREST
    canvas[:] = cv2.resize(panel.rgb, shown, interpolation=way)
    if panel.record is not None:
        _draw_regions(canvas, panel, panel.record, vocabulary)
    return canvas


def _draw_regions(
    canvas: Canvas, panel: SheetPanel, record: PictureRecord, vocabulary: Vocabulary
) -> None:
    """Outlines first, then the labels over them."""
    face, shown = typeface(_FACE_PX), (canvas.shape[1], canvas.shape[0])
    colours = severity_colours(len(vocabulary.severities))
    grounds: list[Ground] = []
    labels: list[list[Chip]] = []
    for k, region in enumerate(record.regions):
        # A mask larger than any picture is damage, and might not fit into memory.
        if region.mask is None or math.prod(region.mask.size) > DEFAULT_MAX_PIXELS:
            continue
        ground = ground_of(region.mask, shown)
        if ground is None:
            continue
        level = 0 if panel.version == CLEAN_FOLDER else region.severity
        known = level is not None and 0 <= level < len(colours)
        colour = colours[level or 0] if known else MUTED
        outline(canvas, [ground], _LINE, colour)
        words = [w for w in _wordings(panel.version, region, vocabulary) if face.can_draw(w)]
        labels.append([Chip(str(k), w, None, colour) for w in (*words, "")])
        grounds.append(ground)
    sizes = [[chip.size(face) for chip in chips] for chips in labels]
    for chips, place in zip(labels, place_labels(grounds, sizes, shown, 3), strict=True):
        chips[place.choice].draw(canvas, place.x, place.y, face)


def _wordings(version: str, region: RegionRecord, vocabulary: Vocabulary) -> list[str]:
    """From the longest; the panel's title already says the type of a single-type version."""
    if version == CLEAN_FOLDER:
        made_up = re.fullmatch(r"region \d+", region.name)  # says no more than the number
        return [region.name] if region.name and not made_up else []
    further = (part.degradation for part in region.also or ())
    type_ = " + ".join(map(_words, (region.degradation or "?", *further)))
    level = -1 if region.severity is None else region.severity
    known = 0 <= level < len(vocabulary.severities)
    severity = _words(vocabulary.severities[level]) if known else "?"
    clean = region.degradation == vocabulary.clean
    if region.score is None:  # people judged
        return [type_] if clean else [f"{type_} · {severity}", type_]
    score = f"{region.score:.2f}"
    if clean:
        return [f"{type_} · {score}", type_]
    if region.degradation == version:
        return [f"{severity} · {score}", score]
    return [f"{type_} · {severity} · {score}", f"{type_} · {score}", type_]


def _fitting(text: str, face: Typeface, width: int) -> str:
    """As much of a line as there is room for."""
    while text and face.width(text) > width:
        text = text[:-1]
    return text


def _words(label: str) -> str:
    return label.replace("_", " ")


def _ground_plate(height: int) -> Canvas:
    canvas = np.empty((height, WIDTH_PX, 3), np.uint8)
    canvas[:] = INK
    return canvas
