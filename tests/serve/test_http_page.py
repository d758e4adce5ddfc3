"""The page at `/` as it is served; tests in a browser stand in test_http_page_in_browser.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from distortion_graph.graph import DistortionGraph
from distortion_graph.report.html.page import ReportPicture, report_page
from distortion_graph.serve.access import Rules, Tokens, add_token
from distortion_graph.serve.http import page
from distortion_graph.serve.http.app import FREE, Application
from distortion_graph.serve.http.examples import GRAPH
from distortion_graph.serve.http.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """Of a server that asks for tokens, and was not started."""
    add_token(tmp_path / "tokens", "ci")
    rules = Rules(tokens=Tokens(tmp_path / "tokens"), free=FREE)
    return TestClient(Application(Settings(rules=rules)), base_url="http://localhost")


def test_all_of_the_page_is_there_without_a_token(client: TestClient) -> None:
    text = client.get("/").text
    named = set(re.findall(r'(?:src|href)="([\w.]+)"', text))
    todo, seen = [f"/{name}" for name in named], {"/"}
    while todo:
        path = todo.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        if path.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript")
            found = [f"/{name}" for name in re.findall(r'from "\./([\w.]+)"', answer.text)]
            todo += [one for one in found if one not in seen]
        seen.add(path)
    assert client.get("/page.css").headers["content-type"].startswith("text/css")
    assert seen - {"/openapi.json"} == set(page.PATHS)
    assert client.get("/v1/model").status_code == 401


def test_its_policy_lets_the_script_of_a_report_run_and_no_other(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    [scripts] = re.findall(r"script-src ([^;]+)", policy)
    graph = DistortionGraph.model_validate(GRAPH)
    report = report_page(graph, (ReportPicture(None), ReportPicture(None)))
    [script] = re.findall(r"script-src ([^;]+)", report)
    assert scripts == f"'self' {script}"
    assert "connect-src 'self';" in policy and "form-action 'none'" in policy
    assert policy.endswith("frame-ancestors 'self'")
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|https?://", answer.text)
