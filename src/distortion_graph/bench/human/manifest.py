"""The maps from score to opinion in the manifest of an exported model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from distortion_graph.base.errors import ModelError, VocabularyError
from distortion_graph.base.files import atomic_write_all
from distortion_graph.base.validation import validation_line
from distortion_graph.predict.names import MANIFEST_FILE, MODEL_FILES
from distortion_graph.predict.opinion import OpinionMaps
from distortion_graph.predict.session import Model

OPINION_KEY = "opinion"


def maps_of(model: Model) -> OpinionMaps | None:
    """The maps in a model's manifest; None where there are none. Raises ModelError."""
    path = model.folder / MANIFEST_FILE
    value = _manifest(path).get(OPINION_KEY)
    if value is None:
        return None
    try:
        maps = OpinionMaps.model_validate(value)
        maps.check_labels(model.vocabulary)
    except ValidationError as problem:
        line = validation_line(problem, f"{path} ({OPINION_KEY})", OpinionMaps)
        raise ModelError(line) from problem
    except VocabularyError as problem:
        raise ModelError(f"{path} ({OPINION_KEY}): {problem}") from problem
    return maps


def write_with_maps(folder: Path, out: Path, maps: OpinionMaps) -> None:
    """Write the model of a folder, with these maps, to another folder or to the same one.

    Raises ModelError where the model cannot be read and OutputError where it cannot be written.
    """
    manifest = _manifest(folder / MANIFEST_FILE)
    manifest[OPINION_KEY] = maps.model_dump(mode="json")
    out.mkdir(parents=True, exist_ok=True)
    files = []
    if not out.samefile(folder):
        files = [(out / name, (folder / name).read_bytes()) for name in MODEL_FILES]
    text = json.dumps(manifest, indent=1) + "\n"
    atomic_write_all([*files, (out / MANIFEST_FILE, text.encode())])


def _manifest(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise ModelError(f"{path}: cannot be read as a manifest ({problem})") from problem
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value
