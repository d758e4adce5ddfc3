"""The table of the model card: the shipped model and its baseline on any folder of pictures.

    python benchmarks/bsds_val.py FOLDER [--model MODEL] [--json out.json]

FOLDER holds images/<name>.jpg and label maps regions/<name>_<annotator>.png, as BSDS500 prepared
so does. Pairs, metrics and the choice of the label map follow the protocol in docs/benchmark.md:
nothing is drawn from anything but the seed and the pictures' names.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.evaluate import Pool, Summary, run
from distortion_graph.bench.metrics import f1_by_label
from distortion_graph.bench.protocol import BenchPicture, Split, bench_picture, make_pairs
from distortion_graph.data.pictures import load_labelled, read_names
from distortion_graph.data.synthesis import MIXED
from distortion_graph.errors import DistortionGraphError, RegionError
from distortion_graph.runtime.decode import decode
from distortion_graph.runtime.session import Model
from distortion_graph.vocabulary import Vocabulary

SPLITS: tuple[Split, ...] = ("easy", "medium", "hard")
FIELDS = ("distortion", "severity", "comparison")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=None, help="model folder; the shipped one by default")
    parser.add_argument("--only", type=Path, help="JSON lists of picture names to keep")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    model = Model.load(options.model)
    pictures = [bench_picture(p) for p in load_labelled(options.folder)]
    if options.only:
        names = read_names(options.only)
        pictures = [p for p in pictures if p.tag in names]
    if not any(len(p.masks) for p in pictures):
        raise RegionError(f"{options.folder}: {len(pictures)} pictures and no region to report on")
    results: dict[str, dict[str, object]] = {}
    print(f"{len(pictures)} pictures, model {model.identity.name} {model.identity.version}\n")
    print("| split | pairs | distortion | severity | comparison | score SRCC | PLCC |")
    print("|---|---|---|---|---|---|---|")
    for split in SPLITS:
        pairs = list(make_pairs(split, pictures, seed=options.seed))
        started = time.perf_counter()
        pool = run(model, pairs, model.vocabulary)
        seconds = (time.perf_counter() - started) / len(pairs)
        results[split] = report(split, pool, len(pairs)) | {"seconds_per_pair": seconds}
    print("\nF1 by distortion, hard:")
    by_label = f1_by_distortion(pool, model.vocabulary)
    print(", ".join(f"{label} {f1:.2f}" for label, f1 in sorted(by_label.items(), key=by_value)))
    results["hard"]["f1_by_distortion"] = by_label
    results["pristine"] = {
        "beside itself": pristine_share(model, [(p.rgb, p) for p in pictures]),
        "beside its mixed version": pristine_share(
            model, [(x.anchor.image, x.picture) for x in pairs if x.anchor.name == MIXED[0]]
        ),
    }
    print("\nNever-distorted pictures, share of regions called clean:")
    print(", ".join(f"{name} {share:.3f}" for name, share in results["pristine"].items()))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def report(split: str, pool: Pool, pairs: int) -> dict[str, object]:
    """Print the rows of a split and return its figures."""
    summary = pool.summary()
    intervals = {f: pool.accuracy_interval(f) for f in FIELDS}
    cells = [
        f"{getattr(summary, f).accuracy:.3f} [{low:.3f}, {high:.3f}]"
        for f, (low, high) in intervals.items()
    ]
    cells += [f"{summary.score.srcc:.3f}", f"{summary.score.plcc:.3f}"]
    print(f"| {split} | {pairs} | {' | '.join(cells)} |")
    majority = majority_accuracy(pool)
    print(
        f"| {split}, majority | {pairs} | {' | '.join(f'{majority[f]:.3f}' for f in FIELDS)} | | |"
    )
    return figures(summary) | {"pairs": pairs, "intervals": intervals, "majority": majority}


def figures(summary: Summary) -> dict[str, object]:
    """All figures of a summary as plain values."""
    labels = {f: vars(getattr(summary, f)) for f in FIELDS}
    return labels | {"score": vars(summary.score), "regions": summary.regions}


def majority_accuracy(pool: Pool) -> dict[str, float]:
    """Accuracy of always giving the split's most frequent label."""
    shares = {}
    for field in FIELDS:
        truth = np.concatenate([t.ravel() for t, _ in getattr(pool, field)])
        shares[field] = Counter(truth.tolist()).most_common(1)[0][1] / len(truth)
    return shares


def f1_by_distortion(pool: Pool, vocabulary: Vocabulary) -> dict[str, float]:
    """F1 of every distortion label that occurs."""
    truth, predicted = (
        np.concatenate([entry[side].ravel() for entry in pool.distortion]) for side in (0, 1)
    )
    return {vocabulary.distortions[i]: f1 for i, f1 in f1_by_label(truth, predicted).items()}


def by_value(entry: tuple[str, float]) -> float:
    """Sorts labels by their figure."""
    return entry[1]


def pristine_share(model: Model, pairs: Sequence[tuple[NDArray[np.uint8], BenchPicture]]) -> float:
    """Share of an untouched target's regions called clean, beside each of the given anchors."""
    labels = [
        region.target.distortion.label
        for anchor, p in pairs
        for region in decode(model.predict(anchor, p.rgb, p.masks), model.vocabulary).regions
    ]
    return labels.count(model.vocabulary.clean) / len(labels)


if __name__ == "__main__":
    try:
        main()
    except DistortionGraphError as error:
        raise SystemExit(f"bsds_val: error: {error}") from error
