"""What the OpenAPI says is so: requests made from it are answered as it promises, none by a 5xx."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from served import QUICK, asked, listening, png

from distortion_graph.graph import DistortionGraph
from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.examples import GRAPH
from distortion_graph.serve.http.settings import Limits, Settings

schemathesis = pytest.importorskip("schemathesis", reason="needs the dev extra")

from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

pytestmark = pytest.mark.slow

SCHEMA = schemathesis.openapi.from_dict(Application(Settings()).routes.openapi())
FOUND: list[Any] = [found.ok() for found in SCHEMA.get_all_operations()]
OPERATIONS = {operation.label: operation for operation in FOUND}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    limits = Limits(pixels=100_000, regions=30, seconds=120)
    with listening(Application(Settings(limits=limits))) as (_, port):
        yield port


@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, GenerationMode.POSITIVE) for name in OPERATIONS]
    + [(name, GenerationMode.NEGATIVE) for name in OPERATIONS if name.startswith("POST")],
)
def test_requests_made_of_the_schema_are_answered_as_it_says(
    port: int, name: str, mode: GenerationMode
) -> None:
    # Random bytes are no pictures: that they are refused is no fault of the schema.
    drawn(
        OPERATIONS[name],
        mode,
        lambda case: case.call_and_validate(
            base_url=f"http://127.0.0.1:{port}", excluded_checks=[positive_data_acceptance]
        ),
    )


@pytest.mark.parametrize("name", ["POST /v1/compare", "POST /v1/rank"])
def test_any_options_with_real_pictures_are_no_defect(port: int, name: str) -> None:
    def ask(case: Any) -> None:
        if "candidates" in case.body:
            case.body["candidates"] = [png(1), png(2)]
        else:
            case.body |= {"anchor": png(1), "target": png(2)}
        if not isinstance(case.body.get("reference"), str):
            case.body.pop("reference", None)
        response = case.call(base_url=f"http://127.0.0.1:{port}")
        case.validate_response(response, checks=[not_a_server_error])

    drawn(OPERATIONS[name], GenerationMode.POSITIVE, ask)


def drawn(operation: Any, mode: GenerationMode, check: Callable[[Any], object]) -> None:
    """Check requests that are made of the description of an operation."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def check_each(case: Any) -> None:
        check(case)

    check_each()


def test_the_example_is_a_graph_of_this_version() -> None:
    graph = DistortionGraph.model_validate(GRAPH)
    assert json.loads(graph.to_json()) == GRAPH


def test_every_operation_names_its_problems_and_needs_nothing_from_elsewhere() -> None:
    described = TestClient(Application(Settings()), base_url="http://localhost").get(
        "/openapi.json"
    )
    text, value = described.text, described.json()
    assert value["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in text and "http://" not in text.replace("http://json-", "")
    operations = [o for path in value["paths"].values() for o in path.values()]
    assert len(operations) == 12
    for operation in operations:
        assert operation["summary"] and operation["description"]
        problems = {code for code in operation["responses"] if code >= "400"}
        assert problems, operation["operationId"]
        for code in problems:
            assert list(operation["responses"][code]["content"]) == ["application/problem+json"]
    for path in ("/v1/compare", "/v1/rank", "/v1/jobs"):
        form = value["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert form["examples"]


def test_the_fields_of_the_form_are_the_options_of_the_command() -> None:
    """Those that are left out are about files and this machine."""
    import inspect

    from distortion_graph.cli.compare import compare
    from distortion_graph.cli.rank import rank
    from distortion_graph.serve.http.forms import CompareForm, RankForm

    elsewhere = {
        "context", "out", "format", "overlay", "distortion_map", "report", "json",  # by Accept
        "plot", "fail_on",  # the caller's
        "model", "max_pixels", "provider", "threads", "quiet", "verbose",  # the server's
    }  # fmt: skip
    of_compare, of_rank = (set(inspect.signature(one).parameters) for one in (compare, rank))
    assert set(CompareForm.model_fields) == of_compare - elsewhere | {"colour"}
    assert set(RankForm.model_fields) == of_rank - elsewhere


def test_answers_of_the_pair_obey_the_schema_of_graphs(port: int) -> None:
    from httpx2 import Client

    with Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        body = asked(client, QUICK, regions="grid:2x2").json()
    DistortionGraph.model_validate(body)
