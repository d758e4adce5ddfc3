"""The published graph JSON: four lists of strings, written and read.

With R regions, anchor nodes have the ids 0…R−1 and target nodes R…2R−1; image "1" is the anchor,
"2" the target. A node's three attributes are told apart by their order: distortion, severity,
score. An entry of `art` has the anchor node as `object` and the target node as `subject`. The form
has no probabilities, masks, region ids or scene; reading gives region ids 0…R−1 and nulls.

(Format of *Panoptic Pairwise Distortion Graph*, ICLR 2026.)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from distortion_graph.base.errors import GraphError, VocabularyError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Node,
    RegionComparison,
    Relation,
    parse_json,
    score_margin,
)

PUBLISHED_DISTORTION_IDS: Mapping[str, int] = MappingProxyType(
    {
        "clean": 0,
        "snow": 1,
        "contrast_inc": 2,
        "compression": 3,
        "brightness": 4,
        "oversharpen": 5,
        "noise": 6,
        "blur": 7,
        "haze": 8,
        "rain": 9,
        "saturate_inc": 10,
        "saturate_dec": 11,
        "contrast_dec": 12,
        "darken": 13,
        "pixelate": 14,
    }
)
"""Numeric distortion ids of the published data and checkpoints."""

PUBLISHED_SEVERITY_IDS: Mapping[str, int] = MappingProxyType(
    {"clean": 0, "minor": 1, "moderate": 2, "severe": 3}
)
"""Numeric severity ids of the published data and checkpoints."""

PUBLISHED_COMPARISON_IDS: Mapping[str, int] = MappingProxyType(
    {
        "same": 0,
        "slightly_worse": 1,
        "significantly_worse": 2,
        "slightly_better": 3,
        "significantly_better": 4,
    }
)
"""Numeric comparison ids of the published data and checkpoints; not in rank order."""

_LISTS = ("objects", "attributes", "relationships", "art")
_ANCHOR, _TARGET = "1", "2"
_DECIMALS = 4

Entry = Mapping[str, Any]


def to_published(graph: DistortionGraph) -> dict[str, list[dict[str, str]]]:
    """The four lists of a graph; labels of any vocabulary are written as their text.

    Raises GraphError where a region has no score, which the form cannot leave out.
    """
    offset = len(graph.regions)
    objects, attributes = [], []
    for image, shift in ((_ANCHOR, 0), (_TARGET, offset)):
        for k, region in enumerate(graph.regions):
            node, node_id = region.node("anchor" if image == _ANCHOR else "target"), str(k + shift)
            if node.score is None:
                raise GraphError(
                    f"regions[{k}] ({region.name}): a score is null, and the published form needs "
                    "one for each node; write the native form instead"
                )
            name = region.name.strip() or _default_name(region.id)
            objects.append({"id": node_id, "name": name, "image": image})
            score = str(round(float(node.score), _DECIMALS))
            attributes += [
                {"attribute": text, "object": node_id, "image": image}
                for text in (node.distortion.label, node.severity.label, score)
            ]
    art = [
        {"predicate": region.comparison.label, "object": str(k), "subject": str(k + offset)}
        for k, region in enumerate(graph.regions)
    ]
    return {
        "objects": objects,
        "attributes": attributes,
        "relationships": list(_written_relations(graph)),
        "art": art,
    }


def _written_relations(graph: DistortionGraph) -> Iterator[dict[str, str]]:
    """Each relation once an image; those of image 2 with ids offset by R."""
    position = {region.id: k for k, region in enumerate(graph.regions)}
    offset = len(graph.regions)
    for relation in graph.relations:
        for side, image, shift in (("anchor", _ANCHOR, 0), ("target", _TARGET, offset)):
            if relation.image in (side, "both"):
                yield {
                    "predicate": relation.predicate,
                    "object": str(position[relation.object] + shift),
                    "subject": str(position[relation.subject] + shift),
                    "image": image,
                }


def dumps(graph: DistortionGraph, indent: int | None = None) -> str:
    """The published form as JSON text; raises GraphError as `to_published` does."""
    return json.dumps(to_published(graph), ensure_ascii=False, indent=indent)


def loads(
    text: str | bytes,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    *,
    where: str = "published graph",
) -> DistortionGraph:
    """Read the published form from JSON text; raises GraphError as `from_published` does."""
    return from_published(parse_json(text, where), vocabulary, where=where)


def from_published(
    obj: Any, vocabulary: Vocabulary = DEFAULT_VOCABULARY, *, where: str = "published graph"
) -> DistortionGraph:
    """The graph of four published lists.

    Relations may stand with or without the offset of image 2 and more than once; one that both
    images have becomes a single relation of both. The margin is that of the scores as read.

    Raises GraphError, one line beginning with `where` (the file), for anything missing,
    contradictory or outside the vocabulary.
    """
    try:
        names = _objects(_entries(obj, "objects"))
        count = len(names)
        anchors, targets = _nodes(_entries(obj, "attributes"), count, vocabulary)
        labels = _comparisons(_entries(obj, "art"), count, vocabulary)
        regions = tuple(
            RegionComparison(
                id=k,
                name=names[k],
                anchor=anchors[k],
                target=targets[k],
                comparison=ComparisonBelief(
                    label=labels[k], margin=score_margin(anchors[k].score, targets[k].score)
                ),
            )
            for k in range(count)
        )
        return DistortionGraph(
            vocabulary=vocabulary,
            anchor=ImageInfo(),
            target=ImageInfo(),
            regions=regions,
            relations=_relations(_entries(obj, "relationships"), count),
        )
    except ValidationError as error:
        raise GraphError(validation_line(error, where, DistortionGraph)) from error
    except GraphError as error:
        raise GraphError(f"{where}: {error}") from error


def _entries(obj: Any, name: str) -> list[tuple[str, Entry]]:
    """The entries of one of the lists, each with its place."""
    if not isinstance(obj, Mapping):
        raise GraphError(f"expected an object with the lists {', '.join(_LISTS)}")
    entries = obj.get(name)
    if not isinstance(entries, list):
        found = "nothing" if name not in obj else type(entries).__name__
        raise GraphError(f"{name}: expected a list, found {found}")
    for k, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise GraphError(f"{name}[{k}]: expected an object, found {type(entry).__name__}")
    return [(f"{name}[{k}]", entry) for k, entry in enumerate(entries)]


def _text(place: str, entry: Entry, key: str) -> str:
    if key not in entry:
        raise GraphError(f"{place}: the key {key!r} is missing")
    value = entry[key]
    # All values are strings; a number in its place can mean only one thing.
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise GraphError(f"{place}.{key}: expected a string, found {value!r:.60}")
    return value


def _image(place: str, entry: Entry) -> str:
    image = _text(place, entry, "image")
    if image not in (_ANCHOR, _TARGET):
        raise GraphError(f'{place}.image: expected "1" (anchor) or "2" (target), found {image!r}')
    return image


def _node_id(place: str, entry: Entry, key: str, count: int) -> int:
    text = _text(place, entry, key)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) >= 2 * count:
        raise GraphError(f"{place}.{key}: expected a node id 0…{2 * count - 1}, found {text!r}")
    return int(text)


def _default_name(region: int) -> str:
    return f"region {region}"


def _objects(entries: list[tuple[str, Entry]]) -> list[str]:
    """Names of the regions; the anchor's where the images disagree."""
    count, odd = divmod(len(entries), 2)
    if odd:
        raise GraphError(
            f"objects: expected each region once in each image, found {len(entries)} objects"
        )
    names: dict[int, str] = {}
    for place, entry in entries:
        node, image = _node_id(place, entry, "id", count), _image(place, entry)
        if node in names:
            raise GraphError(f"{place}.id: {node} is used twice")
        if (node < count) != (image == _ANCHOR):
            raise GraphError(
                f"{place}: node {node} in image {image}, expected ids 0…{count - 1} in image 1 and "
                f"{count}…{2 * count - 1} in image 2"
            )
        given = entry.get("name") is not None
        names[node] = _text(place, entry, "name").strip() if given else ""
    return [names[k] or names[k + count] or _default_name(k) for k in range(count)]


def _nodes(
    entries: list[tuple[str, Entry]], count: int, vocabulary: Vocabulary
) -> tuple[list[Node], list[Node]]:
    labels: dict[int, list[tuple[str, str]]] = {k: [] for k in range(2 * count)}
    for place, entry in entries:
        node = _node_id(place, entry, "object", count)
        image = _image(place, entry)
        if (node < count) != (image == _ANCHOR):
            raise GraphError(f"{place}: node {node} does not belong to image {image}")
        labels[node].append((f"{place}.attribute", _text(place, entry, "attribute")))
    nodes = [_node(k, labels[k], vocabulary) for k in range(2 * count)]
    return nodes[:count], nodes[count:]


def _node(node: int, attributes: list[tuple[str, str]], vocabulary: Vocabulary) -> Node:
    if len(attributes) != 3:
        raise GraphError(
            f"attributes: node {node} has {len(attributes)}, expected three: distortion, severity, "
            "score"
        )
    (d_place, distortion), (s_place, severity), (place, text) = attributes
    try:
        vocabulary.distortion_index(distortion)
    except VocabularyError as error:
        raise GraphError(f"{d_place}: {error}") from error
    try:
        vocabulary.severity_index(severity)
    except VocabularyError as error:
        raise GraphError(f"{s_place}: {error}") from error
    return Node(
        distortion=LabelBelief(label=distortion),
        severity=LabelBelief(label=severity),
        score=_score(place, text),
    )


def _score(place: str, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        raise GraphError(f"{place}: expected a score in [0, 1], found {text!r:.60}")
    return score + 0.0  # "-0.0" is 0


def _comparisons(entries: list[tuple[str, Entry]], count: int, vocabulary: Vocabulary) -> list[str]:
    labels: dict[int, str] = {}
    for place, entry in entries:
        anchor = _node_id(place, entry, "object", count)
        target = _node_id(place, entry, "subject", count)
        if target != anchor + count:
            raise GraphError(
                f"{place}: object {anchor} and subject {target}, expected an anchor node k and the "
                f"target node k + {count} of the same region"
            )
        label = _text(place, entry, "predicate")
        try:
            vocabulary.comparison_index(label)
        except VocabularyError as error:
            raise GraphError(f"{place}.predicate: {error}") from error
        if labels.setdefault(anchor, label) != label:
            raise GraphError(
                f"{place}: region {anchor} is {label!r}, but {labels[anchor]!r} before"
            )
    missing = [k for k in range(count) if k not in labels]
    if missing:
        raise GraphError(f"art: no comparison for region {missing[0]} ({len(missing)} missing)")
    return [labels[k] for k in range(count)]


def _relations(entries: list[tuple[str, Entry]], count: int) -> tuple[Relation, ...]:
    images: dict[tuple[int, str, int], set[str]] = {}
    for place, entry in entries:
        image = _image(place, entry)
        subject = _node_id(place, entry, "subject", count)
        other = _node_id(place, entry, "object", count)
        offset = subject >= count
        if offset != (other >= count) or (offset and image == _ANCHOR):
            raise GraphError(
                f"{place}: subject {subject} and object {other} are not two nodes of image {image}"
            )
        predicate = _text(place, entry, "predicate")
        if not predicate:
            raise GraphError(f"{place}.predicate: expected a word, found an empty string")
        images.setdefault((subject % count, predicate, other % count), set()).add(image)
    return tuple(
        Relation(
            subject=subject,
            predicate=predicate,
            object=other,
            image="both" if len(where) == 2 else "anchor" if _ANCHOR in where else "target",
        )
        for (subject, predicate, other), where in images.items()
    )
