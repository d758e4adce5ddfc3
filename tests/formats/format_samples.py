"""Graphs for the tests of the formats: everything filled in, hostile words, drawn ones."""

from __future__ import annotations

import numpy as np
from graph_samples import native
from hypothesis import strategies as st

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.graph import DistortionGraph, load_graph
from distortion_graph.masks.rle import rle_from_mask

HOSTILE = [
    "<b attr=\"x\">&amp; '&' ]]></b>",
    "naïve 中文 🙂 a\u0301",
    "\u202eright to left\u200f שלום",
    "bell\a nul\0 escape\x1b[31m",
    "line\nfeed\r\nand\ttab\x85\u2028",
    "\ufffe\uffff",
    'json:"quoted"',
    "=1+2",
    "-x, 'y'; \"z\"",
    "\\N \\ \\\\n",
    " ",
]
"""Names that some form of text has trouble with."""


def full():
    """Two regions, everything filled in, one of them with a mask."""
    return DistortionGraph.model_validate(native())


def hostile():
    """A graph whose names, predicates, sources and labels are hostile."""
    value = native()
    words = ["clean", *HOSTILE]
    value["vocabulary"] = {
        "distortions": words,
        "severities": ["clean", *HOSTILE[:3]],
        "comparisons": [
            {"label": HOSTILE[0], "rank": -1, "min_abs_d": 0.1},
            {"label": HOSTILE[3], "rank": 0, "min_abs_d": 0},
            {"label": HOSTILE[4], "rank": 1, "min_abs_d": 0.1},
        ],
    }
    first = value["regions"][0]
    first["evidence"] = None
    regions = []
    for k, name in enumerate(HOSTILE):
        nodes = {
            side: {
                "distortion": {"label": name},
                "severity": {"label": HOSTILE[k % 3]},
                "score": 0.5,
            }
            for side in ("anchor", "target")
        }
        label = (HOSTILE[0], HOSTILE[3], HOSTILE[4])[k % 3]
        regions.append(
            {"id": 3 * k, "name": name, **nodes, "comparison": {"label": label, "margin": 0.0}}
        )
    value |= {
        "regions": regions,
        "scene": {"anchor": {"distortion_share": {HOSTILE[0]: 0.25, HOSTILE[3]: 0.5}}},
        "relations": [
            {"subject": 3 * k, "predicate": name, "object": 0, "image": ("both", "anchor")[k % 2]}
            for k, name in enumerate(HOSTILE)
        ],
        "model": {"name": HOSTILE[3], "version": ""},
    }
    value["anchor"]["source"], value["target"]["source"] = "", HOSTILE[4]
    return DistortionGraph.model_validate(value)


def many(count=500):
    """A graph of so many regions, each a block of a picture, with relations between neighbours."""
    value = native()
    value["anchor"] |= {"width": 50, "height": 40}
    value["target"] |= {"width": 50, "height": 40}
    region = value["regions"][0]
    value["regions"] = []
    for part in (region, value["scene"]):
        part["differs"] |= {"size": [40, 50]}
    for k in range(count):
        mask = np.zeros((40, 50), bool)
        row, column = divmod(k, 25)
        mask[2 * row % 40 :, 2 * column : 2 * column + 2] = True
        rle = rle_from_mask(mask)
        anchor = region["anchor"] | {
            "mask": {"size": rle.size, "counts": rle.counts},
            "bbox_xywh_px": rle.box_xywh(),
        }
        value["regions"].append(region | {"id": k, "name": f"block {k}", "anchor": anchor})
    value["relations"] = [
        {"subject": k, "predicate": "beside", "object": (k + 1) % count, "image": "both"}
        for k in range(count)
    ]
    return DistortionGraph.model_validate(value)


def empty():
    """No regions, nothing known."""
    return DistortionGraph(vocabulary=DEFAULT_VOCABULARY, anchor={}, target={}, regions=())


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
UNIT = st.floats(0, 1)
MAYBE = st.none() | UNIT


@st.composite
def vocabularies(draw):
    distortions = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    severities = [distortions[0], *draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))]
    if len(set(severities)) < len(severities):
        severities = [distortions[0], distortions[0] + "+"]
    labels = draw(st.lists(WORDS, min_size=3, max_size=3, unique=True))
    steps = [
        {"label": label, "rank": rank, "min_abs_d": 0.1 * abs(rank)}
        for label, rank in zip(labels, (-1, 0, 1), strict=True)
    ]
    return Vocabulary(distortions=distortions, severities=severities, comparisons=steps)


def beliefs(labels, at=None):
    """A belief of one of the labels, or of the one at that place; probabilities add up to 1."""

    @st.composite
    def drawn(draw):
        place = draw(st.integers(0, len(labels) - 1)) if at is None else at
        kind = draw(st.sampled_from(["bare", "one", "all"]))
        if kind != "all":
            one = draw(UNIT) if kind == "one" else None
            return {"label": labels[place], "probability": one}
        order = draw(st.permutations(labels))
        rest = draw(UNIT)
        shares = {x: rest / (len(labels) - 1) for x in order} | {labels[place]: 1 - rest}
        return {
            "label": labels[place],
            "probability": shares[labels[place]],
            "probabilities": {x: shares[x] for x in order},
        }

    return drawn()


@st.composite
def nodes(draw, vocabulary):
    distortion = draw(beliefs(vocabulary.distortions))
    clean = distortion["label"] == vocabulary.clean
    severity = draw(beliefs(vocabulary.severities, 0 if clean else len(vocabulary.severities) - 1))
    if "probabilities" in distortion:  # the two must agree about clean; one of them is enough
        severity = {"label": severity["label"]}
    return {
        "distortion": distortion,
        "severity": severity,
        "score": draw(MAYBE),
        "known": draw(MAYBE),
        "opinion": draw(MAYBE),
        "also": draw(further(vocabulary, distortion["label"])),
    }


@st.composite
def further(draw, vocabulary, named):
    """Distortions beside the one that is named; nothing beside clean."""
    others = [x for x in vocabulary.distortions if x not in (vocabulary.clean, named)]
    if named == vocabulary.clean or not others:
        return draw(st.sampled_from([None, []]))
    labels = draw(st.lists(st.sampled_from(others), unique=True))
    shares = sorted(draw(st.lists(UNIT, min_size=len(labels), max_size=len(labels))), reverse=True)
    severities = st.sampled_from(vocabulary.severities[1:])
    return [
        {"label": x, "severity": draw(severities)} | draw(st.sampled_from([{}, {"probability": p}]))
        for x, p in zip(labels, shares, strict=True)
    ]


@st.composite
def comparisons(draw, vocabulary, anchor, target):
    known = anchor is not None and target is not None
    margin = anchor - target if known else None
    return draw(beliefs(vocabulary.comparison_labels)) | {"margin": margin}


METRICS = native()["metrics"]
MORE = st.fixed_dictionaries({}, optional={"flip": MAYBE, "ssimulacra2": st.floats(-1e9, 100)})
EVIDENCE = st.none() | st.fixed_dictionaries(
    {"psnr_db": st.none() | st.floats(-1e300, 1e300), "ssim": st.none() | st.floats(-1, 1)},
    optional={"haarpsi": MAYBE, "delta_e": st.floats(0, 1e9), "more": st.none() | MORE},
)


DIFFERS = st.none() | st.fixed_dictionaries(
    {"share": st.floats(0, 0.5), "equal": st.floats(0, 0.5), "size": st.just([4, 3])},
    optional={"spots": st.sampled_from([[], [[1, 1, 2, 3]], [[0, 0, 3, 2], [1, 0, 1, 1]]])},
)


@st.composite
def shapes(draw):
    """Keys mask and box of two nodes of a 4×3 picture; the target's differ or are left out."""
    if draw(st.booleans()):
        return {}, {}
    bits = draw(st.lists(st.booleans(), min_size=12, max_size=12))
    first = rle_from_mask(np.array(bits).reshape(4, 3))
    second = rle_from_mask(~np.array(bits).reshape(4, 3))
    anchor = {"mask": {"size": [4, 3], "counts": first.counts}, "bbox_xywh_px": [0, 0, 2, 3]}
    target = {"mask": {"size": [4, 3], "counts": second.counts}, "bbox_xywh_px": [1, 1, 2, 3]}
    return anchor, draw(st.sampled_from([{}, target, {"mask": target["mask"]}]))


@st.composite
def scenes(draw, vocabulary):
    ends = [
        {
            "score": draw(MAYBE),
            "opinion": draw(MAYBE),
            "distortion_share": draw(
                st.none()
                | st.dictionaries(st.sampled_from(vocabulary.distortions), st.floats(0, 0.25))
            ),
        }
        for _ in range(2)
    ]
    comparison = draw(st.none() | comparisons(vocabulary, ends[0]["score"], ends[1]["score"]))
    return {
        "anchor": ends[0],
        "target": ends[1],
        "comparison": comparison,
        "evidence": draw(EVIDENCE),
        "differs": draw(DIFFERS),
    }


@st.composite
def graphs(draw):
    """Any graph of up to three regions, with words of any characters."""
    vocabulary = draw(vocabularies())
    regions = []
    for region_id in draw(st.lists(st.integers(0, 2**70), max_size=3, unique=True)):
        anchor, target = draw(nodes(vocabulary)), draw(nodes(vocabulary))
        drawn_here, drawn_there = draw(shapes())
        regions.append(
            {
                "id": region_id,
                "name": draw(WORDS),
                "area_fraction": draw(MAYBE),
                "anchor": anchor | drawn_here,
                "target": target | drawn_there,
                "comparison": draw(comparisons(vocabulary, anchor["score"], target["score"])),
                "evidence": draw(EVIDENCE),
                "differs": draw(DIFFERS),
            }
        )
    ids = [region["id"] for region in regions]
    relation = st.fixed_dictionaries(
        {
            "subject": st.sampled_from(ids or [0]),
            "predicate": WORDS,
            "object": st.sampled_from(ids or [0]),
            "image": st.sampled_from(["anchor", "target", "both"]),
        }
    )
    third = {"role": "third", "picture": {"width": 5, "source": draw(WORDS)}}
    measured = {"metric": draw(st.none() | WORDS), "source": "measured"}
    return DistortionGraph.model_validate(
        {
            "vocabulary": vocabulary,
            **draw(
                st.sampled_from(
                    [{}, {"scores": measured}, {"reference": third, "scores": measured}]
                )
            ),
            "anchor": draw(st.sampled_from([{}, {"width": 3, "height": 4, "source": "a\0"}])),
            "target": draw(st.sampled_from([{}, {"sha256": "0" * 64, "sha256_of": "rgb"}])),
            "metrics": METRICS,
            "model": draw(st.none() | st.fixed_dictionaries({"name": WORDS, "version": WORDS})),
            "regions": regions,
            "scene": draw(st.none() | scenes(vocabulary)),
            "relations": draw(st.lists(relation, max_size=4)) if ids else [],
        }
    )


def masked():
    """A graph of masks alone: two pictures of 6×5 pixels, masks that differ in the target."""
    here, there = np.zeros((2, 6, 5), bool)
    here[1:4, 1:3] = here[5, 4] = there[0, :] = there[2, 1] = True
    value = native()
    for side in ("anchor", "target"):
        value[side] |= {"width": 5, "height": 6}
    for part in (value["regions"][0], value["scene"]):
        part["differs"] |= {"size": [6, 5]}
    for mask, side in ((here, "anchor"), (there, "target")):
        rle = rle_from_mask(mask)
        value["regions"][0][side] |= {
            "mask": {"size": rle.size, "counts": rle.counts},
            "bbox_xywh_px": rle.box_xywh(),
        }
    return load_graph(DistortionGraph.model_validate(value).to_json()), here, there
