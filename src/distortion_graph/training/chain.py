"""Where a network comes from: the run that made it, and the runs that it began from.

A long training is a chain of runs, each starting from the best network of the one before. Every
network's folder has the whole chain in `chain.json`, oldest first, for its model card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.training.checkpoint import WEIGHTS_FILE

CHAIN_FILE = "chain.json"


class Link(BaseModel):
    """One run: its folder, the network it left, and what it took; null where nobody wrote it down.

    `sha256` is of the network's weights, `best_score` the figure that it was chosen by, `steps`,
    `pairs` and `minutes` what the run had seen when the network was kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    sha256: str
    model: str | None = None
    seed: int | None = None
    steps: int | None = None
    pairs: int | None = None
    minutes: float | None = None
    best_score: float | None = None


_LINKS = TypeAdapter(tuple[Link, ...])


def weights_sha256(folder: Path) -> str:
    """Hash of a network's weights file."""
    with (folder / WEIGHTS_FILE).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_chain(folder: Path) -> tuple[Link, ...]:
    """The chain of a network's folder, itself last; a network without a chain is one link.

    Raises ModelError for a file that is no chain.
    """
    path = folder / CHAIN_FILE
    if not path.is_file():
        return (Link(name=str(folder), sha256=weights_sha256(folder)),)
    try:
        links = _LINKS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        raise ModelError(f"{path}: not the chain of a network ({problem})") from problem
    if not links:
        raise ModelError(f"{path}: an empty list, expected at least the network's own run")
    return links


def write_chain(folder: Path, links: Sequence[Link]) -> None:
    """Write the chain beside a network."""
    atomic_write_text(folder / CHAIN_FILE, json.dumps(plain_chain(links), indent=1) + "\n")


def plain_chain(links: Sequence[Link]) -> list[dict[str, Any]]:
    """The links as JSON values, for a card."""
    return [link.model_dump(mode="json") for link in links]


def chain_from_plain(values: object, where: str) -> tuple[Link, ...]:
    """What `plain_chain` gave; raises ModelError."""
    try:
        return _LINKS.validate_python(values)
    except ValidationError as problem:
        raise ModelError(f"{where}: not the chain of a network ({problem})") from problem
