"""What people read of a check."""

from __future__ import annotations

from collections.abc import Sequence

from distortion_graph.base.counting import counted
from distortion_graph.gate.amounts import Finding
from distortion_graph.gate.run import CheckReport
from distortion_graph.gate.worker import Verdict


def worst_of_each_rule(findings: Sequence[Finding]) -> list[tuple[Finding, int]]:
    """The first finding of each rule, and how many more of it there are."""
    rules = list(dict.fromkeys(finding.rule for finding in findings))
    by_rule = [[f for f in findings if f.rule == rule] for rule in rules]
    return [(found[0], len(found) - 1) for found in by_rule]


def finding_lines(verdict: Verdict) -> list[str]:
    """A line for each rule that a pair breaks."""
    return [
        f"{finding.text}" + f" (and {more} more)" * (more > 0)
        for finding, more in worst_of_each_rule(verdict.findings)
    ]


def headline(verdict: Verdict) -> str:
    """What is wrong with a pair, in one line."""
    return verdict.error or "; ".join(finding_lines(verdict))


def summary_line(report: CheckReport) -> str:
    """How many pairs there were, and what came of them."""
    count = len(report.verdicts)
    pairs = counted(count, "pair")
    if report.recorded is not None:
        return f"{pairs} recorded"
    parts = [f"{len(report.broken)} break the policy"] if report.broken else []
    parts += [f"{len(report.failed)} cannot be compared"] if report.failed else []
    return f"{pairs}: {', '.join(parts) or 'all keep the policy'}"
