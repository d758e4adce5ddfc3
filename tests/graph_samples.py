"""Native JSON of a small graph as plain values, for the tests of the graph."""

from __future__ import annotations

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY

LABELS = DEFAULT_VOCABULARY.distortions
ALSO = [
    {"label": "darken", "probability": 0.75, "severity": "moderate"},
    {"label": "blur", "probability": 0.625, "severity": "minor"},
]


def spread(labels, label, p):
    """Probability p on one label, the rest shared by the others."""
    rest = (1 - p) / (len(labels) - 1)
    return {x: p if x == label else rest for x in labels}


def node(distortion="blur", severity="severe", score=0.5, **extra):
    clean = 0.1 if distortion != "clean" else 0.8
    d = spread(LABELS, "clean", clean)
    if distortion != "clean":
        d = {x: 0.0 for x in LABELS} | {"clean": clean, distortion: 1 - clean}
    s = {x: 0.0 for x in DEFAULT_VOCABULARY.severities} | {"clean": clean}
    s[severity if severity != "clean" else "minor"] = 1 - clean
    return {
        "mask": None,
        "bbox_xywh_px": None,
        "distortion": {"label": distortion, "probability": d[distortion], "probabilities": d},
        "severity": {"label": severity, "probability": s[severity], "probabilities": s},
        "score": score,
        "known": 0.96875,
        "opinion": None,
        "also": [],
        **extra,
    }


def comparison(label, margin):
    p = spread(DEFAULT_VOCABULARY.comparison_labels, label, 0.6)
    return {"label": label, "probability": 0.6, "probabilities": p, "margin": margin}


def differs(*spots, share=0.25, equal=0.5, size=(4, 3)):
    return {"share": share, "equal": equal, "size": list(size), "spots": list(spots)}


def metric(name, version, licence, ends, direction):
    return {
        "name": name,
        "version": version,
        "licence": licence,
        "range": ends,
        "direction": direction,
        "pooling": "the mean",
    }


def evidence(psnr_db, ssim, haarpsi, delta_e, more):
    values = {"psnr_db": psnr_db, "ssim": ssim, "haarpsi": haarpsi, "delta_e": delta_e}
    return values | {"more": more}


def native():
    """Native JSON as plain values: a 4×3 picture (h × w), two regions, everything filled in."""
    box = {"mask": {"size": [4, 3], "counts": "02:"}, "bbox_xywh_px": [0, 0, 1, 2]}
    return {
        "schema": "distortion-graph/1",
        "vocabulary": DEFAULT_VOCABULARY.model_dump(mode="json"),
        "anchor": {
            "width": 3,
            "height": 4,
            "source": "a.png",
            "sha256": "0" * 64,
            "sha256_of": "file",
            "transparency": {"background": "white", "sha256": "c" * 64},
            "turned": 0,
        },
        "target": {
            "width": 3,
            "height": 4,
            "source": None,
            "sha256": "f" * 64,
            "sha256_of": "rgb",
            "transparency": None,
            "turned": 0,
        },
        "fit": None,
        "alignment": None,
        "reference": {
            "role": "third",
            "picture": {
                "width": 3,
                "height": 4,
                "source": "original.png",
                "sha256": "e" * 64,
                "sha256_of": "file",
                "transparency": None,
                "turned": 0,
            },
        },
        "scores": {"metric": "haarpsi", "source": "measured"},
        "model": {"name": "small", "version": "1", "sha256": "a" * 64, "known_threshold": 0.5},
        "metrics": [
            metric("flip", "1.7", "BSD-3-Clause", [0.0, 1.0], "lower_is_better"),
            metric("ssimulacra2", "2.1", "BSD-3-Clause", [None, 100.0], "higher_is_better"),
        ],
        "regions": [
            {
                "id": 7,
                "name": "person",
                "area_fraction": 0.166667,
                "valid": None,
                "anchor": node(score=0.7, **box),
                "target": node("noise", "minor", 0.6, opinion=0.375, also=ALSO),
                "comparison": comparison("same", 0.7 - 0.6),
                "evidence": evidence(None, 1.0, 1.0, 0.0, {"flip": 0.0, "ssimulacra2": None}),
                "differs": differs([0, 1, 2, 2], [1, 0, 1, 1]),
                "judged": {
                    "by": "ada",
                    "at": "2026-11-30T12:00:00Z",
                    "anchor": {"distortion": "blur", "severity": "moderate"},
                    "target": {"distortion": None, "severity": "minor"},
                    "comparison": "slightly_worse",
                },
            },
            {
                "id": 2,
                "name": "Schläger",
                "area_fraction": None,
                "valid": None,
                "anchor": node("clean", "clean", 1.0),
                "target": node("haze", "severe", 0.25),
                "comparison": comparison("significantly_better", 0.75),
                "evidence": None,
                "differs": None,
                "judged": None,
            },
        ],
        "scene": {
            "anchor": {
                "score": 0.75,
                "opinion": 0.625,
                "distortion_share": {"clean": 0.5, "blur": 0.25},
            },
            "target": {"score": 0.5, "opinion": None, "distortion_share": {"noise": 0.5}},
            "comparison": comparison("slightly_better", 0.25),
            "evidence": evidence(20.5, 0.9, 0.8, 3.25, {"flip": 0.125, "ssimulacra2": 62.5}),
            "differs": differs([0, 1, 2, 2]),
        },
        "relations": [{"subject": 7, "predicate": "holding", "object": 2, "image": "anchor"}],
    }


def changed(path, value):
    """`native()` with the value at a dotted path replaced, or removed where it is `...`."""
    data = native()
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    spot = data
    for part in parents:
        spot = spot[part]
    if value is ...:
        del spot[last]
    else:
        spot[last] = value
    return data
