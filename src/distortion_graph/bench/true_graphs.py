"""The truth of a benchmark's pairs as graphs, to look at beside what was predicted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.benchmark import BenchOptions, all_keys
from distortion_graph.bench.graph_folder import graph_name
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.truth import true_graph


def write_true_graphs(
    reader: PandaSet,
    options: BenchOptions,
    folder: Path,
    after: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the true graph of every pair into a folder, named as predicted ones are.

    `after` is told how many of how many are written. Gives their number.
    """
    chosen = ChosenPairs(reader, options.splits)
    keys = all_keys(chosen, options)
    for done, key in enumerate(keys, start=1):
        sample = chosen.sample(key)
        graph = true_graph(sample, reader.vocabulary, reader.predicates)
        atomic_write_text(folder / graph_name(key), graph.to_json(indent=1) + "\n")
        after(done, len(keys))
    return len(keys)
