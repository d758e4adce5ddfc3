"""How near a batch comes to the model itself, where its time goes, and how the costs grow.

    python benchmarks/batch_rate.py [--pairs N] [--growth]

Everything is measured in one process and one thread, in processor time per pair, so that a busy
machine changes little; each figure is the median of several rounds. 481×321 JPEG pairs with 10
given regions: the network's own sessions alone (encoder, reader, head, on inputs that are ready),
the model with all that it sees of the pixels (`Model.predict`), and a whole pair of a batch: two
files decoded, regions read, compared, rows made, by how pictures are aligned and what is measured.
`--growth` gives the same for more pixels and more regions.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from batch_pairs import SIZE, write_pairs

from distortion_graph.batch.manifests import read_manifest
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.results import parquet_bytes
from distortion_graph.batch.rows import PAIR_COLUMNS, REGION_COLUMNS
from distortion_graph.batch.worker import Compared, Comparing, Job, compare_task
from distortion_graph.measure.evidence import measure_evidence
from distortion_graph.pictures.align import align
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.session import Model, load_model
from distortion_graph.regions import resolve_regions
from distortion_graph.work.threads import keep_process_to

ROUNDS = 3
LEVELS = ("none", "fast", "all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=8, help="different pairs in a round")
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    keep_process_to(1)
    model = load_model()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table(folder / "a", options.pairs, SIZE, (2, 5), model)
        if options.growth:
            for size, grid in (((160, 240), (2, 5)), ((642, 962), (2, 5)), ((1284, 1924), (2, 5))):
                table(folder / f"{size}", options.pairs // 2, size, grid, model)
            for grid in ((1, 1), (6, 10), (12, 10)):
                table(folder / f"{grid}", options.pairs // 2, SIZE, grid, model)
        growth_with_pairs()


def table(
    folder: Path, count: int, size: tuple[int, int], grid: tuple[int, int], model: Model
) -> None:
    """Print the costs of one kind of pair."""
    listed = write_pairs(folder, count, size=size, grid=grid, different=count)
    tasks = read_manifest(str(listed))
    pictures = [(load_picture(t.anchor), load_picture(t.target)) for t in tasks]
    regions = resolve_regions(str(folder / "labels.png"), *pictures[0])
    masks = regions.lazy_masks()
    ready = [recorded(model, first.rgb, second.rgb, masks) for first, second in pictures]

    def sessions(k: int) -> None:
        for run, names, given in ready[k]:
            run(names, given)

    def predicted(k: int) -> None:
        model.predict(pictures[k][0].rgb, pictures[k][1].rgb, regions.lazy_masks())

    def decoded(k: int) -> None:
        for source in (tasks[k].anchor, tasks[k].target):
            load_picture(source)

    def found(k: int) -> None:
        resolve_regions(str(folder / "labels.png"), *pictures[k])

    def aligned(k: int) -> None:
        align(pictures[k][0].rgb, pictures[k][1].rgb, "auto")

    def whole(how: Comparing) -> Callable[[int], Compared]:
        return lambda k: compare_task(Job(how), tasks[k])

    done = [compare_task(Job(Comparing(align="none", evidence="none")), task) for task in tasks]

    def encoded(k: int) -> None:
        rows = [done[k].pair] * 50
        parquet_bytes(rows, {**PAIR_COLUMNS, "method": str})
        parquet_bytes(done[k].regions * 50, REGION_COLUMNS)

    steps: dict[str, Callable[[int], object]] = {
        "network alone": sessions,
        "model": predicted,
        "decoding": decoded,
        "regions": found,
        "alignment": aligned,
        "Parquet": encoded,
    }
    for level in LEVELS:
        evidence = lambda k, level=level: measure_evidence(  # noqa: E731
            pictures[k][0].rgb, pictures[k][1].rgb, regions.lazy_masks(), level
        )
        steps[f"evidence {level}"] = evidence
    for mode in ("none", "auto"):
        for level in LEVELS:
            how = Comparing(align=mode, evidence=level)  # type: ignore[arg-type]
            steps[f"batch, align {mode}, evidence {level}"] = whole(how)
    costs = measured(steps, count)
    costs["Parquet"] /= 50
    print(f"\n{size[1]}×{size[0]}, {len(regions)} regions: ms of processor per pair")
    for step, ms in costs.items():
        print(f"{step:36s} {ms:8.2f}   model / this {costs['model'] / ms:6.2f}")
    bound = costs["network alone"] + costs["decoding"]
    near = bound / costs["batch, align none, evidence none"]
    print(f"decoding plus network / batch without evidence: {near:.2f}")


def measured(steps: dict[str, Callable[[int], object]], count: int) -> dict[str, float]:
    """Median processor time per pair in ms; the steps take turns, so that all see the same load."""
    times: dict[str, list[float]] = {step: [] for step in steps}
    for turn in range(ROUNDS + 1):
        for step, run in steps.items():
            start = time.process_time()
            for k in range(count):
                run(k)
            if turn:  # the first one opens and fills what is kept
                times[step].append((time.process_time() - start) / count * 1000)
    return {step: statistics.median(spent) for step, spent in times.items()}


class Recording:
    """A session that notes what it is run with."""

    def __init__(self, session: Any, runs: list[tuple[Any, Any, Any]]) -> None:
        self.session, self.runs = session, runs

    def run(self, names: Sequence[str], given: dict[str, Any]) -> list[np.ndarray]:
        """Note it, and run."""
        self.runs.append((self.session.run, names, given))
        answer: list[np.ndarray] = self.session.run(names, given)
        return answer


def recorded(model: Model, anchor: Any, target: Any, masks: Any) -> list[tuple[Any, Any, Any]]:
    """What the model's sessions are run with for a pair."""
    runs: list[tuple[Any, Any, Any]] = []
    networks = model._networks
    opened = networks.session
    try:
        networks.session = lambda *asked: Recording(opened(*asked), runs)  # type: ignore[method-assign]
        model.predict(anchor, target, masks)
    finally:
        del networks.session
    return runs


def growth_with_pairs() -> None:
    """What grows with the list alone: reading and checking it, and the memory of a pair in it."""
    import tracemalloc

    from distortion_graph.batch.pairs import checked, digest

    print("\npairs: seconds to check and to digest a list, and bytes per pair of it")
    for count in (10_000, 100_000):
        tracemalloc.start()
        pairs = [
            PairTask(str(k), f"set/{k}a.jpg", f"set/{k}b.jpg", columns={"method": "m"})
            for k in range(count)
        ]
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        start = time.process_time()
        checked(pairs, "benchmark")
        digest(pairs)
        print(f"{count:7d} {time.process_time() - start:6.2f} s {used / count:6.0f} B")


if __name__ == "__main__":
    main()
