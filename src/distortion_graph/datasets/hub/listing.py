"""What is in a repository of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distortion_graph.datasets.hub.client import REPO_TYPE
from distortion_graph.datasets.hub.contents import RemoteFile

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def remote_files(api: HfApi, repo_id: str, revision: str | None) -> dict[str, RemoteFile]:
    """All files of a revision by name."""
    from huggingface_hub import RepoFile

    tree = api.list_repo_tree(repo_id, recursive=True, revision=revision, repo_type=REPO_TYPE)
    return {
        entry.path: RemoteFile(
            entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id
        )
        for entry in tree
        if isinstance(entry, RepoFile)
    }
