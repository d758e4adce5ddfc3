"""Jobs: sent, followed, fetched, cancelled, and gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from served import QUICK, asked, png, problem, until

from distortion_graph import compare
from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.settings import Limits, Settings

pytestmark = pytest.mark.slow

FILES = {
    "a.png": png(1),
    "b.png": png(2),
    "c.txt": b"no picture",
    "box.json": b'[{"bbox": [4, 4, 9, 9]}]',
}
PAIRS: list[dict[str, Any]] = [
    {"id": "first/one", "anchor": "a.png", "target": "b.png"},
    {"anchor": "b.png", "target": "a.png", "regions": ["box.json"]},
    {"id": "bad", "anchor": "a.png", "target": "c.txt"},
]


@pytest.fixture(scope="module")
def application() -> Application:
    limits = Limits(jobs=1, pairs=60, regions=20, bytes_per_job=2**21)
    return Application(Settings(limits=limits))


@pytest.fixture(scope="module")
def client(application: Application) -> Iterator[TestClient]:
    with TestClient(application, base_url="http://localhost") as client:
        yield client


def send(
    client: TestClient, pairs: Any = PAIRS, files: dict[str, bytes] = FILES, **data: Any
) -> Response:
    text = pairs if isinstance(pairs, str) else json.dumps(pairs)
    sent = [("files", (name, content)) for name, content in files.items()]
    return client.post("/v1/jobs", files=sent, data={"pairs": text, **data})


def events(client: TestClient, place: str, **headers: str) -> list[dict[str, Any]]:
    """The events of a job to its end: kind, number and data."""
    found = []
    with client.stream("GET", f"{place}/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name:
                event[name] = value
            elif event:
                found.append({**event, "data": json.loads(event["data"])})
                event = {}
    return found


@pytest.fixture(scope="module")
def done(client: TestClient) -> tuple[str, list[dict[str, Any]]]:
    """Where a job is that is done, and its events."""
    response = send(client, regions="whole", align="none", reports="true")
    assert response.status_code == 202, response.text
    assert response.json()["total"] == 3
    place = response.headers["location"]
    assert place == f"/v1/jobs/{response.json()['id']}"
    return place, events(client, place)


def test_events_tell_of_every_pair_and_of_the_end(done: Any) -> None:
    told = done[1]
    assert [event["event"] for event in told] == ["pair"] * 3 + ["end"]
    assert [event["id"] for event in told] == ["0", "1", "2", "3"]
    pairs = {event["data"]["pair"]["id"]: event["data"]["pair"] for event in told[:3]}
    assert {name: pair["status"] for name, pair in pairs.items()} == {
        "first/one": "done", "2": "done", "bad": "failed",
    }  # fmt: skip
    assert "target: not a picture" in pairs["bad"]["problem"]["detail"]
    last = told[-1]["data"]
    assert last == {"status": "done", "total": 3, "done": 3, "failed": 1, "pair": None}


def test_who_comes_again_gets_what_came_after(client: TestClient, done: Any) -> None:
    again = events(client, done[0], **{"Last-Event-ID": "1"})
    assert [event["id"] for event in again] == ["2", "3"]
    assert len(events(client, done[0], **{"Last-Event-ID": "nonsense"})) == 4


def test_results_are_the_graphs_of_the_library(client: TestClient, done: Any) -> None:
    status = client.get(done[0]).json()
    assert (status["status"], status["done"], status["failed"]) == ("done", 3, 1)
    body = client.get(f"{done[0]}/results").json()
    first, second, bad = body["pairs"]
    made = json.loads(compare(png(1), png(2), regions="whole", align="none").to_json())
    assert first["id"] == "first/one"
    assert first["graph"]["regions"] == made["regions"]
    assert second["graph"]["regions"][0]["anchor"]["bbox_xywh_px"] == [4, 4, 9, 9]
    assert bad["graph"] is None and bad["problem"]["status"] == 422
    one = client.get(f"{done[0]}/results/first/one")
    assert one.json() == first["graph"]
    page = client.get(f"{done[0]}/results/2", headers={"Accept": "text/html"})
    assert page.text.startswith("<!doctype html>")
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


def test_what_a_job_does_not_have_is_a_problem(client: TestClient, done: Any) -> None:
    problem(client.get(f"{done[0]}/results/bad"), 422, "picture")
    assert "no pair 'nix'" in problem(client.get(f"{done[0]}/results/nix"), 404, "unknown")
    picture = client.get(f"{done[0]}/results/2", headers={"Accept": "image/png"})
    assert problem(picture, 406, "accept").endswith("application/json, text/html")
    wrong = client.put(done[0])
    assert "expected DELETE, GET" in problem(wrong, 405, "method")
    assert wrong.headers["allow"] == "DELETE, GET"
    for path in ("nix", "nix/events", "nix/results", "nix/results/1"):
        problem(client.get(f"/v1/jobs/{path}"), 404, "unknown")
    problem(client.delete("/v1/jobs/nix"), 404, "unknown")


def many(count: int) -> list[dict[str, str]]:
    return [{"anchor": "a.png", "target": "b.png"} for _ in range(count)]


def test_a_job_is_cancelled_and_its_place_is_free(
    client: TestClient, application: Application
) -> None:
    place = send(client, many(60)).headers["location"]
    assert "1 jobs are under way" in problem(send(client), 503, "busy")
    problem(client.get(f"{place}/results"), 409, "state")
    problem(client.get(f"{place}/results/60"), 409, "state")
    assert asked(client, regions="whole").status_code == 200  # others are answered meanwhile
    assert client.delete(place).status_code == 204
    problem(client.get(place), 404, "unknown")
    until(lambda: application.service.pool.running == 0)
    again = send(client, many(1)).headers["location"]
    assert events(client, again)[-1]["data"]["status"] == "done"
    assert client.delete(again).status_code == 204


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        ("nonsense", "pairs: Invalid JSON"),
        ("{}", "pairs: Input should be a valid array"),
        ([], "pairs: found 0, expected from 1 to 60"),
        (many(61), "pairs: found 61, expected from 1 to 60"),
        ([{"anchor": "a.png"}], "pairs[0]['target']: Field required"),
        ([{**PAIRS[0], "x": 1}], "pairs[0]['x']: Extra inputs are not permitted"),
        ([PAIRS[0], PAIRS[0]], "pairs: 2 have the id 'first/one', expected one each"),
        ([{**PAIRS[0], "id": "1"}, PAIRS[1] | {"id": "1"}], "pairs: 2 have the id '1'"),
        (
            [{"anchor": "a.png", "target": "/etc/passwd"}],
            "pair '1': no file '/etc/passwd' was sent, expected one of a.png, b.png",
        ),
        (
            [{"anchor": "http://localhost/a", "target": "a.png"}],
            "pair '1': no file 'http://localhost/a' was sent",
        ),
    ],
)
def test_a_list_of_pairs_that_cannot_be_meant_is_refused(
    client: TestClient, pairs: Any, line: str
) -> None:
    assert problem(send(client, pairs), 422, "request").startswith(line)


def test_regions_of_a_pair_read_no_file_of_the_server(client: TestClient) -> None:
    place = send(client, [{**PAIRS[0], "regions": "/etc/passwd"}]).headers["location"]
    end = events(client, place)
    assert "nothing is read from paths" in end[0]["data"]["pair"]["problem"]["detail"]
    client.delete(place)


def test_two_files_of_one_name_and_no_file_are_refused(client: TestClient) -> None:
    files = [("files", ("a.png", png(1))), ("files", ("a.png", png(2)))]
    response = client.post("/v1/jobs", files=files, data={"pairs": "[]"})
    problem(response, 422, "request")
    response = client.post("/v1/jobs", files=files, data={"pairs": json.dumps(many(1))})
    assert problem(response, 422, "request") == "files: two are called 'a.png', expected one"
    assert "'files' is missing" in problem(
        client.post("/v1/jobs", files={"x": QUICK["anchor"]}, data={"pairs": "[]"}), 422, "request"
    ).replace("unknown field 'x'", "'files' is missing")


def test_a_job_that_is_too_large_is_refused(client: TestClient) -> None:
    line = problem(send(client, files={"a.png": b"\0" * 2**22}), 413, "bytes")
    assert line.endswith("expected at most 2097152")


def test_results_are_kept_for_a_while_and_the_newest_alone_where_they_are_many() -> None:
    limits = Limits(keep_seconds=1.5, bytes_per_job=2**21)
    with TestClient(Application(Settings(limits=limits)), base_url="http://localhost") as client:
        place = send(client, many(1)).headers["location"]
        assert events(client, place)[-1]["data"]["status"] == "done"
        assert client.get(f"{place}/results").status_code == 200
        until(lambda: client.get(place).status_code == 404)
