"""What several people say of one region, as one judgement: the majority, and nothing on a tie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import SIDES, Judgement


class Merged(NamedTuple):
    """One judgement, None where nothing is left of it, and in words what was left out, and why."""

    judgement: Judgement | None
    left_out: tuple[str, ...]


def merged(said: Sequence[Judgement], vocabulary: Vocabulary) -> Merged:
    """What most of those say who say something; each label is counted for itself.

    Where two labels have equally many, none is taken; nor are distortion and severity of a node
    that contradict each other once they are counted, one of them clean and the other one not.
    """
    left_out: list[str] = []
    value: dict[str, Any] = {}
    for side in SIDES:
        labels = {
            kind: _most([getattr(getattr(j, side), kind) for j in said], f"{side} {kind}", left_out)
            for kind in ("distortion", "severity")
        }
        clean = [label == vocabulary.clean for label in labels.values()]
        if None not in labels.values() and clean[0] != clean[1]:
            left_out.append(f"{side} {' and '.join(map(str, labels.values()))}, which contradict")
            labels = dict.fromkeys(labels)
        value[side] = labels
    value["comparison"] = _most([j.comparison for j in said], "comparison", left_out)
    if value["comparison"] is None and not any(v for s in SIDES for v in value[s].values()):
        return Merged(None, tuple(left_out))
    return Merged(Judgement.model_validate(value), tuple(left_out))


def _most(labels: Sequence[str | None], what: str, left_out: list[str]) -> str | None:
    """The label that most people gave; None where nobody gave one, or two have equally many."""
    votes = Counter(label for label in labels if label is not None).most_common()
    if len(votes) > 1 and votes[0][1] == votes[1][1]:
        told = ", ".join(f"{label} {count}" for label, count in sorted(votes))
        left_out.append(f"{what} ({told})")
        return None
    return votes[0][0] if votes else None
