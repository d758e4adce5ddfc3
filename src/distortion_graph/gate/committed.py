"""Pairs of a Git repository: pictures as they were committed, and as they are in the folder now."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from distortion_graph.base.errors import BatchError
from distortion_graph.base.files import atomic_write_bytes
from distortion_graph.batch.pairs import PairTask


def committed_pairs(
    files: Sequence[str], revision: str, folder: Path
) -> tuple[list[PairTask], list[str]]:
    """Pairs of files with what a revision has of them, and the names of those that it has not.

    Anchors are written into `folder`. A pair's id is the file's path in the repository. Raises
    BatchError, one line, without Git, outside a repository, and for an unknown revision.
    """
    try:
        root = Path(_git(Path(), "rev-parse", "--show-toplevel").decode().strip())
    except BatchError as error:
        raise BatchError(f"--against {revision}: {error}") from error
    try:
        _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except BatchError as error:
        raise BatchError(
            f"--against {revision}: no such revision in {root}, expected one such as HEAD"
        ) from error
    pairs, new = [], []
    for number, name in enumerate(files):
        try:
            path = Path(name).resolve().relative_to(root.resolve()).as_posix()
        except ValueError as error:
            raise BatchError(f"{name}: lies outside the repository {root}") from error
        blob = f"{revision}:{path}"
        if not _git(root, "ls-tree", "--name-only", revision, "--", path):
            new.append(path)
            continue
        anchor = folder / f"{number:05d}{Path(name).suffix}"
        atomic_write_bytes(anchor, _git(root, "cat-file", "blob", blob))
        pairs.append(PairTask(path, str(anchor), name))
    return pairs, new


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise BatchError("--against needs Git, which is not installed") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0] if said else "no such revision"
        raise BatchError(f"git {' '.join(arguments)}: {reason}") from error
    return done.stdout
