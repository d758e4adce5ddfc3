"""Which picture of a file with annotations of several the regions are wanted of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from distortion_graph.base.errors import RegionError
from distortion_graph.base.files import HeldFile
from distortion_graph.pictures.picture_names import (
    best_named,
    choice_of,
    listed_names,
    named_so,
)

Entry = Mapping[str, Any]


def image_entry(
    images: Any, annotations: Sequence[Any], source: str | None, wanted: str | None, what: str
) -> Entry:
    """The image that annotations are wanted of.

    It is the one that `wanted` names (its name in the list, or its id), or else the one that fits
    the picture's path `source` best, or the only one that is listed. For a picture without a path
    it may also be the only one with annotations. Raises RegionError, its line beginning with
    `what` and naming the candidates and what chooses one.
    """
    try:
        ids = [image["id"] for image in images]
        names = [_name(image.get("file_name")) for image in images]
    except (AttributeError, KeyError, TypeError) as e:
        raise RegionError(f"{what}: `images` must be a list of objects with an id") from e
    used = {str(a.get("image_id")) for a in annotations if isinstance(a, dict)}
    there = [k for k, number in enumerate(ids) if str(number) in used]
    found = chosen_place(names, ids, source, wanted, what, there)
    chosen: Entry = images[found]
    if not any(isinstance(a, dict) and a.get("image_id") == ids[found] for a in annotations):
        raise RegionError(f"{what}: has no annotation of {names[found]!r}, expected at least one")
    return chosen


def chosen_place(
    names: Sequence[str | None],
    ids: Sequence[Any],
    source: str | None,
    wanted: str | None,
    what: str,
    likely: Sequence[int] = (),
) -> int:
    """The place of the picture that a file's annotations are wanted of, in the file's list.

    Of these names and ids it is the one that `wanted` names, or else the only one, or the one that
    fits the picture's path `source` best; for a picture without a path also the only one among
    `likely`. Raises RegionError, its line beginning with `what`, the file, as `image_entry` does.
    """
    if wanted is not None:
        return _wanted(names, ids, wanted, what)
    if len(names) == 1:
        return 0
    fits = best_named(names, source) or (likely if source is None else [])
    return _only(fits, names, ids, source, f"{what},image=", what)


def refuse_choice(wanted: str | None, what: str) -> None:
    """Raise RegionError where a picture is chosen in a file that lists none."""
    if wanted is not None:
        raise RegionError(
            f"{what}: lists no pictures, so image={wanted} chooses none; leave it out"
        )


def panoptic_entry(
    value: Entry,
    png: Path | HeldFile | None,
    source: str | None,
    wanted: str | None,
    what: str,
) -> Entry:
    """The COCO panoptic annotation of a PNG, or of a picture as `image_entry` finds it.

    An annotation goes by its own file name, which is the PNG's, and without `png` also by that of
    its entry in `images`, the picture's. Raises RegionError as `image_entry` does.
    """
    entries = [entry for entry in value["annotations"] if isinstance(entry, dict)]
    own = [_name(entry.get("file_name")) for entry in entries]
    ids = [entry.get("image_id") for entry in entries]
    pictures = _picture_names(value.get("images"), ids)
    if wanted is not None:
        names = [p or o for p, o in zip(pictures, own, strict=True)]
        return entries[_wanted(names, ids, wanted, what)]
    if png is not None:
        fits = best_named(own, str(png))
        return entries[_only(fits, own, ids, str(png), None, what)]
    if len(entries) == 1:
        return entries[0]
    by_picture = best_named(pictures, source)
    names = pictures if by_picture else own
    fits = by_picture or best_named(own, source)
    return entries[_only(fits, names, ids, source, f"panoptic:{what},image=", what)]


def _picture_names(images: Any, ids: Sequence[Any]) -> list[str | None]:
    """The pictures' names of annotations by their image ids; None where `images` has none."""
    listed = images if isinstance(images, list) else []
    listed = [image for image in listed if isinstance(image, dict)]
    by_id = {image.get("id"): _name(image.get("file_name")) for image in listed if _plain(image)}
    return [by_id.get(number) if isinstance(number, int | str) else None for number in ids]


def _plain(image: Entry) -> bool:
    return isinstance(image.get("id"), int | str)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _wanted(names: Sequence[str | None], ids: Sequence[Any], wanted: str, what: str) -> int:
    found = named_so(names, ids, wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise RegionError(
            f"{what}: image={wanted}: no picture of that name or id, expected one of "
            f"{listed_names(names, ids)}"
        )
    raise RegionError(
        f"{what}: image={wanted}: {len(found)} pictures have that name, choose one by its id: "
        f"{listed_names([names[k] for k in found], [ids[k] for k in found])}"
    )


def _only(
    found: Sequence[int],
    names: Sequence[str | None],
    ids: Sequence[Any],
    source: str | None,
    option: str | None,
    what: str,
) -> int:
    """The only one of the places found; else an error that lists them and what chooses one."""
    if len(found) == 1:
        return found[0]
    there = found or range(len(names))
    candidates, numbers = [names[k] for k in there], [ids[k] for k in there]
    called = repr(Path(source or "").name)
    if option is None:
        choose = "expected one; is it the right JSON?"
    else:
        spec = quote(f"{option}{choice_of(candidates, numbers)}")
        choose = f"choose one, as with --regions {spec}"
    if source is None:
        fits = f"annotations of {len(there)} pictures, and the one compared has no name"
    elif found:
        fits = f"{len(found)} of {len(names)} pictures fit {called} alike"
    else:
        fits = f"none of {len(names)} pictures is named {called}"
    raise RegionError(f"{what}: {fits}: {listed_names(candidates, numbers)}; {choose}")
