"""A data-set root or its shards from a repository of the hub.

Every file is compared with the checksum that the hub has for it, and then with those in the data
set itself. What is there already and right is not fetched again, so that a pull that was stopped
goes on when it is started again.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.hub.card import MADE_HERE
from distortion_graph.datasets.hub.client import REPO_TYPE, HubError, client, hub_errors
from distortion_graph.datasets.hub.contents import (
    README,
    TOP_FILES,
    Checksums,
    RemoteFile,
    data_set_names,
)
from distortion_graph.datasets.hub.listing import remote_files
from distortion_graph.datasets.layout import DEPTH_FOLDER, MANIFEST_FILE
from distortion_graph.datasets.manifest import FileLine, read_manifest
from distortion_graph.datasets.shards.contents import read_shards_file
from distortion_graph.work.local import LocalThreads

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# The client's own notes on half-fetched files; removed at the end, no other folder may stay.
_CACHE, _NOTES = ".cache", "huggingface"
_CONNECTIONS = 8


@dataclass(frozen=True)
class PullReport:
    """What was pulled: files fetched, files that were there already, and the commit's hash.

    `left_out` are files of the repository that belong to no data set; `shards` tells whether it
    is a folder of shards now, else a root.
    """

    fetched: int
    unchanged: int
    left_out: int
    commit: str
    shards: bool


def pull(
    repo_id: str,
    out: Path,
    *,
    revision: str | None = None,
    only: Sequence[str] = (),
    endpoint: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PullReport:
    """Fetch the data set of a repository into the folder `out`, which is new or a pull's own.

    `only` are patterns such as `*/test/*` or `val-*.tar`; files that match none are not fetched,
    but those that describe the data set always are. No file that is there is overwritten. Raises
    HubError for all that concerns the hub, DatasetError where checksums differ or there is no data
    set, OutputError where `out` cannot be written.
    """
    api = client(endpoint)
    with hub_errors(api, repo_id, revision):
        commit = api.dataset_info(repo_id, revision=revision).sha
        if commit is None:
            raise HubError(f"{repo_id}: the hub names no commit for revision {revision or 'main'}")
        there = remote_files(api, repo_id, commit)
        names, shards = data_set_names(there, repo_id)
        own = {name: there[name] for name in names}
        wanted = _chosen(own, only, repo_id)
        _check_folder(out, own, repo_id)
        pulled = _fetch_all(_Repository(api, repo_id, commit, out), wanted, progress)
    _drop_made_readme(out, pulled)
    if shards:
        _compare(_listed_in_shards(out), pulled, out, complete=not only)
    else:
        (out / DEPTH_FOLDER).mkdir(exist_ok=True)  # empty, it is no file that the hub could keep
        if MANIFEST_FILE in pulled.checksums:
            _compare(_listed_in_manifest(out), pulled, out, complete=not only)
    shutil.rmtree(out / _CACHE / _NOTES, ignore_errors=True)
    with contextlib.suppress(OSError):  # it is not there, or somebody else's
        (out / _CACHE).rmdir()
    return PullReport(
        pulled.fetched, len(wanted) - pulled.fetched, len(there) - len(own), commit, shards
    )


def _chosen(own: Mapping[str, RemoteFile], only: Sequence[str], repo_id: str) -> list[RemoteFile]:
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in own):
            raise HubError(f"{repo_id}: no file matches {pattern!r}, such as {next(iter(own))}")
    return [
        file
        for name, file in own.items()
        if not only or name in TOP_FILES or any(fnmatchcase(name, p) for p in only)
    ]


def _check_folder(out: Path, own: Mapping[str, RemoteFile], repo_id: str) -> None:
    """Refuse a folder that is somebody else's, and make a missing one."""
    tops = {name.partition("/")[0] for name in own} | {_CACHE, DEPTH_FOLDER}
    try:
        out.mkdir(exist_ok=True)
        foreign = sorted(path.name for path in out.iterdir() if path.name not in tops)
    except FileNotFoundError as e:
        raise OutputError(f"{out}: the folder {out.parent} does not exist; make it first") from e
    except OSError as e:
        raise OutputError(f"{out}: cannot be written ({e.strerror})") from e
    if foreign:
        raise OutputError(
            f"{out}: {foreign[0]!r:.120} is there, which is not of {repo_id}; name a new folder"
        )


class _Pulled:
    """Checksums of the files that are now there, and how many of them were fetched."""

    def __init__(self) -> None:
        self.checksums: dict[str, Checksums] = {}
        self.fetched = 0


@dataclass(frozen=True)
class _Repository:
    """Where files come from, and the folder they go to."""

    api: HfApi
    repo_id: str
    commit: str
    out: Path


def _fetch_all(
    repository: _Repository,
    wanted: Sequence[RemoteFile],
    progress: Callable[[int, int], None] | None,
) -> _Pulled:
    pulled = _Pulled()
    with LocalThreads(repository, _CONNECTIONS) as executor:
        for file, (checksums, fetched) in executor.run(_fetch, wanted):
            pulled.checksums[file.name] = checksums
            pulled.fetched += fetched
            if progress:
                progress(len(pulled.checksums), len(wanted))
    return pulled


def _fetch(repository: _Repository, file: RemoteFile) -> tuple[Checksums, bool]:
    """Checksums of the file, and whether it had to be fetched.

    Raises OutputError for another file in its place, HubError for one that came damaged.
    """
    api, repo_id, out = repository.api, repository.repo_id, repository.out
    path = out / file.name
    if path.is_file():
        checksums = Checksums.of(path)
        if file.matches(checksums):
            return checksums, False
        raise OutputError(f"{path}: is there and differs from that of {repo_id}; name a new folder")
    commit = repository.commit
    api.hf_hub_download(repo_id, file.name, repo_type=REPO_TYPE, revision=commit, local_dir=out)
    checksums = Checksums.of(path)
    if not file.matches(checksums):
        path.unlink()
        raise HubError(
            f"{repo_id}: {file.name} came damaged (SHA-256 {checksums.sha256[:12]}…, "
            f"{checksums.size} bytes); start again"
        )
    return checksums, True


def _drop_made_readme(out: Path, pulled: _Pulled) -> None:
    """Leave a page that `push` made on the hub: what is pulled is what was pushed."""
    path = out / README
    if README in pulled.checksums and MADE_HERE in path.read_text("utf-8", "replace"):
        path.unlink()


def _listed_in_shards(out: Path) -> Iterator[tuple[str, str]]:
    described = read_shards_file(out)
    return ((file.name, file.sha256) for file in (*described.shards, *described.files))


def _listed_in_manifest(out: Path) -> Iterator[tuple[str, str]]:
    lines = read_manifest(out / MANIFEST_FILE)
    return ((line.file, line.sha256) for line in lines if isinstance(line, FileLine))


def _compare(
    listed: Iterator[tuple[str, str]], pulled: _Pulled, out: Path, *, complete: bool
) -> None:
    """Compare with the data set's own checksums; with `complete`, all files must be there."""
    for name, sha256 in listed:
        checksums = pulled.checksums.get(name)
        if checksums is None and complete:
            raise DatasetError(f"{out}: {name} is missing on the hub; the push was not finished")
        if checksums is not None and checksums.sha256 != sha256:
            raise DatasetError(
                f"{out / name}: is not the file that the data set lists (SHA-256 "
                f"{checksums.sha256[:12]}…, expected {sha256[:12]}…); it was changed on the hub"
            )
