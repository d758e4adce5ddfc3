"""The tasks of a Label Studio export, JSON or JSON-MIN: which picture, and whose work on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import PICTURE_SUFFIXES

Result = Mapping[str, Any]
"""What was drawn or said: `value`, and, in JSON, `id`, `type` and the picture's size."""

_WORK = ("annotations", "predictions")
_DRAWN = {"x", "points", "rle", "imageDataURL", "vertices"}
_ADDRESS = re.compile(r"[a-z][a-z0-9+-]+://|/data/", re.IGNORECASE)
_UPLOAD = re.compile(r"(?:.*/)?[0-9a-f]{8}-(.+)")


class Task(NamedTuple):
    """A picture and what was drawn on it, once per person or model that did."""

    picture: str | None
    id: object
    work: list[Mapping[str, Any]]


def is_label_studio(value: Any) -> bool:
    """Whether a JSON value is an export of Label Studio: a task or a list of tasks."""
    if isinstance(value, dict):
        work = any(isinstance(value.get(key), list) for key in _WORK)
        return _is_stored(value) or (work and isinstance(value.get("data"), dict))
    entries = (
        [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
    )
    return any(is_label_studio(entry) or any(_drawn(entry)) for entry in entries)


def tasks_of(value: Any, what: str) -> list[Task]:
    """The tasks of an export, in its order; raises RegionError for one that is none."""
    entries = value if isinstance(value, list) else [value]
    tasks = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise RegionError(f"{what}: task {index}: expected an object, got {entry!r:.40}")
        if _is_stored(entry):
            entry = entry["task"] | {"annotations": [entry]}
        data = entry.get("data")
        if isinstance(data, dict):
            work = _of_somebody(entry)
        else:
            data, work = entry, [{"result": list(_drawn(entry))}]
        tasks.append(Task(_picture(data), entry.get("id", index), work))
    return tasks


def results_of(task: Task, what: str) -> list[Result]:
    """What was drawn for a task; raises RegionError where that is nothing, or several people's."""
    if not task.work:
        raise RegionError(f"{what}: nothing is drawn for {task.picture or task.id}")
    if len(task.work) > 1:
        ids = ", ".join(str(work.get("id")) for work in task.work)
        raise RegionError(
            f"{what}: {len(task.work)} annotations of {task.picture or task.id} (ids {ids}), "
            "expected one; mark it as the ground truth, or leave out the others"
        )
    results = task.work[0].get("result")
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        raise RegionError(f"{what}: the result of {task.picture or task.id} is no list of objects")
    return results


def _is_stored(entry: Mapping[str, Any]) -> bool:
    """Whether it is an annotation as cloud and local storages hold it, with its task inside."""
    return isinstance(entry.get("result"), list) and isinstance(entry.get("task"), dict)


def _of_somebody(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ground truth of a task, else people's annotations, else models' predictions."""
    annotations, predictions = (_objects(entry.get(key)) for key in _WORK)
    kept = [work for work in annotations if not work.get("was_cancelled")]
    truth = [work for work in kept if work.get("ground_truth")]
    return truth or kept or predictions


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _drawn(entry: Mapping[str, Any]) -> Iterator[Result]:
    """The results of a task of JSON-MIN: what stands in its lists."""
    for listed in entry.values():
        for value in listed if isinstance(listed, list) else ():
            if isinstance(value, dict) and not _DRAWN.isdisjoint(value):
                sizes = ("original_width", "original_height", "image_rotation")
                yield {"value": value} | {key: value[key] for key in sizes if key in value}


def _picture(data: Mapping[str, Any]) -> str | None:
    """The picture's name among a task's data: `image`, else the first text that names one."""
    texts = [data.get("image"), *data.values()]
    names = (_name(text) for text in texts if isinstance(text, str))
    return next((name for name in names if name), None)


def _name(text: str) -> str | None:
    """The path or file name in a text of a task; None where it names no picture.

    Of an address what follows the host, of a file on the server's disk its path, of an upload
    the name before the server put eight digits in front.
    """
    path = text
    if _ADDRESS.match(text):
        parts = urlsplit(text)
        path = unquote(parse_qs(parts.query).get("d", [parts.path])[0])
        upload = _UPLOAD.fullmatch(path) if "upload/" in path else None
        path = upload[1] if upload else path
    if text.startswith("data:") or not path:
        return None
    return path if path.lower().endswith(PICTURE_SUFFIXES) or path == text else None
