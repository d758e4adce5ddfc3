"""`compare --fail-on`: the rules of one word, for one pair."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from distortion_graph.base.errors import PolicyError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.gate.amounts import Amount, Finding, findings_of, graph_amounts
from distortion_graph.gate.policy import ComparisonRule, DistortionRule, Rules
from distortion_graph.graph import DistortionGraph

WORSE, DIFFERS = "worse", "differs"


def fail_on_rules(words: Sequence[str], vocabulary: Vocabulary) -> Rules:
    """The rules that words stand for: "worse", a comparison below same, "differs", a distortion.

    What a word says of the target may not be so, with a probability of a half or more: "worse" and
    `slightly_worse` that a region is worse at all, `significantly_worse` that it is so much worse.

    Raises PolicyError for another word, which names the nearest.
    """
    below = vocabulary.comparisons[: vocabulary.neutral_index]
    ranks = {level.label: level.rank for level in below} | {WORSE: -1}
    distortions = [label for label in vocabulary.distortions if label != vocabulary.clean]
    worst: list[int] = []
    forbidden: list[str] = []
    for word in words:
        if word in ranks:
            worst.append(ranks[word] + 1)
        elif word in distortions:
            forbidden.append(word)
        elif word != DIFFERS:
            raise PolicyError(_unknown(word, [WORSE, *reversed(ranks), DIFFERS, *distortions]))
    labels = {level.rank: level.label for level in vocabulary.comparisons}
    return Rules(
        comparison=ComparisonRule(worst=labels[max(worst)]) if worst else None,
        distortions=DistortionRule(forbidden=tuple(forbidden)) if forbidden else None,
    )


def fail_on_findings(graph: DistortionGraph, words: Sequence[str]) -> list[Finding]:
    """What of a graph is as the words say; raises PolicyError as `fail_on_rules`."""
    amounts = list(graph_amounts(graph, fail_on_rules(words, graph.vocabulary)))
    differs = None if graph.scene is None else graph.scene.differs
    if DIFFERS in words and differs is not None:
        said = f"{100 * differs.share:.2g} % of the pixels differ visibly"
        amounts.append(Amount("differs", "differs", differs.share, 0.0, said, differs.spots))
    return findings_of(amounts)


def _unknown(word: str, known: Sequence[str]) -> str:
    names = list(dict.fromkeys(known))
    near = get_close_matches(word, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"--fail-on {word!r}: expected one of {', '.join(names)}{hint}"
