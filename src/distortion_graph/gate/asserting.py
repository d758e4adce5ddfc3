"""`assert_same_quality`: a pair of pictures held against a policy inside a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from distortion_graph.base.vocabulary import scaled
from distortion_graph.batch.worker import loaded_model
from distortion_graph.gate.amounts import Finding, amounts_of, findings_of
from distortion_graph.gate.policy import Policy
from distortion_graph.gate.policy_files import load_policy, policy_of
from distortion_graph.gate.seeing import see
from distortion_graph.gate.worker import Drawn, draw
from distortion_graph.pictures.images import ImageSource, Picture
from distortion_graph.pictures.pairs import load_pair

SAME = {"differs": {"share": 0}}
"""The policy where none is given: nothing may differ visibly."""


class QualityError(AssertionError):
    """Two pictures break a policy.

    `findings` say what, where and how much; `drawn` has overlay and report, None where there is
    nothing to draw.
    """

    def __init__(self, name: str, findings: Sequence[Finding], drawn: Drawn | None) -> None:
        lines = "\n".join(f"  {finding.text}" for finding in findings)
        super().__init__(f"{name} breaks the policy:\n{lines}")
        self.name, self.findings, self.drawn = name, tuple(findings), drawn


def assert_same_quality(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    *,
    name: str | None = None,
) -> None:
    """Raise QualityError where the target breaks a policy.

    Args:
        anchor: the picture as it was accepted: path, file bytes, Pillow image or H×W×3 uint8 array.
        target: the same, as it is now.
        policy: a YAML file, its keys and values, or a loaded `Policy`; by default nothing may
            differ visibly. A baseline is not looked at.
        name: the pair's id, for the rules of folders; by default the target's path.

    Raises PolicyError for a policy that cannot be used, ImageError and RegionError as `compare`.
    """
    read = _policy(policy)
    how = read.compare.comparing()
    read.check_labels(scaled(loaded_model(how).vocabulary, how.scale))
    pair = load_pair(anchor, target, max_pixels=how.max_pixels, background=how.background)
    called = name or pair[1].source or "target"
    rules = read.rules_of(called)
    seen = see(how, rules, pair, original=how.reference)
    findings = findings_of(amounts_of(seen, rules))
    if findings:
        raise QualityError(called, findings, draw(seen, findings))


def _policy(policy: Policy | Mapping[str, Any] | str | Path | None) -> Policy:
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, str | Path):
        path = Path(policy).resolve()
        return _loaded(str(path), path.stat().st_mtime_ns if path.exists() else 0)
    return policy_of(SAME if policy is None else dict(policy))


@lru_cache(maxsize=8)
def _loaded(path: str, _changed: int) -> Policy:
    return load_policy(path)
