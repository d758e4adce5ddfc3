"""Judged graphs of synthetic pairs, and their pictures on disk: what people say is what is true."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from distortion_graph.graph import SIDES, Judgement
from distortion_graph.graph.judging import judge
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.pairs import make_pair

SIZE = (96, 128)


def photo(seed):
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 226, (SIZE[0] // 8, SIZE[1] // 8, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int)).astype(np.uint8)


def judged_pair(folder, seed, *, by="ada", only=None, **said):
    """A graph in `folder`/judged whose regions a person judged, its pictures in `folder`/photos.

    `only` are the regions that are judged; `said` what the person says otherwise of each.
    """
    sample = make_pair(photo(seed), RegionSet.grid(SIZE, 2, 2), tag=f"p{seed}", seed=seed)
    graph = sample.graph
    infos: dict[str, Any] = {}
    for side in SIDES:
        path = Path(folder) / "photos" / f"{side}{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(getattr(sample, side).image).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        change = {"source": str(path), "sha256": digest, "sha256_of": "file"}
        infos[side] = getattr(graph, side).model_copy(update=change)
    graph = graph.model_copy(update=infos)
    for region in graph.regions:
        if only is None or region.id in only:
            graph = judge(graph, region.id, judgement_of(region, by, said))
    return graph


def judgement_of(region, by, said):
    value = {
        side: {
            kind: getattr(getattr(region, side), kind).label for kind in ("distortion", "severity")
        }
        for side in SIDES
    }
    return Judgement.model_validate(
        value | {"by": by, "comparison": region.comparison.label} | said
    )


def written(folder, graph, name):
    path = Path(folder) / "judged" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(graph.to_json(), "utf-8")
    return path
