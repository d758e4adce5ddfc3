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
from pathlib import Path

import numpy as np

from distortion_graph.bench.evaluate import Pool, Summary, run
from distortion_graph.bench.protocol import BenchPicture, Split, bench_picture, make_pairs
from distortion_graph.data.pictures import load_labelled, read_names
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
    results["clean"] = {"called_clean": pristine_share(model, pictures)}
    print(f"\nNever-distorted pictures: {results['clean']['called_clean']:.3f} of regions clean")
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


def pristine_share(model: Model, pictures: list[BenchPicture]) -> float:
    """Share of regions called clean when both pictures are the untouched original."""
    words: Vocabulary = model.vocabulary
    labels = [
        region.anchor.distortion.label
        for p in pictures
        for region in decode(model.predict(p.rgb, p.rgb, p.masks), words).regions
    ]
    return labels.count(words.clean) / len(labels)


if __name__ == "__main__":
    try:
        main()
    except DistortionGraphError as error:
        raise SystemExit(f"bsds_val: error: {error}") from error
