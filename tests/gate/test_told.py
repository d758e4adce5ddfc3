"""What came of a check, in the forms that other programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from distortion_graph.batch.pairs import PairTask
from distortion_graph.gate.amounts import Finding
from distortion_graph.gate.github import annotation_lines, markdown
from distortion_graph.gate.junit import junit
from distortion_graph.gate.run import CheckReport
from distortion_graph.gate.sarif import sarif
from distortion_graph.gate.worker import Verdict


def task(name: str) -> PairTask:
    return PairTask(name, f"accepted/{name}", f"now/{name}")


@pytest.fixture
def report() -> CheckReport:
    """A pair that passes, one with two findings and files, one with an odd name and no pictures."""
    differs = Finding("differs", "9 pixels differ | 5 %", 0.05, 0.0, ((1, 2, 3, 3),))
    loss = Finding("loss", "region 4 loses 0.5, allowed 0.1", 0.5, 0.1, ((0, 0, 9, 9),), region=4)
    files = {"overlay": "shown/overlays/b.png", "report": "shown/reports/b.html"}
    verdicts = (
        Verdict(task("set/a.png"), seconds=0.25),
        Verdict(task("set/b.png"), (differs, loss), notes=("half transparent",), files=files),
        Verdict(task("c,<x>:\x07%.png"), error="now/c: cannot be read"),
    )
    return CheckReport(verdicts, 1.5, notes=("a note",))


def test_junit_counts_cases_failures_and_errors_and_is_xml(report):
    root = ElementTree.fromstring(junit(report))
    assert root.tag == "testsuites"
    suite = root.find("testsuite")
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0", "time": "1.500",
    }  # fmt: skip
    cases = suite.findall("testcase")
    assert [(c.get("classname"), c.get("name")) for c in cases] == [
        ("set", "set/a.png"),
        ("set", "set/b.png"),
        ("distortion-graph check", "c,<x>: %.png"),
    ]
    assert [child.tag for child in cases[0]] == []
    failure = cases[1].find("failure")
    assert failure.get("type") == "differs" and "9 pixels differ" in failure.get("message")
    assert failure.text.splitlines() == [f.text for f in report.verdicts[1].findings]
    said = cases[1].find("system-out").text
    assert "[[ATTACHMENT|shown/overlays/b.png]]" in said and "half transparent" in said
    assert cases[2].find("error").get("message") == "now/c: cannot be read"


def test_sarif_has_what_the_standard_requires_and_points_at_the_new_picture(report):
    log = json.loads(sarif(report))
    # SARIF 2.1.0: §3.13 version and runs, §3.14.6 tool, §3.19.8 driver's name, §3.27 results.
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "distortion-graph"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    assert run["invocations"] == [{"executionSuccessful": False}]
    results: list[Any] = run["results"]
    assert [r["ruleId"] for r in results] == ["differs", "loss", "unreadable"]
    for result in results:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"] and result["level"] == "error"
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results]
    assert uris == ["now/set/b.png", "now/set/b.png", "now/c%2C%3Cx%3E%3A%07%25.png"]
    assert results[1]["properties"]["boxesXywhPx"] == [[0, 0, 9, 9]]
    assert results[1]["properties"]["region"] == 4
    prints = {tuple(r["partialFingerprints"].values()) for r in results}
    assert len(prints) == 3


def test_annotations_are_workflow_commands_whose_marks_are_escaped(report):
    first, second = annotation_lines(report)
    assert first == (
        "::error file=now/set/b.png,title=distortion-graph%3A set/b.png::"
        "9 pixels differ | 5 %25; region 4 loses 0.5, allowed 0.1"
    )
    head, _, said = second.removeprefix("::").partition("::")
    assert said == "now/c: cannot be read"
    assert head == "error file=now/c%2C<x>%3A %25.png,title=distortion-graph%3A c%2C<x>%3A %25.png"


def test_markdown_has_a_row_per_failed_pair_that_no_mark_breaks(report):
    lines = markdown(report).splitlines()
    assert lines[0] == ("## Picture quality: 3 pairs: 1 break the policy, 1 cannot be compared")
    rows = [line for line in lines if line.startswith("| ") and "what is wrong" not in line]
    assert len(rows) == 2
    for row in rows:
        assert row.replace("\\|", "").count("|") == 4
    assert "9 pixels differ \\| 5 %<br>region 4 loses" in rows[0]
    assert "`shown/overlays/b.png`" in rows[0] and "\\<x>" in rows[1]
    assert lines[-1] == "> a note"


@pytest.mark.slow
def test_the_command_writes_all_forms_and_adds_to_the_jobs_summary(folders, check, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("before\n")
    code, out, _ = check(
        "differs: {share: 0}\n",
        *("--junit", "j.xml", "--sarif", "r.sarif", "--markdown", "m.md", "--github"),
    )
    assert code == 3
    assert "::error file=now/patch.png,title=" in out
    assert Path("summary.md").read_text() == "before\n" + Path("m.md").read_text()
    assert len(json.loads(Path("r.sarif").read_text())["runs"][0]["results"]) == 2
    assert ElementTree.parse("j.xml").getroot().get("failures") == "2"
    code, out, _ = check("differs: {share: 0}\n", "--junit", "-")
    assert code == 3 and ElementTree.fromstring(out).get("failures") == "2"
    code, out, err = check("differs: {share: 0}\n", "--junit", "gate.yml")
    assert code == 2 and "would overwrite an input" in err
