"""What came of a check as SARIF 2.1.0, the OASIS standard that code scanning reads."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from distortion_graph.batch.storage import is_url
from distortion_graph.gate.run import CheckReport
from distortion_graph.gate.worker import Verdict
from distortion_graph.report.wording import printable

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RULES = {
    "comparison": "A region is worse than the policy allows.",
    "loss": "A region or the whole picture loses more of its score than the policy allows.",
    "distortions": "A region suffers a distortion that the policy forbids.",
    "differs": "The pictures differ visibly where they may not.",
    "size": "The two pictures have different sizes.",
    "unreadable": "The pair cannot be compared.",
}


def sarif(report: CheckReport) -> str:
    """The JSON: a result for each finding, at the target's file, with boxes in its properties."""
    driver = {
        "name": "distortion-graph",
        "version": version("distortion-graph"),
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.failed}],
        "results": [result for verdict in report.verdicts for result in _results(verdict)],
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _results(verdict: Verdict) -> list[dict[str, Any]]:
    if verdict.error is not None:
        return [_result(verdict, "unreadable", verdict.error, {})]
    results = []
    for finding in verdict.findings:
        facts: dict[str, Any] = {"value": finding.value, "limit": finding.limit}
        if finding.region is not None:
            facts["region"] = finding.region
        if finding.boxes:
            facts["boxesXywhPx"] = [list(box) for box in finding.boxes]
        results.append(_result(verdict, finding.rule, finding.text, facts))
    return results


def _result(verdict: Verdict, rule: str, text: str, facts: dict[str, Any]) -> dict[str, Any]:
    pair = verdict.pair
    # Code scanning wants a line of every file; a picture has but one.
    place = {"artifactLocation": {"uri": _uri(pair.target)}, "region": {"startLine": 1}}
    same = f"{rule} {pair.id} {facts.get('region', '')}"
    return {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(rule),
        "level": "error",
        "message": {"text": printable(f"{pair.id}: {text}")},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"pairRuleRegion/v1": hashlib.sha256(same.encode()).hexdigest()},
        "properties": {"anchor": pair.anchor, **facts, **(verdict.files or {})},
    }


def _uri(name: str) -> str:
    """A file as a URI, relative to where the program runs where it lies below."""
    if is_url(name):
        return quote(name, safe=":/?#[]@!$&'()*+,;=%")
    path = Path(name).resolve()
    try:
        return quote(path.relative_to(Path.cwd().resolve()).as_posix())
    except ValueError:
        return path.as_uri()
