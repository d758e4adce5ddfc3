"""A small data-set root of the published layout, written without the builder."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from PIL import Image

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.datasets.layout import DEPTH_FOLDER, picture_path, stats_path
from distortion_graph.datasets.pair_lists import draw_list, index_text
from distortion_graph.datasets.stats import PictureRecord, RegionRecord, picture_to_json
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.synthesis import MIXED, make_version

TAGS = ("one.png", "two.png")
VERSIONS = ("noise", "blur", "saturate_dec", *MIXED)
SIZE = (48, 64)


def clean_picture(k):
    rng = np.random.default_rng(k)
    blocks = rng.integers(30, 226, (SIZE[0] // 8, SIZE[1] // 8, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int)).astype(np.uint8)


def regions():
    return RegionSet.grid(SIZE, 1, 3)


def write_root(root, pairs=6):
    """Two pictures of three regions in five versions, all in `test`; `pairs` easy and medium."""
    stats: dict[str, Any] = {version: {} for version in VERSIONS}
    for k, tag in enumerate(TAGS):
        clean = clean_picture(k)
        _save(picture_path(root, "gt", "test", tag), clean)
        for name in VERSIONS:
            version = make_version(
                clean, regions().masks(), range(3), version=name, tag=tag[:-4], seed=0
            )
            _save(picture_path(root, name, "test", tag), version.image)
            stats[name][tag] = picture_to_json(_record(version))
    (root / DEPTH_FOLDER).mkdir()
    for name, entries in stats.items():
        path = stats_path(root, "test", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(entries))
    types = [v for v in VERSIONS if v not in MIXED]
    lists = {name: draw_list(name, TAGS, types, count=pairs) for name in ("easy", "medium")}
    (root / "pandabench_index.json").write_text(index_text(lists))
    return root


def _save(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)


def _record(version):
    parts = zip(regions(), regions().boxes_xywh(), version.draws, version.scores, strict=True)
    return PictureRecord(
        version.scene_score,
        (),
        tuple(
            RegionRecord(
                name=region.name,
                severity=WORDS.severity_index(draw.severity),
                degradation=draw.distortion,
                score=float(score),
                bbox_xywh_px=(int(x), int(y), int(w), int(h)),
                mask=region.rle,
            )
            for region, (x, y, w, h), draw, score in parts
        ),
    )
