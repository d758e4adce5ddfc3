"""What came of a check as JUnit XML, which build servers read: a test case per pair."""

from __future__ import annotations

from pathlib import PurePosixPath
from xml.etree import ElementTree

from distortion_graph.gate.run import CheckReport
from distortion_graph.gate.wording import headline
from distortion_graph.gate.worker import Verdict
from distortion_graph.report.wording import printable

SUITE = "distortion-graph check"


def junit(report: CheckReport) -> str:
    """The XML; a pair that breaks the policy is a failure, one that cannot be compared an error.

    `[[ATTACHMENT|file]]` in a failed case's output is how Jenkins and GitLab find pictures.
    """
    counts = {
        "tests": str(len(report.verdicts)),
        "failures": str(len(report.broken)),
        "errors": str(len(report.failed)),
        "time": f"{report.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE} | counts | {"skipped": "0"})
    for verdict in report.verdicts:
        _case(suite, verdict)
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, verdict: Verdict) -> None:
    pair = verdict.pair
    folder = str(PurePosixPath(pair.id).parent)
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "classname": printable(SUITE if folder == "." else folder),
            "name": printable(pair.id),
            "time": f"{verdict.seconds:.3f}",
        },
    )
    if verdict.error is not None:
        error = {"type": "unreadable", "message": printable(verdict.error)}
        ElementTree.SubElement(case, "error", error)
    if verdict.findings:
        first = verdict.findings[0]
        failed = ElementTree.SubElement(
            case, "failure", {"type": first.rule, "message": printable(headline(verdict))}
        )
        failed.text = "\n".join(printable(finding.text) for finding in verdict.findings)
    lines = [printable(f"warning: {note}") for note in verdict.notes]
    lines += [f"[[ATTACHMENT|{printable(path)}]]" for path in (verdict.files or {}).values()]
    if lines:
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
