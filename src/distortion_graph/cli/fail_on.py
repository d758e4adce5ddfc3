"""`--fail-on`: the gate of one pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from distortion_graph.cli.console import POLICY_BROKEN, write_error_line

if TYPE_CHECKING:
    from distortion_graph.base.vocabulary import Vocabulary
    from distortion_graph.graph import DistortionGraph

FailOn: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHAT",
        help="Give exit code 3 where a region of the target is worse (worse, or a step such as "
        "significantly_worse), where the pictures visibly differ (differs), or where a region "
        "suffers a distortion (such as blur) that it did not before; may be repeated.",
    ),
]


def check_fail_on(words: Sequence[str], vocabulary: Vocabulary, evidence: str) -> None:
    """Raise PolicyError for words that no vocabulary or level of evidence can answer."""
    if not words:
        return
    from distortion_graph.base.errors import PolicyError
    from distortion_graph.gate.fail_on import DIFFERS, fail_on_rules

    fail_on_rules(words, vocabulary)
    if DIFFERS in words and evidence == "none":
        raise PolicyError("--fail-on differs is measured, expected --evidence all or fast")


def end_where_so(graph: DistortionGraph, words: Sequence[str]) -> None:
    """Say what of a graph is as the words say, and end the command there."""
    if not words:
        return
    from distortion_graph.gate.fail_on import fail_on_findings

    findings = fail_on_findings(graph, words)
    for finding in findings:
        write_error_line(f"fails: {finding.text}")
    if findings:
        raise typer.Exit(POLICY_BROKEN)
