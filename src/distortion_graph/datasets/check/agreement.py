"""What pictures and labels of different versions and splits say of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from distortion_graph.datasets.check.entries import EntryFacts
from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.check.masks import DIGEST_BYTES
from distortion_graph.datasets.check.work import PictureFacts, PictureName, StatsTask
from distortion_graph.datasets.fingerprints import near_pairs
from distortion_graph.datasets.layout import CLEAN_FOLDER, SPLITS

Size = tuple[int, int]
Sized = tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int], ...]]


class Versions:
    """Holds what the first version says of each picture's regions against the others.

    Stats files are taken one after the other, splits and versions in their order.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, EntryFacts]] = {}
        # What entries say of sizes, which pictures tell later: seldom more than one per picture.
        self._claims: dict[tuple[str, str], dict[Sized, list[str]]] = {}

    def take(self, task: StatsTask, entries: Mapping[str, EntryFacts], log: FindingLog) -> None:
        """The next stats file."""
        for tag, facts in entries.items():
            key = task.split, tag
            claims = self._claims.setdefault(key, {})
            claims.setdefault((facts.sizes, facts.reach), []).append(task.version)
            version, first = self._first.setdefault(key, (task.version, facts))
            if facts != first:
                _compare(facts, first, (task.version, version), f"{task.place}: {tag}", log)

    def regions(self, split: str) -> int:
        """Number of regions of all pictures of a split, each in its first version."""
        return sum(facts.regions for (of, _), (_, facts) in self._first.items() if of == split)

    def check_sizes(self, sizes: Mapping[PictureName, Size], log: FindingLog) -> None:
        """Report masks of another size than their picture, and boxes outside it."""
        for (split, tag), claims in self._claims.items():
            for claim, versions in claims.items():
                size = _size_of(split, tag, versions, sizes)
                if size is not None:
                    place = f"{StatsTask(split, versions[0]).place}: {tag}"
                    _check_claim(claim, size, place, versions, log)


def _compare(
    facts: EntryFacts, first: EntryFacts, versions: tuple[str, str], place: str, log: FindingLog
) -> None:
    own_version, version = versions
    if facts.regions != first.regions:
        text = f"has {facts.regions} regions, but {first.regions} in {version}"
        log.fault("regions-differ", place, f"{text}; expected the same in every version")
        return
    own, other = (
        [part.masks[k : k + DIGEST_BYTES] for k in range(0, len(part.masks), DIGEST_BYTES)]
        for part in (facts, first)
    )
    differing = [k for k, pair in enumerate(zip(own, other, strict=True)) if pair[0] != pair[1]]
    if differing:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        text = f"region {differing[0]}{more}: another mask than in {version}"
        log.fault("regions-differ", place, text)
    # Between two versions; what is said of a version itself is reported with its region.
    mirrored = {(k, -rank) for k, other, rank in first.judged if other == own_version}
    said = {(k, rank) for k, other, rank in facts.judged if other == version}
    if said != mirrored:
        k = min(region for region, _ in said ^ mirrored)
        text = f"region {k}: judged says otherwise than in {version}, expected the same mirrored"
        log.fault("judged", place, text)
    for what, same in (
        ("names of regions", facts.names == first.names),
        ("relations", facts.relations == first.relations),
    ):
        if not same:
            log.warn("regions-differ", place, f"other {what} than in {version}")


def _size_of(
    split: str, tag: str, versions: Iterable[str], sizes: Mapping[PictureName, Size]
) -> Size | None:
    names = (PictureName(folder, split, tag) for folder in (CLEAN_FOLDER, *versions))
    return next((sizes[name] for name in names if name in sizes), None)


def _check_claim(
    claim: Sized, size: Size, place: str, versions: list[str], log: FindingLog
) -> None:
    sizes, reach = claim
    everywhere = f" (in {len(versions)} versions)" if len(versions) > 1 else ""
    for h, w, k in sizes:
        if (h, w) != size:
            text = f"region {k}: its mask is {w}×{h}, expected the picture's {_wxh(size)}"
            log.fault("mask-size", place, text + everywhere)
    for right, bottom, k in reach:
        if right > size[1] or bottom > size[0]:
            text = f"region {k}: its bbox ends at {right}, {bottom}, outside the {_wxh(size)}"
            log.fault("box", place, text + everywhere)


def check_picture_sizes(sizes: Mapping[PictureName, Size], log: FindingLog) -> None:
    """Report versions of another size than the clean picture."""
    for name, size in sizes.items():
        clean = sizes.get(PictureName(CLEAN_FOLDER, name.split, name.tag))
        if clean is not None and size != clean:
            text = f"is {size[1]}×{size[0]}, expected the clean picture's {_wxh(clean)}"
            log.fault("picture-size", name.place, text)


def _wxh(size: Size) -> str:
    return f"{size[1]}×{size[0]} pixels (width × height)"


def check_copies(clean: Mapping[PictureName, PictureFacts], log: FindingLog) -> None:
    """Report clean pictures that are in two splits, with equal pixels or looking the same."""
    by_pixels: dict[str, list[PictureName]] = {}
    by_look: dict[int, list[PictureName]] = {}
    for name, facts in sorted(clean.items(), key=lambda item: _order(item[0])):
        if facts.pixels is not None and facts.near is not None:
            by_pixels.setdefault(facts.pixels, []).append(name)
            by_look.setdefault(facts.near, []).append(name)
    for names in by_pixels.values():
        for name in names:
            if name.split != names[0].split:
                text = f"is the same picture as {names[0].place}"
                log.fault("duplicate", name.place, text)
    _check_looks(clean, by_look, log)


def _check_looks(
    clean: Mapping[PictureName, PictureFacts],
    by_look: Mapping[int, list[PictureName]],
    log: FindingLog,
) -> None:
    alike: dict[PictureName, list[PictureName]] = {}
    pairs = [pair for names in by_look.values() for pair in combinations(names, 2)]
    for a, b in sorted(set(near_pairs(by_look))):
        pairs += [(one, other) for one in by_look[a] for other in by_look[b]]
    for pair in pairs:
        first, second = sorted(pair, key=_order)
        if first.split != second.split and clean[first].pixels != clean[second].pixels:
            alike.setdefault(second, []).append(first)
    for name in sorted(alike, key=_order):
        others = sorted(alike[name], key=_order)
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        log.warn("near-duplicate", name.place, f"looks the same as {others[0].place}{more}")


def _order(name: PictureName) -> tuple[int, str]:
    return SPLITS.index(name.split), name.tag
