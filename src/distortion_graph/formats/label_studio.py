"""Label Studio: a task per picture, with a brush mask per region as prediction.

The distortion is the brush's label; severity, score, comparison (as seen from that picture) and
name belong to each region, relations go between them. Regions without a mask are left out.
`labelling_config` is the configuration of a project that shows all of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.formats.flat import node_name
from distortion_graph.formats.marked import Marked, marked_regions, source_of
from distortion_graph.formats.xml_text import to_xml_text
from distortion_graph.graph import SIDES, DistortionGraph, Side

_WORD_BITS = 8
_LENGTH_BITS = (3, 4, 8, 16)
_CHANNELS = 4  # a brush is an RGBA picture
_HALF = 128


def labelling_config(vocabulary: Vocabulary, predicates: Iterable[str] = ()) -> str:
    """The labelling configuration, XML, for graphs of a vocabulary and with these relations."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Image", name="image", value="$image")
    severities, comparisons = vocabulary.severities, vocabulary.comparison_labels
    _control(view, "BrushLabels", "distortion", {}, "Label", vocabulary.distortions)
    _control(view, "Choices", "severity", {"perRegion": "true"}, "Choice", severities)
    options = {"perRegion": "true", "min": "0", "max": "1", "step": "0.000001"}
    _control(view, "Number", "score", options)
    _control(view, "Choices", "comparison", {"perRegion": "true"}, "Choice", comparisons)
    _control(view, "TextArea", "name", {"perRegion": "true", "editable": "true"})
    relations = ElementTree.SubElement(view, "Relations")
    for predicate in dict.fromkeys(predicates):
        ElementTree.SubElement(relations, "Relation", value=to_xml_text(predicate))
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _control(
    view: ElementTree.Element,
    tag: str,
    name: str,
    options: dict[str, str],
    entry: str = "",
    values: Iterable[str] = (),
) -> None:
    control = ElementTree.SubElement(view, tag, {"name": name, "toName": "image", **options})
    for value in values:
        ElementTree.SubElement(control, entry, value=to_xml_text(value))


def to_label_studio(graph: DistortionGraph) -> list[dict[str, Any]]:
    """Two tasks, anchor and target, each with one prediction.

    The prediction's score is the mean probability of its distortions, null where one is not known.
    """
    return [_task(graph, side) for side in SIDES]


def dumps(graph: DistortionGraph, indent: int | None = None) -> str:
    """The tasks as JSON text; `indent` sets tasks apart, and leaves masks on one line."""
    tasks = [json.dumps(task, ensure_ascii=False) for task in to_label_studio(graph)]
    apart = ", " if indent is None else ",\n "
    return f"[{apart.join(tasks)}]"


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """An (h, w) mask as Label Studio's brush run lengths, a list of bytes.

    The mask is read row by row as RGBA bytes, 0 or 255. After the number of bytes (32 bits), the
    word size − 1 (5 bits) and four widths − 1 (4 bits each) stand the runs: a bit 1, two bits that
    choose a width, the run's length − 1 in that width, and its value in 8 bits. Zeros fill up.
    """
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], edges, [flat.size]))) * _CHANNELS
    bits = [f"{flat.size * _CHANNELS:032b}", f"{_WORD_BITS - 1:05b}"]
    bits += [f"{width - 1:04b}" for width in _LENGTH_BITS]
    value = bool(flat[0])
    for length in lengths.tolist():
        bits += _run(length, value)
        value = not value
    text = "".join(bits)
    text += "0" * (8 - len(text) % 8)  # a whole byte where nothing is missing, as theirs
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def _run(length: int, value: bool) -> Iterator[str]:
    while length > 0:
        place = next(
            (k for k, width in enumerate(_LENGTH_BITS) if length <= 1 << width),
            len(_LENGTH_BITS) - 1,
        )
        width = _LENGTH_BITS[place]
        taken = min(length, 1 << width)
        yield f"1{place:02b}{taken - 1:0{width}b}{255 if value else 0:08b}"
        length -= taken


def decode_brush(data: bytes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The (h, w) mask of Label Studio's brush run lengths: where it is opaque by half or more.

    Raises ValueError, which says what is wrong, for bytes that are no brush on such a picture.
    """
    bits = _Bits(data)
    total, word_bits = bits.take(32), bits.take(5) + 1
    widths = [bits.take(4) + 1 for _ in _LENGTH_BITS]
    if total != size[0] * size[1] * _CHANNELS or word_bits != _WORD_BITS:
        raise ValueError(
            f"it has {total} values of {word_bits} bits, expected {size[0] * size[1] * _CHANNELS} "
            f"of {_WORD_BITS}, those of {size[1]}×{size[0]} pixels"
        )
    values, lengths, done = [], [], 0
    while done < total:
        repeated = bits.take(1)
        length = bits.take(widths[bits.take(2)]) + 1
        values += (
            [bits.take(word_bits)] if repeated else [bits.take(word_bits) for _ in range(length)]
        )
        lengths += [length] if repeated else [1] * length
        done += length
    if done != total:
        raise ValueError(f"its runs are {done} values, expected {total}")
    flat = np.repeat(np.array(values, np.uint8), lengths)
    mask: NDArray[np.bool_] = flat.reshape(*size, _CHANNELS)[..., -1] >= _HALF
    return mask


class _Bits:
    """Numbers of so many bits, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._text = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
        self._at = 0

    def take(self, count: int) -> int:
        piece = self._text[self._at : self._at + count]
        if len(piece) < count:
            raise ValueError("it ends in the middle")
        self._at += count
        return int(piece, 2)


def _task(graph: DistortionGraph, side: Side) -> dict[str, Any]:
    found = list(marked_regions(graph, side))
    beliefs = [marked.node.distortion.probability for marked in found]
    known = [p for p in beliefs if p is not None]
    result = [entry for marked in found for entry in _results(marked, side)]
    result += _relations(graph, side, {marked.region.id for marked in found})
    prediction: dict[str, Any] = {
        "score": math.fsum(known) / len(known) if known and len(known) == len(beliefs) else None,
        "result": result,
    }
    if graph.model is not None:
        name = [graph.model.name, graph.model.version]
        prediction["model_version"] = " ".join(part for part in name if part)
    data = {"image": source_of(graph, side), "side": side}
    return {"data": data, "predictions": [prediction]}


def _results(marked: Marked, side: Side) -> Iterator[dict[str, Any]]:
    """The brush mask, and what belongs to it, under one id."""
    height, width = marked.mask.size
    node = marked.node

    def entry(kind: str, name: str, **value: Any) -> dict[str, Any]:
        return {
            "id": node_name(side, marked.region.id),
            "type": kind,
            "from_name": name,
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": value,
        }

    rle, label = encode_brush(marked.mask.decode()), [node.distortion.label]
    brush = entry("brushlabels", "distortion", format="rle", rle=rle, brushlabels=label)
    yield brush | {"score": node.distortion.probability}
    yield entry("choices", "severity", choices=[node.severity.label])
    if node.score is not None:
        yield entry("number", "score", number=node.score)
    yield entry("choices", "comparison", choices=[marked.comparison.label])
    yield entry("textarea", "name", text=[marked.region.name])


def _relations(graph: DistortionGraph, side: Side, held: set[int]) -> Iterator[dict[str, Any]]:
    for relation in graph.relations:
        if relation.image in (side, "both") and {relation.subject, relation.object} <= held:
            yield {
                "type": "relation",
                "from_id": node_name(side, relation.subject),
                "to_id": node_name(side, relation.object),
                "direction": "right",
                "labels": [relation.predicate],
            }
