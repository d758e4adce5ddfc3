"""A data-set root or its shards to a repository of the hub.

Files go up in commits of some hundred. What is there already and the same is left alone, so that a
push that was stopped goes on when it is started again. Nothing is deleted there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distortion_graph.datasets.hub.card import card
from distortion_graph.datasets.hub.client import REPO_TYPE, HubError, client, hub_errors
from distortion_graph.datasets.hub.contents import README, TOP_FILES, local_names
from distortion_graph.datasets.hub.listing import remote_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FILES_PER_COMMIT = 256


@dataclass(frozen=True)
class PushReport:
    """What was pushed: files sent and files that were there already; `left_out` were not meant."""

    url: str
    sent: int
    unchanged: int
    left_out: int


def push(
    folder: Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    endpoint: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    files_per_commit: int = FILES_PER_COMMIT,
) -> PushReport:
    """Send a root or a folder of shards to `repo_id`, which is made if it is not there.

    `private` makes it a private one, and refuses one that is there and public. `revision` is the
    branch, made if it is not there. A README.md is made where neither side has one. `endpoint` is
    the hub's address, HF_ENDPOINT's if None. `progress` is told how many files of how many are
    done; each commit has `files_per_commit` at most. Raises DatasetError for the folder, HubError
    for all that concerns the hub.
    """
    api = client(endpoint)
    names, left_out = local_names(folder)
    with hub_errors(api, repo_id, revision):
        url = _repository(api, repo_id, private, revision)
        there = remote_files(api, repo_id, revision)
        # What describes the rest goes last, so that a push that was stopped is seen to be one.
        wanted = sorted(names, key=lambda name: (name in TOP_FILES, name))
        todo: list[tuple[str, Path | bytes]] = []
        for name in wanted:
            if name not in there or not there[name].equals(folder / name):
                todo.append((name, folder / name))
        unchanged = len(wanted) - len(todo)
        if README not in names and README not in there:
            todo.append((README, card(folder, repo_id, names).encode()))
        parts = [todo[k : k + files_per_commit] for k in range(0, len(todo), files_per_commit)]
        _send(api, repo_id, revision, parts, unchanged, progress)
    return PushReport(url, len(todo), unchanged, left_out)


def _repository(api: HfApi, repo_id: str, private: bool, revision: str | None) -> str:
    """Make the repository and the branch where they are missing; the repository's address."""
    # Without the option the account's own setting decides.
    made = api.create_repo(
        repo_id, repo_type=REPO_TYPE, private=True if private else None, exist_ok=True
    )
    if private and not api.dataset_info(repo_id).private:
        raise HubError(f"{repo_id}: is there already and public; change that on {made} first")
    if revision is not None:
        api.create_branch(repo_id, branch=revision, repo_type=REPO_TYPE, exist_ok=True)
    return str(made)


def _send(
    api: HfApi,
    repo_id: str,
    revision: str | None,
    parts: Sequence[Sequence[tuple[str, Path | bytes]]],
    done: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    from huggingface_hub import CommitOperationAdd

    total = done + sum(map(len, parts))
    for number, files in enumerate(parts, start=1):
        api.create_commit(
            repo_id,
            [CommitOperationAdd(name, content) for name, content in files],
            commit_message=f"Data set files, part {number} of {len(parts)}",
            repo_type=REPO_TYPE,
            revision=revision,
        )
        done += len(files)
        if progress:
            progress(done, total)
