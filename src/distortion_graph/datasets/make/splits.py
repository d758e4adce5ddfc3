"""Which picture goes to which split: by quota without copies on two sides, as told, or by lists."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.fingerprints import near_pairs
from distortion_graph.datasets.layout import SPLITS, check_split
from distortion_graph.pictures.picture_names import composed

_LARGEST_SHARE = 1e9
"""Enough for any whole numbers, and sums of it stay finite."""

_FORMS = "train=.8,val=.1,test=.1, one split's name, `source`, or a JSON file of lists of names"


@dataclass(frozen=True)
class SplitRule:
    """How pictures are shared out. `text` names the rule in a data set's description.

    Exactly one of: `ratios` of the splits, above 0 and summing to 1; `lists` of stems by split,
    where a picture on none of them is left out; neither, where each source says it itself and
    what it leaves open goes to train.
    """

    text: str
    ratios: Mapping[str, float] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] | None = None

    @property
    def needs_pixels(self) -> bool:
        """Whether pictures must be looked at, so that copies go to the same split."""
        return len(self.ratios) > 1


def parse_splits(text: str) -> SplitRule:
    """The rule in words of the command line; raises DatasetError.

    `train=.8,val=.1,test=.1` (any numbers above 0, taken as shares of their sum), `test` (all
    in one), `source`, or a JSON file `{"train": [stems], …}`.
    """
    if text == "source":
        return SplitRule("source")
    if text in SPLITS:
        return SplitRule(text, {text: 1.0})
    if text.lower().endswith(".json"):
        return _from_file(Path(text))
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        name = check_split(name.strip()) if "=" in part else ""
        share = _number(number)
        if not name or share is None or name in shares:
            raise DatasetError(f"--split {text}: expected {_FORMS}")
        shares[name] = share
    total = math.fsum(shares.values())
    ratios = {name: shares[name] / total for name in SPLITS if name in shares}
    return SplitRule(",".join(f"{name}={share:.9g}" for name, share in ratios.items()), ratios)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= _LARGEST_SHARE else None


def _from_file(path: Path) -> SplitRule:
    try:
        data = path.read_bytes()
        value = json.loads(data)
    except FileNotFoundError as e:
        raise DatasetError(f"{path}: no such file; expected {_FORMS}") from e
    except (OSError, ValueError, RecursionError) as e:
        raise DatasetError(f"{path}: cannot be read as JSON ({e}); expected lists of names") from e
    if not isinstance(value, dict) or not value:
        raise DatasetError(f'{path}: expected {{"train": [names], "test": [names]}}')
    lists: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for split, names in value.items():
        if split not in SPLITS:
            raise DatasetError(f"{path}: unknown split {split!r}, expected {', '.join(SPLITS)}")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DatasetError(f"{path}: {split} must be a list of picture names without suffix")
        for name in names:
            if seen.setdefault(name, split) != split:
                raise DatasetError(f"{path}: {name!r} is listed under {seen[name]} and {split}")
        lists[split] = tuple(names)
    return SplitRule(f"lists {hashlib.sha256(data).hexdigest()[:12]}", lists=lists)


def split_by_lists(
    stems: Iterable[str], lists: Mapping[str, tuple[str, ...]]
) -> dict[str, str | None]:
    """Split of every stem, None for one that is on no list.

    Raises DatasetError for a listed name that is no picture's.
    """
    listed = {composed(name): split for split, names in lists.items() for name in names}
    split_of = {stem: listed.get(composed(stem)) for stem in stems}
    there = {composed(stem) for stem in split_of}
    lost = next((name for name in listed if name not in there), None)
    if lost is not None:
        raise DatasetError(
            f"splits: {lost!r} is listed under {listed[lost]} and no source has a picture of that "
            "name; names are without suffix, with NAME_ before them where the source has one"
        )
    return split_of


@dataclass(frozen=True)
class Fingerprint:
    """What tells copies apart: `pixels`, equal for equal pixels; `near` also for near copies."""

    pixels: str
    near: int


def split_by_quota(
    prints: Mapping[str, Fingerprint], ratios: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Split of every stem: quotas kept, copies and near copies together.

    Pictures whose pixels are equal, or whose near-copy hashes are at most `NEAR_BITS` apart, form
    a group, also through others. Groups stand in the order of SHA-256(seed, least pixel hash in
    it), so that one picture more or less moves few others; each goes to the first split, in the
    order of `ratios`, that still has room for it, or to the one with most room. Quotas are whole
    numbers by largest remainder.
    """
    groups = {min(prints[stem].pixels for stem in group): group for group in _groups(prints)}
    return split_by_groups(groups, ratios, seed)


def split_by_groups(
    groups: Mapping[str, Sequence[str]], ratios: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Split of every name in groups that stay together, as `split_by_quota` says; each group has a
    key, by whose hash they stand in order.
    """
    room = _quotas(sum(map(len, groups.values())), ratios)
    split_of: dict[str, str] = {}
    for _, group in sorted(groups.items(), key=lambda item: _rank(seed, item[0])):
        fitting = (split for split in ratios if room[split] >= len(group))
        split = next(fitting, None) or max(ratios, key=lambda name: room[name])
        room[split] -= len(group)
        split_of |= dict.fromkeys(group, split)
    return split_of


def _quotas(count: int, ratios: Mapping[str, float]) -> dict[str, int]:
    exact = {split: count * share for split, share in ratios.items()}
    # A hair is added so that 10 · 0.1 and the like are not rounded down.
    whole = {split: math.floor(value + 1e-9) for split, value in exact.items()}
    rest = sorted(ratios, key=lambda split: whole[split] - exact[split])
    for split in rest[: count - sum(whole.values())]:
        whole[split] += 1
    return whole


def _groups(prints: Mapping[str, Fingerprint]) -> list[list[str]]:
    parent = {stem: stem for stem in prints}

    def root(stem: str) -> str:
        while parent[stem] != stem:
            parent[stem] = parent[parent[stem]]
            stem = parent[stem]
        return stem

    first: dict[str | int, str] = {}
    for stem, seen in prints.items():
        for mark in (seen.pixels, seen.near):
            parent[root(stem)] = root(first.setdefault(mark, stem))
    for a, b in near_pairs(seen.near for seen in prints.values()):
        parent[root(first[a])] = root(first[b])
    groups: dict[str, list[str]] = {}
    for stem in prints:
        groups.setdefault(root(stem), []).append(stem)
    return list(groups.values())


def _rank(seed: int, key: str) -> tuple[str, str]:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest(), key


DEFAULT_SPLITS = parse_splits("train=.8,val=.1,test=.1")
"""As many to train, choose and report on as is usual."""
