"""Policies as YAML."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from distortion_graph.base.errors import DistortionGraphError, PolicyError
from distortion_graph.base.files import kind_of
from distortion_graph.base.validation import validation_line
from distortion_graph.batch.storage import is_url
from distortion_graph.gate.policy import Policy


def load_policy(path: Path | str) -> Policy:
    """The policy of a YAML file; names of files in it count from the file's own folder.

    Raises PolicyError, one line with the file, the key and the nearest key that exists.
    """
    if find_spec("yaml") is None:
        raise PolicyError(
            f"{path}: YAML needs PyYAML, not installed: pip install 'distortion-graph[check]'"
        )
    from distortion_graph.base.yaml_text import parse_yaml

    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not UTF-8 text"
        raise PolicyError(f"{path}: cannot be read ({reason}), expected a policy as YAML") from None
    try:
        tree = parse_yaml(text, str(path))
    except DistortionGraphError as problem:
        raise PolicyError(str(problem)) from problem
    return policy_of(tree, str(path), Path(path).parent)


def policy_of(tree: Any, where: str = "policy", folder: Path = Path()) -> Policy:
    """The policy of plain values; `where` names it in errors, files count from `folder`."""
    if not isinstance(tree, dict):
        found = "nothing" if tree is None else type(tree).__name__
        raise PolicyError(
            f"{where}: found {found}, expected keys and values such as differs: {{share: 0}}"
        )
    try:
        policy = Policy.model_validate(tree)
    except ValidationError as problem:
        raise PolicyError(validation_line(problem, where, Policy)) from problem
    return _placed(policy, folder)


def _placed(policy: Policy, folder: Path) -> Policy:
    """The same policy with the names of files as they are from where the program runs."""

    def place(tree: Any, key: str | None = None) -> Any:
        if isinstance(tree, dict):
            return {name: place(value, name) for name, value in tree.items()}
        if key == "masks" and tree:
            return [_joined(folder, name) for name in tree]
        return tree

    tree = place(policy.model_dump(exclude_unset=True))
    regions = policy.compare.regions
    if kind_of(folder / regions) == "file":
        tree["compare"]["regions"] = _joined(folder, regions)
    if policy.baseline is not None:
        tree["baseline"]["file"] = _joined(folder, policy.baseline.file)
    return Policy.model_validate(tree)


def _joined(folder: Path, name: str) -> str:
    return name if is_url(name) else str(folder / name)
