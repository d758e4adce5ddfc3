"""A small data-set root in the published layout, with pictures of noise."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
from PIL import Image

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.layout import SPLITS, picture_path, stats_path, version_names
from distortion_graph.datasets.stats import PictureRecord, RegionRecord, picture_to_json
from distortion_graph.datasets.stats_writer import StatsWriter
from distortion_graph.masks.container import RegionSet

VERSIONS = version_names(DEFAULT_VOCABULARY)
SIZE = (20, 30)
TAGS = {"train": ("a.png", "b.1.jpg", "weiß nicht.png"), "val": ("c.PNG",), "test": ("d.png", "e")}
KINDS = {".png": "PNG", ".jpg": "JPEG", ".PNG": "PNG", "": "PNG"}


def masks_of(rng):
    """Three masks: left, right and a scatter that overlaps both."""
    masks = np.zeros((3, *SIZE), bool)
    masks[0, :, :15], masks[1, :, 15:] = True, True
    masks[2] = rng.random(SIZE) < 0.2
    masks[2, 3, 3] = True
    return RegionSet.from_masks(masks)


def record_of(version, rng, regions, relations):
    types = [d for d in DEFAULT_VOCABULARY.distortions if d != "clean"]
    return PictureRecord(
        float(rng.random()),
        relations,
        tuple(
            RegionRecord(
                name=region.name,
                severity=int(rng.integers(1, 4)),
                degradation=version if version in types else str(rng.choice(types)),
                score=float(rng.random()),
                bbox_xywh_px=(int(x), int(y), int(w), int(h)),
                mask=region.rle,
                description="größer" if region.id == 1 else None,
                category_id=7 if region.id == 0 else None,
            )
            for region, (x, y, w, h) in zip(regions, regions.boxes_xywh(), strict=True)
        ),
    )


def encoded(tag, rng):
    pixels = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    suffix = "." + tag.rpartition(".")[2] if "." in tag else ""
    Image.fromarray(pixels).save(buffer, KINDS[suffix])
    return buffer.getvalue()


def make_root(root, tags=TAGS, versions=VERSIONS, form="built"):
    """Write a root; `form` is "built" (as `dataset build` writes stats) or "published"."""
    rng = np.random.default_rng(0)
    manifest = []
    for split in SPLITS:
        pictures = tags.get(split, ())
        regions = {tag: masks_of(rng) for tag in pictures}
        if not pictures:
            continue
        for folder in ("gt", *versions):
            (root / folder / split).mkdir(parents=True, exist_ok=True)
            for tag in pictures:
                data = encoded(tag, rng)
                picture_path(root, folder, split, tag).write_bytes(data)
                manifest.append(
                    {
                        "file": f"{folder}/{split}/{tag}",
                        "sha256": hashlib.sha256(data).hexdigest(),
                        "bytes": len(data),
                        "picture": tag,
                        "split": split,
                        "version": folder,
                    }
                )
        (root / "stats").mkdir(exist_ok=True)
        for version in versions:
            records = {
                tag: record_of(version, rng, regions[tag], ((0, 2, 5),) if tag == "d.png" else ())
                for tag in pictures
            }
            path = stats_path(root, split, version)
            if form == "published":
                path.write_text(json.dumps({t: picture_to_json(r) for t, r in records.items()}))
                continue
            with StatsWriter(path, root) as writer:
                for tag, record in records.items():
                    writer.add(tag, record)
                writer.finish()
    (root / "depth").mkdir()
    lines = (json.dumps(line, separators=(",", ":")) + "\n" for line in manifest)
    (root / "manifest.jsonl").write_text("".join(lines))
    (root / "pandabench_index.json").write_text(
        json.dumps(
            {
                "easy": [["blur", "noise", "d.png"], ["rain", "snow", "e"]],
                "medium": [["blur", "mixed", "e"], ["mixed2", "noise", "d.png"]],
            }
        )
    )
    return root


def files_of(folder):
    """Every file below a folder, by its name from there, with its bytes."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
