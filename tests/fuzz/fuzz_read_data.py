"""Readers of graphs, data sets, lists and settings, and what comes out checked."""

from __future__ import annotations

import json
from pathlib import Path

from fuzz_base import expect, written

# ---- graphs ------------------------------------------------------------------------------------


def read_graph(data: bytes, folder: Path) -> None:
    from distortion_graph.formats.files import read_graph
    from distortion_graph.graph import load_graph

    graph = read_graph(written(folder / "g.json", data))
    expect(load_graph(graph.to_json()) == graph, "round trip")


def read_vocabulary(data: bytes, folder: Path) -> None:
    from distortion_graph.formats.files import load_vocabulary

    load_vocabulary(written(folder / "v.json", data))


# ---- data sets ---------------------------------------------------------------------------------


def read_stats(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.stats import read_stats

    for record in read_stats(written(folder / "s.json", data)).values():
        for region in record.regions:
            if region.mask is not None:
                expect(region.mask.area() <= region.mask.size[0] * region.mask.size[1], "area")


def read_stats_stream(data: bytes, folder: Path) -> None:
    """What `dataset check` reads, in parts of 40 bytes and whole: both ways say the same."""
    from distortion_graph.datasets.stats_stream import StatsIndex, stream_stats

    path = written(folder / "s.json", data)
    with StatsIndex(path, chunk_bytes=40) as index:
        for tag, value in stream_stats(path):
            entry = index.entry(tag)
            expect(json.dumps(entry) == json.dumps(value), "entry")


def read_manifest(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.manifest import read_manifest

    list(read_manifest(written(folder / "manifest.jsonl", data)))


def read_pair_lists(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.pair_lists import read_index

    read_index(written(folder / "i.py", data))


def read_description(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.description import read_description

    written(folder / "dataset.json", data)
    read_description(folder)


def read_splits(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.make.splits import parse_splits

    parse_splits(str(written(folder / "splits.json", data)))


def read_names(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.pictures import read_names

    read_names(written(folder / "names.json", data))


def read_predicates(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.reader import read_predicates

    read_predicates(written(folder / "p.json", data))


def read_source(kind: str, data: bytes, folder: Path) -> None:
    """Annotations of many pictures, from which a data set is built."""
    from distortion_graph.datasets.sources import parse_source

    written(folder / "a.png", b"")
    written(folder / f"{kind}.json", data)
    source = parse_source(f"{kind}:{folder / kind}.json,images={folder},masks={folder}")
    list(source.items())


def read_shard(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.shards.reading import read_shard

    for picture in read_shard(written(folder / "s.tar", data)):
        for version in picture.versions:
            picture.record(version)
            picture.stats_entry(version)


def read_shards_file(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.shards.contents import read_shards_file

    written(folder / "shards.json", data)
    read_shards_file(folder)


def read_opinions(data: bytes, folder: Path) -> None:
    from distortion_graph.bench.human.layouts import read_csv_list

    written(folder / "opinions.csv", data)
    read_csv_list(folder)


# ---- batches, gates, settings ------------------------------------------------------------------


def read_pairs(name: str, data: bytes, folder: Path) -> None:
    from distortion_graph.batch.manifests import read_manifest

    pairs = read_manifest(str(written(folder / name, data)))
    expect(len({pair.id for pair in pairs}) == len(pairs), "ids")


def read_policy(data: bytes, folder: Path) -> None:
    from distortion_graph.gate.policy_files import load_policy

    load_policy(written(folder / "gate.yml", data))


def read_baseline(data: bytes, folder: Path) -> None:
    from distortion_graph.gate.baseline import load_baseline
    from distortion_graph.gate.policy_files import policy_of

    policy = policy_of({"loss": {"region": 0.1}})
    load_baseline(written(folder / "b.json", data), policy, "m")


def read_settings(data: bytes, folder: Path) -> None:
    from distortion_graph.training.config_files import plain, read_config

    plain(read_config(written(folder / "t.yaml", data)))


def read_journal(data: bytes, folder: Path) -> None:
    from distortion_graph.work.journal import Journal

    with Journal(written(folder / "j.jsonl", data), "fuzz 1", advice="begin anew") as journal:
        journal.begin({"run": 1})


def read_bench_result(data: bytes, folder: Path) -> None:
    from distortion_graph.bench.results import read_result

    read_result(written(folder / "b.json", data))
