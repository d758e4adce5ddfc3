"""Pairs of a data-set root of the published layout, with its regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distortion_graph.batch.pairs import PairTask, checked
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.layout import CLEAN_FOLDER, PairKey, picture_path
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.masks.container import RegionSet


def pairs_of_root(
    root: str | Path,
    splits: Sequence[str] = ("test",),
    pairs: Sequence[str] = ("easy", "medium", "hard"),
    *,
    regions: bool = True,
    clean_reference: bool = False,
) -> list[PairTask]:
    """The pairs of some splits and lists of a root, one that stands on several lists once.

    An id is split/anchor version/target version/picture; columns say the same, and the list. With
    `regions` each pair has those of the root that are usable in both versions, as `bench` does;
    with `clean_reference` the clean picture is each pair's reference.

    Raises DatasetError as the reader does: no such root, split, list or picture, damaged stats.
    """
    chosen = ChosenPairs(PandaSet(root), splits)
    of_pair: dict[PairKey, str] = {}
    for listed in pairs:
        for key in chosen.keys(listed):
            of_pair.setdefault(key, listed)
    shared: dict[RegionSet, RegionSet] = {}  # versions of a picture have the same masks
    tasks = []
    for key, listed in of_pair.items():
        split = chosen.split_of(key.tag)
        anchor, target, clean = (
            str(picture_path(Path(root), version, split, key.tag))
            for version in (key.anchor, key.target, CLEAN_FOLDER)
        )
        own = chosen.reader.sample(split, key).regions if regions else None
        columns = {
            "split": split,
            "list": listed,
            "picture": key.tag,
            "anchor_version": key.anchor,
            "target_version": key.target,
        }
        tasks.append(
            PairTask(
                f"{split}/{key.anchor}/{key.target}/{key.tag}",
                anchor,
                target,
                clean if clean_reference else None,
                None if own is None else shared.setdefault(own, own),
                columns,
            )
        )
    checked(tasks, str(root))
    return tasks
