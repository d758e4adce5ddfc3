"""A tiny data-set root in the published layout with nothing wrong in it, and ways to change it."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from PIL import Image

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.description import (
    BuildDescription,
    DatasetDescription,
    ImageDescription,
    RecipeDescription,
    SourceDescription,
    SplitDescription,
)
from distortion_graph.datasets.layout import version_names
from distortion_graph.datasets.stats import PictureRecord, RegionRecord, picture_to_json
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.measure.quality import HAARPSI

VERSIONS = version_names(DEFAULT_VOCABULARY)
TYPES = VERSIONS[:-2]
TAGS = {"train": ("a.png", "b.png"), "val": ("c.png",), "test": ("d.png",)}
SIZE = (20, 30)
REGIONS = 5
PICTURES = sum(map(len, TAGS.values()))
FILES = PICTURES * (1 + len(VERSIONS))

# Score of region k in the two mixed versions: apart by −.4, −.2, 0, .2 and .4.
MIXED_SCORES = {"mixed": (0.5, 0.6, 1.0, 0.8, 0.9), "mixed2": (0.9, 0.8, 1.0, 0.6, 0.5)}
BOXES = [(6 * k, 2, 6, 12) for k in range(REGIONS)]


def pixels(tag, version="gt"):
    """Noise of its own for every file."""
    seed = int.from_bytes(hashlib.sha256(f"{version}/{tag}".encode()).digest()[:4], "big")
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def record(version, tag):
    """Region k has severity 1 + k mod 3, but region 2 of mixed versions is clean."""
    regions = []
    for k, (x, y, w, h) in enumerate(BOXES):
        mask = np.zeros(SIZE, bool)
        mask[y : y + h, x : x + w] = True
        if version in MIXED_SCORES:
            clean = k == 2
            label = "clean" if clean else TYPES[(3 * k + len(tag)) % len(TYPES)]
            severity, score = 0 if clean else 1 + k % 3, MIXED_SCORES[version][k]
        else:
            label, severity, score = version, 1 + k % 3, 0.75 - 0.25 * (k % 3)
        regions.append(
            RegionRecord(f"thing {k}", severity, label, score, (x, y, w, h), rle_from_mask(mask))
        )
    return PictureRecord(0.5, ((0, 1, 3), (4, 2, 0)), tuple(regions))


def write_root(root):
    """The root without dataset.json and manifest, as the published one, and with an index."""
    for split, tags in TAGS.items():
        for version in ("gt", *VERSIONS):
            folder = root / version / split
            folder.mkdir(parents=True)
            for tag in tags:
                Image.fromarray(pixels(tag, version)).save(folder / tag)
        (root / "stats").mkdir(exist_ok=True)
        for version in VERSIONS:
            entries = {tag: picture_to_json(record(version, tag)) for tag in tags}
            stats_file(root, split, version).write_text(json.dumps(entries))
    (root / "depth").mkdir()
    write_index(
        root, {"easy": [["blur", "noise", "d.png"]], "medium": [["mixed", "rain", "a.png"]]}
    )
    return root


def stats_file(root, split, version):
    return root / "stats" / f"{split}_stats_{version}.json"


def write_index(root, lists):
    (root / "pandabench_index.json").write_text(json.dumps(lists))


def edit(root, split, version, change):
    """Let `change` alter the entries of a stats file."""
    path = stats_file(root, split, version)
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries))


def edit_all(root, split, change):
    """The same change to every version."""
    for version in VERSIONS:
        edit(root, split, version, change)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe(root):
    """Add manifest and dataset.json that fit what is there."""
    lines = []
    for split, tags in TAGS.items():
        for tag in tags:
            for version in ("gt", *VERSIONS):
                path = root / version / split / tag
                lines.append(
                    {
                        "file": f"{version}/{split}/{tag}",
                        "sha256": sha256(path),
                        "bytes": path.stat().st_size,
                        "picture": tag,
                        "split": split,
                        "version": version,
                    }
                )
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    files = [root / "manifest.jsonl", root / "pandabench_index.json", *(root / "stats").iterdir()]
    value = DatasetDescription(
        vocabulary=DEFAULT_VOCABULARY,
        versions=VERSIONS,
        metric=HAARPSI.describe(),
        recipe=RecipeDescription(
            id="0123456789ab",
            seed=7,
            types=TYPES,
            severity_levels={"minor": (1, 2), "moderate": (3,), "severe": (4, 5)},
            clean_share=0.2,
            feather_px=0.0,
            min_share=0.008,
            max_regions=None,
        ),
        image=ImageDescription(format="png", quality=None),
        splits={
            split: SplitDescription(pictures=len(tags), regions=REGIONS * len(tags))
            for split, tags in TAGS.items()
        },
        sources=(
            SourceDescription(
                name="made", kind="labels", pictures=PICTURES, skipped=1, licence="CC0"
            ),
        ),
        predicates=("on", "under", "near", "holding"),
        software={"numpy": np.__version__},
        build=BuildDescription(
            options={},
            listing="",
            files={path.relative_to(root).as_posix(): sha256(path) for path in files},
        ),
    )
    (root / "dataset.json").write_text(value.model_dump_json(indent=2))
    return root
