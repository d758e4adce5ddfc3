"""The compact store: a data set's pictures in a few tar files, read as a stream."""

from __future__ import annotations

from distortion_graph.datasets.shards.packing import DEFAULT_SHARD_BYTES, PackReport, pack
from distortion_graph.datasets.shards.reading import ShardPicture, ShardPlace, read_shard
from distortion_graph.datasets.shards.shard_set import SHUFFLE_BUFFER, ShardSet, shuffled
from distortion_graph.datasets.shards.unpacking import UnpackReport, unpack

__all__ = [
    "DEFAULT_SHARD_BYTES",
    "SHUFFLE_BUFFER",
    "PackReport",
    "ShardPicture",
    "ShardPlace",
    "ShardSet",
    "UnpackReport",
    "pack",
    "read_shard",
    "shuffled",
    "unpack",
]
