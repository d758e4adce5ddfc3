"""One flat scheme of a graph: a row per node, a row per edge, and the facts of the whole.

A row maps names of facts to scalars, to maps (label → number), or to None where a fact is not
known. A region has two nodes, "anchor:7" and "target:7", and a comparison edge between them; the
scene has "anchor:scene" and "target:scene". A relation is an edge in each of its pictures. Mask and
box stand in the rows of both sides, also where they are equal. `position` is the place in the
graph's lists, so that nothing depends on the order of rows.

Other forms are made of these rows, and `graph_from_rows` reads them back without loss.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    Difference,
    DistortionGraph,
    Evidence,
    FurtherDistortion,
    Judgement,
    LabelBelief,
    Mask,
    Node,
    RegionAlone,
    RegionComparison,
    Side,
)

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | Mapping[str, float] | Mapping[str, float | None] | None
Row: TypeAlias = dict[str, Value]

SCENE = "scene"

NODE_FACTS: Mapping[str, type] = {
    "node": str,
    "kind": str,
    "side": str,
    "region": int,
    "position": int,
    "name": str,
    "area_fraction": float,
    "valid": float,
    "alone": bool,
    "distortion": str,
    "distortion_probability": float,
    "distortion_probabilities": dict,
    "severity": str,
    "severity_probability": float,
    "severity_probabilities": dict,
    "score": float,
    "known": float,
    "opinion": float,
    "also": str,
    "bbox_x": int,
    "bbox_y": int,
    "bbox_width": int,
    "bbox_height": int,
    "mask_height": int,
    "mask_width": int,
    "mask_counts": str,
    "distortion_share": dict,
}
"""Facts of a node's row and their types; `kind` is region or scene.

`also` is a list of further distortions as JSON text, not known where there are none. `alone` is
true of a region that one picture alone has, and not known of others.
"""

EDGE_FACTS: Mapping[str, type] = {
    "source": str,
    "target": str,
    "kind": str,
    "region": int,
    "position": int,
    "label": str,
    "rank": int,
    "probability": float,
    "probabilities": dict,
    "margin": float,
    "measured": bool,
    "psnr_db": float,
    "ssim": float,
    "haarpsi": float,
    "delta_e": float,
    "more": dict,
    "differs_share": float,
    "differs_equal": float,
    "spots_height": int,
    "spots_width": int,
    "spots": str,
    "judged": str,
    "image": str,
}
"""Facts of an edge's row and their types; `kind` is comparison, scene or relation.

`measured` is whether there is evidence: of identical pixels psnr_db is not known all the same.
`more` are the values of further metrics, not known where none were asked for. `spots` is a list of
boxes [x, y, width, height] as JSON text, on a picture of the size given. `judged` is what a person
says of the region, as JSON text, not known where nobody judged.
"""

BOX_FACTS = ("bbox_x", "bbox_y", "bbox_width", "bbox_height")
EVIDENCE_FACTS = ("psnr_db", "ssim", "haarpsi", "delta_e")
DIFFERENCE_FACTS = ("differs_share", "differs_equal", "spots_height", "spots_width", "spots")
WHOLE_FACTS = (
    "vocabulary",
    "anchor",
    "target",
    "fit",
    "alignment",
    "reference",
    "scores",
    "model",
    "metrics",
)


def node_name(side: str, region: int | str) -> str:
    """What a node is called: `anchor:7`."""
    return f"{side}:{region}"


def whole_facts(graph: DistortionGraph) -> dict[str, str]:
    """The schema, and `WHOLE_FACTS` as JSON text; none of what is null or an empty list."""
    value = graph.model_dump(mode="json", by_alias=True, include=set(WHOLE_FACTS))
    texts = {key: json_text(value[key]) for key in WHOLE_FACTS if value[key]}
    return {"schema": graph.schema_, **texts}


def node_rows(graph: DistortionGraph) -> Iterator[Row]:
    """A row per node: all of the anchor, then all of the target."""
    for side in SIDES:
        for position, region in enumerate(graph.regions):
            node, mask, box = region.node(side), region.mask_of(side), region.bbox_of(side)
            yield _region_row(region, position, side, node, mask, box)
        for position, lone in enumerate(graph.alone, start=len(graph.regions)):
            if lone.side == side:
                node = lone.node
                row = _region_row(lone, position, side, node, node.mask, node.bbox_xywh_px)
                yield row | {"alone": True}
        if graph.scene is not None:
            whole = graph.scene.anchor if side == "anchor" else graph.scene.target
            yield _complete(
                NODE_FACTS,
                node=node_name(side, SCENE),
                kind=SCENE,
                side=side,
                score=whole.score,
                opinion=whole.opinion,
                distortion_share=whole.distortion_share,
            )


def edge_rows(graph: DistortionGraph) -> Iterator[Row]:
    """A row an edge: comparisons of regions, that of the scene, relations."""
    for position, region in enumerate(graph.regions):
        facts = _compared(graph, region.comparison, region.evidence, region.differs)
        facts["judged"] = flat_judgement(region.judged)
        between: Row = {"region": region.id, "position": position, **_ends(region.id)}
        yield _complete(EDGE_FACTS, kind="comparison", **between, **facts)
    if graph.scene is not None:
        scene = graph.scene
        facts = _compared(graph, scene.comparison, scene.evidence, scene.differs)
        yield _complete(EDGE_FACTS, kind=SCENE, **_ends(SCENE), **facts)
    for position, relation in enumerate(graph.relations):
        for side in SIDES:
            if relation.image in (side, "both"):
                yield _complete(
                    EDGE_FACTS,
                    source=node_name(side, relation.subject),
                    target=node_name(side, relation.object),
                    kind="relation",
                    position=position,
                    label=relation.predicate,
                    image=relation.image,
                )


def scalars(row: Row) -> dict[str, Scalar]:
    """The known facts of a row, maps as JSON text."""
    return {
        key: json_text(value) if isinstance(value, Mapping) else value
        for key, value in row.items()
        if value is not None
    }


def json_text(value: Any) -> str:
    """Compact JSON in ASCII, keys in their order."""
    return json.dumps(value, separators=(",", ":"))


def flat_evidence(evidence: Evidence | None) -> dict[str, float | None]:
    """The measured numbers by name, each of them None where nothing was measured."""
    return {key: None if evidence is None else getattr(evidence, key) for key in EVIDENCE_FACTS}


def flat_more(evidence: Evidence | None) -> str | None:
    """Values of further metrics as JSON text, None where there are none."""
    return json_text(dict(evidence.more)) if evidence is not None and evidence.more else None


def flat_further(also: Sequence[FurtherDistortion]) -> str | None:
    """Further distortions as JSON text, None where there are none."""
    return json_text([further.model_dump() for further in also]) if also else None


def flat_judgement(judged: Judgement | None) -> str | None:
    """What a person says of a region as JSON text, None where nobody judged."""
    return None if judged is None else json_text(judged.model_dump(mode="json"))


def flat_differences(differs: Difference | None) -> dict[str, Scalar | None]:
    """Where the pictures differ by name of the fact, each None where it was not measured."""
    if differs is None:
        return dict.fromkeys(DIFFERENCE_FACTS)
    values = differs.share, differs.equal, *differs.size, json_text(differs.spots)
    return dict(zip(DIFFERENCE_FACTS, values, strict=True))


def _complete(facts: Iterable[str], **known: Value) -> Row:
    return {key: known.get(key) for key in facts}


def _ends(what: int | str) -> dict[str, str]:
    return {"source": node_name("anchor", what), "target": node_name("target", what)}


def _region_row(
    region: RegionComparison | RegionAlone,
    position: int,
    side: Side,
    node: Node,
    mask: Mask | None,
    box: tuple[int, int, int, int] | None,
) -> Row:
    masked = {} if mask is None else _mask_facts(*mask.size, mask.counts)
    return _complete(
        NODE_FACTS,
        node=node_name(side, region.id),
        kind="region",
        side=side,
        region=region.id,
        position=position,
        name=region.name,
        area_fraction=region.area_fraction,
        valid=region.valid,
        score=node.score,
        known=node.known,
        opinion=node.opinion,
        also=flat_further(node.also),
        **_believed("distortion", node.distortion),
        **_believed("severity", node.severity),
        **({} if box is None else dict(zip(BOX_FACTS, box, strict=True))),
        **masked,
    )


def _mask_facts(height: int, width: int, counts: str) -> dict[str, Value]:
    return {"mask_height": height, "mask_width": width, "mask_counts": counts}


def _believed(what: str, belief: LabelBelief) -> dict[str, Value]:
    return {
        what: belief.label,
        f"{what}_probability": belief.probability,
        f"{what}_probabilities": belief.probabilities,
    }


def _compared(
    graph: DistortionGraph,
    comparison: ComparisonBelief | None,
    evidence: Evidence | None,
    differs: Difference | None,
) -> dict[str, Value]:
    facts: dict[str, Value] = {"measured": evidence is not None, **flat_evidence(evidence)}
    facts["more"] = (evidence and evidence.more) or None
    facts |= flat_differences(differs)
    if comparison is None:
        return facts
    vocabulary = graph.vocabulary
    rank = vocabulary.comparisons[vocabulary.comparison_index(comparison.label)].rank
    return facts | {
        "label": comparison.label,
        "rank": rank,
        "probability": comparison.probability,
        "probabilities": comparison.probabilities,
        "margin": comparison.margin,
    }
