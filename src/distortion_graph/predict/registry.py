"""Where a model is: the shipped one by name, a folder, or a repository on the Hugging Face hub.

    find_model("shipped")
    find_model("runs/mine/model")
    find_model("hf://org/name@revision")

A repository holds what `distortion-graph export` writes. A model's files are hashed when they are
opened and must be the ones that its manifest names; a revision that is a commit pins the manifest.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from distortion_graph.base.errors import ModelError
from distortion_graph.predict.names import MANIFEST_FILE, MODEL_FILES

SHIPPED = ("shipped", "default")
"""Names of the model that comes with the package."""

HUB = "hf://"
_REPOSITORY = re.compile(r"hf://([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?")
_FILES = (*MODEL_FILES, MANIFEST_FILE)
_LONGEST = 120  # characters of a library's words in an error


def find_model(source: str | Path | None = None) -> Path:
    """The folder of a model; of a repository the copy in the local Hugging Face cache.

    What the cache lacks is downloaded, unless HF_HUB_OFFLINE is set. Raises ModelError for a
    repository that cannot be fetched; a folder is looked into when the model is loaded.
    """
    if source is None or str(source) in SHIPPED:
        return Path(str(resources.files("distortion_graph") / "weights"))
    if not str(source).startswith(HUB):
        return Path(source)
    named = _REPOSITORY.fullmatch(str(source))
    if named is None:
        raise ModelError(f"model {str(source)!r}: expected {HUB}org/name or {HUB}org/name@revision")
    if find_spec("huggingface_hub") is None:
        raise ModelError(
            f"model {str(source)!r} needs huggingface_hub, not installed: "
            "pip install 'distortion-graph[hub]'"
        )
    return _from_hub(str(source), named[1], named[2])


def _from_hub(source: str, repository: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    fetch = partial(snapshot_download, repository, revision=revision, allow_patterns=list(_FILES))
    try:
        cached = Path(fetch(local_files_only=True))
        if all((cached / name).is_file() for name in _FILES):
            return cached
    except (OSError, ValueError):  # nothing of it is there, or not a name; the next line says why
        pass
    try:
        return Path(fetch())
    except Exception as problem:  # whatever the HTTP library underneath may raise
        words = " ".join(str(problem).split())[:_LONGEST]
        at = f" --revision {revision}" if revision else ""
        raise ModelError(
            f"model {source!r}: not in the local Hugging Face cache, and it cannot be fetched "
            f"from the hub ({words}); download it first: hf download {repository}{at}"
        ) from problem
