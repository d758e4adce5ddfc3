"""Comparing and ranking over HTTP: the answers are the library's own."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from served import ANCHOR, EXAMPLES, PAIR, QUICK, REGIONS, TARGET, asked, encoded, png, problem

from distortion_graph import compare, rank
from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.graph import DistortionGraph
from distortion_graph.pictures.images import load_picture
from distortion_graph.report.overlay import overlay
from distortion_graph.serve.http.accept import chosen
from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.problems import Problem
from distortion_graph.serve.http.routes import WARNINGS
from distortion_graph.serve.http.settings import Limits, Settings
from distortion_graph.serve.http.work import shown_name

pytestmark = pytest.mark.slow
BASE = "http://localhost"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    settings = Settings(limits=Limits(regions=50, candidates=3))
    with TestClient(Application(settings), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="module")
def graph() -> DistortionGraph:
    """The graph of the example pair as the command makes it, under the names that are sent."""
    made = compare(
        EXAMPLES / "anchor.png", EXAMPLES / "target.png", regions=EXAMPLES / "regions.json"
    )
    names = {
        side: made.picture_of(side).model_copy(update={"source": f"{side}.png"})
        for side in ("anchor", "target")
    }
    return made.model_copy(update=names)


def with_regions(*files: tuple[str, bytes], pair: Any = QUICK) -> list[tuple[str, Any]]:
    return [*pair.items(), *(("regions", file) for file in files)]


def test_the_graph_is_that_of_the_library_to_the_bit(
    client: TestClient, graph: DistortionGraph
) -> None:
    response = client.post("/v1/compare", files=[*PAIR.items(), ("regions", ("r.json", REGIONS))])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.text == graph.to_json()


def test_the_report_has_both_files_byte_for_byte_and_its_own_content_policy(
    client: TestClient, graph: DistortionGraph
) -> None:
    response = client.post(
        "/v1/compare",
        files=[*PAIR.items(), ("regions", ("r.json", REGIONS))],
        headers={"Accept": "text/html,application/xhtml+xml;q=.9,*/*;q=.8"},
    )
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for data in (ANCHOR, TARGET):
        assert base64.b64encode(data).decode() in response.text
    assert all(region.name in response.text for region in graph.regions)
    policy = response.headers["content-security-policy"]
    inside, _, framing = policy.rpartition("; ")
    assert f'content="{inside}"' in response.text
    assert framing == "frame-ancestors 'self'"
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert "http:" not in policy and "https:" not in policy


@pytest.mark.parametrize("colour", ["severity", "distortion"])
def test_the_overlay_has_the_pixels_of_the_library(
    client: TestClient, graph: DistortionGraph, colour: Any
) -> None:
    response = client.post(
        "/v1/compare",
        files=[*PAIR.items(), ("regions", ("r.json", REGIONS))],
        data={"colour": colour},
        headers={"Accept": "image/png"},
    )
    assert response.headers["content-type"] == "image/png"
    shown = np.asarray(Image.open(io.BytesIO(response.content)))
    pictures = [load_picture(data).rgb for data in (ANCHOR, TARGET)]
    assert np.array_equal(shown, overlay(graph, pictures[0], pictures[1], colour))


def test_a_label_map_with_names_gives_these_regions(client: TestClient) -> None:
    labels = np.zeros((24, 32), np.uint8)
    labels[4:20, 2:14], labels[4:20, 18:30] = 3, 7
    files = with_regions(("l.png", encoded(labels)), ("n.json", b'{"3": "left", "7": "right"}'))
    regions = client.post("/v1/compare", files=files).json()["regions"]
    assert [(r["id"], r["name"]) for r in regions] == [(3, "left"), (7, "right")]
    assert regions[0]["anchor"]["bbox_xywh_px"] == [2, 4, 12, 16]


def test_of_annotations_of_several_pictures_the_name_of_the_file_or_image_chooses(
    client: TestClient,
) -> None:
    coco = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 32, "height": 24},
            {"id": 2, "file_name": "other.png", "width": 32, "height": 24},
        ],
        "annotations": [
            {"image_id": 1, "bbox": [0, 0, 8, 8], "category_id": 1},
            {"image_id": 2, "bbox": [8, 8, 8, 8], "category_id": 2},
        ],
        "categories": [{"id": 1, "name": "mine"}, {"id": 2, "name": "theirs"}],
    }
    files = with_regions(("coco.json", json.dumps(coco).encode()))
    assert client.post("/v1/compare", files=files).json()["regions"][0]["name"] == "mine"
    chosen_one = client.post("/v1/compare", files=files, data={"regions": "image=other.png"})
    assert chosen_one.json()["regions"][0]["name"] == "theirs"


def test_options_are_those_of_the_command(client: TestClient) -> None:
    options: Any = {
        "regions": "grid:1x2", "evidence": "none", "align": "none", "scale": "fine",
        "reference": "anchor",
    }  # fmt: skip
    made = compare(png(1), png(2), **options).model_dump(mode="json")
    answer = asked(client, **options).json()
    for part in ("regions", "scene", "vocabulary", "scores", "reference"):
        assert answer[part] == json.loads(json.dumps(made[part])), part


def test_a_reference_is_measured_against(client: TestClient) -> None:
    original = png(1)
    answer = asked(client, {**QUICK, "reference": ("original.png", original)}, regions="whole")
    body = answer.json()
    assert body["reference"]["role"] == "third"
    assert body["scores"] == {"metric": "haarpsi", "source": "measured"}
    assert body["regions"][0]["anchor"]["score"] == 1.0  # it has the original's pixels


def test_regions_of_the_target_are_matched_with_those_of_the_anchor(client: TestClient) -> None:
    box = b'[{"bbox": [4, 4, 16, 16], "name": "box"}]'
    files = [*with_regions(("a.json", box)), ("target_regions", ("b.json", box))]
    body = client.post("/v1/compare", files=files, data={"align": "none"}).json()
    assert [region["name"] for region in body["regions"]] == ["box"]


def test_what_there_is_to_know_of_pictures_is_in_a_header(client: TestClient) -> None:
    clear = np.full((24, 32, 4), 200, np.uint8)
    clear[:8, :, 3] = 0
    response = asked(client, {**QUICK, "anchor": ("a.png", encoded(clear))}, regions="whole")
    lines = json.loads(response.headers[WARNINGS])
    assert lines[0] == "anchor: transparent pixels were laid on white"
    assert WARNINGS not in asked(client, regions="whole", align="none").headers


def test_a_ranking_is_that_of_the_library(client: TestClient) -> None:
    names = {"first": png(1), "second": png(2), "third": png(3)}
    files: Any = [("candidates", (f"{name}.png", data)) for name, data in names.items()]
    files.append(("reference", ("original.png", png(1))))
    response = client.post("/v1/rank", files=files, data={"regions": "whole", "size": "true"})
    assert response.status_code == 200, response.text
    made = rank(names, reference=png(1), regions="whole", sizes=True)
    assert response.json()["scene"] == json.loads(made.to_json())["scene"]
    assert response.json()["candidates"] == json.loads(made.to_json())["candidates"]
    measured = client.post("/v1/rank", files=files, data={"regions": "whole", "metric": "flip"})
    assert '"flip"' in measured.text
    line = problem(
        client.post("/v1/rank", files=files[:3], data={"metric": "flip"}), 422, "request"
    )
    assert line == "metric measures against reference, expected that too"
    page = client.post(
        "/v1/rank", files=files, data={"regions": "whole"}, headers={"Accept": "text/html"}
    )
    assert "3 candidates ranked" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_equal_names_of_candidates_are_told_apart(client: TestClient) -> None:
    files = [("candidates", (name, png(k))) for k, name in enumerate(["a.png", "a.jpg", "a.png"])]
    body = client.post("/v1/rank", files=files, data={"regions": "whole"}).json()
    assert [c["name"] for c in body["candidates"]] == ["a.png", "a.jpg", "a.png (2)"]


@pytest.mark.parametrize(
    "word",
    [
        "panoptic:facebook/mask2former", "panoptic:/tmp", "alpha:/etc/passwd", "/etc/passwd",
        "labels.png", "regions.json", "http://localhost/r.json", "file:///etc/passwd", "..", "",
        "panoptic:a.png,b.json", "nonsense",
    ],
)  # fmt: skip
def test_words_that_would_read_or_fetch_something_are_refused(
    client: TestClient, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)  # where there is a regions.json
    line = problem(asked(client, regions=word), 422, "regions")
    assert "expected auto, distortions, whole or grid:ROWSxCOLS" in line


@pytest.mark.parametrize("field", ["anchor", "target"])
@pytest.mark.parametrize("text", ["anchor.png", "/etc/passwd", "http://localhost/a.png"])
def test_pictures_by_path_or_address_are_refused(client: TestClient, field: str, text: str) -> None:
    files = {name: file for name, file in QUICK.items() if name != field}
    line = problem(client.post("/v1/compare", files=files, data={field: text}), 422, "request")
    assert line.startswith(f"{field}: found the text {text!r}, expected a file's bytes")


def test_names_of_files_are_shown_and_never_opened(client: TestClient) -> None:
    files = {"anchor": ("../../etc/passwd", png(1)), "target": ("C:\\b\n.png", png(2))}
    body = asked(client, files, regions="whole").json()
    assert (body["anchor"]["source"], body["target"]["source"]) == ("passwd", "b%0A.png")
    assert shown_name("", "anchor") == "anchor"
    assert shown_name("a/b/..", "anchor") == ".."
    assert shown_name("x" * 300, "anchor") == "x" * 100


@pytest.mark.parametrize(
    ("data", "kind", "start"),
    [
        ({"region": "whole"}, "request", "unknown field 'region'; did you mean 'regions'?"),
        ({"align": "sideways"}, "request", "align: expected 'auto', 'none', 'translation'"),
        ({"metric": "niqe"}, "input", "unknown metric 'niqe'; expected one of: flip, gmsd"),
        ({"background": "octarine"}, "picture", "background"),
        ({"score_metric": "haarpsi"}, "request", "score_metric 'haarpsi' measures scores against"),
        ({"regions": "grid:0x4"}, "regions", ""),
        ({"regions": "grid:100x100"}, "regions", "regions: found 10000, expected at most 50"),
        ({"regions": ["whole", "auto"]}, "regions", "regions: found 2 words, expected one"),
        ({"align": ["none", "none"]}, "request", "align: is there 2 times, expected once"),
        ({"metric": ["flip"] * 9}, "request", "metric: found 9, expected at most 8"),
        ({"strict": "perhaps"}, "request", "strict: expected a valid boolean"),
        ({"rotate": "45"}, "request", "rotate: expected '0', '90', '180' or '270'"),
    ],
)
def test_a_mistake_is_one_line(
    client: TestClient, data: dict[str, Any], kind: str, start: str
) -> None:
    assert problem(asked(client, **data), 422, kind).startswith(start)


def test_the_line_of_a_refusal_is_the_librarys_own(client: TestClient) -> None:
    small = png(2, (20, 20))
    with pytest.raises(DistortionGraphError) as refused:
        compare(png(1), small, regions="whole", fit="resize")
    response = asked(client, {**QUICK, "target": ("target", small)}, regions="whole", fit="resize")
    line = problem(response, 422, "picture")
    assert line.replace("a.png", "anchor") == str(refused.value)


def test_files_that_are_no_masks_are_refused(client: TestClient) -> None:
    cases = {
        b"hello": "r: not a picture of a known kind",
        b"{": "r: not JSON",
        b'{"annotations": [{"segments_info": []}]}': "r: ",
        b"<svg><!ENTITY": "r: not valid XML",
        png(5, (10, 10)): "r: found 10×10 pixels (width × height), expected the picture's 32×24",
        png(5): "r: found RGB, expected one channel of label numbers",
        b"[]": "r: no region left, expected at least one",
    }
    for data, start in cases.items():
        line = problem(client.post("/v1/compare", files=with_regions(("r", data))), 422, "regions")
        assert line.startswith(start), line


def test_panoptic_annotations_without_their_picture_read_nothing_beside_them(
    client: TestClient,
) -> None:
    annotation = {"file_name": "a.png", "segments_info": [{"id": 1, "category_id": 1}]}
    table = json.dumps({"annotations": [annotation]}).encode()
    line = problem(client.post("/v1/compare", files=with_regions(("p", table))), 422, "regions")
    assert line == "p: COCO panoptic without its PNG, expected both files"


def test_forms_that_are_no_forms_are_refused(client: TestClient) -> None:
    response = client.post("/v1/compare", json={"anchor": "a.png"})
    line = problem(response, 415, "form")
    assert line == "the body is 'application/json', expected multipart/form-data"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    problem(client.post("/v1/compare", content=b"nothing", headers=kind), 400, "malformed")
    assert "'target' is missing" in problem(
        client.post("/v1/compare", files={"anchor": QUICK["anchor"]}), 422, "request"
    )


def test_what_is_not_there_and_not_offered_is_a_problem(client: TestClient) -> None:
    assert "no address '/v2'" in problem(client.get("/v2"), 404, "unknown")
    wrong = client.get("/v1/compare")
    assert problem(wrong, 405, "method") == "GET '/v1/compare': expected POST"
    assert wrong.headers["allow"] == "POST"
    response = client.post("/v1/compare", files=QUICK, headers={"Accept": "text/plain"})
    assert problem(response, 406, "accept").endswith("application/json, text/html, image/png")


def test_too_many_candidates_are_refused(client: TestClient) -> None:
    files = [("candidates", (f"{k}.png", png(k))) for k in range(4)]
    line = problem(client.post("/v1/rank", files=files), 422, "request")
    assert line == "found 4 candidates, expected at most 3"
    line = problem(client.post("/v1/rank", files=files[:1]), 422, "request")
    assert line == "candidates: found 1, expected at least 2"


def test_every_answer_has_secure_headers_and_none_of_cors(client: TestClient) -> None:
    page = client.get("/")
    for response in (asked(client, regions="whole"), page, client.get("/v2")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert not [name for name in response.headers if name.startswith("access-control-")]
    assert "/v1/compare" in page.text


def test_model_and_metrics_say_what_is_there(client: TestClient) -> None:
    asked(client, regions="whole")
    model = client.get("/v1/model").json()
    assert model["model"]["name"] == asked(client, regions="whole").json()["model"]["name"]
    assert "haarpsi" in model["score_metrics"] and "flip" in model["metrics"]
    assert model["limits"]["regions"] == 50
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    text = client.get("/metrics").text
    assert 'distortion_graph_requests_total{method="POST",path="/v1/compare",status="200"}' in text
    for name in ("work_seconds_count", "pixels_total", "workers_busy", "calls_waiting"):
        assert f"distortion_graph_{name}" in text
    assert "process_resident_memory_bytes" in text


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "a/x"), ("*/*", "a/x"), ("b/y", "b/y"), ("a/*;q=.1, b/y", "b/y"),
        ("b/y;q=.2, */*", "a/x"), ("a/x;q=0, */*;q=.5", "b/y"), ("B/Y", "b/y"),
        ("a/x;q=nonsense, b/y;q=.1", "b/y"), ("c/z, b/*;level=1", "b/y"),
    ],
)  # fmt: skip
def test_the_form_that_is_liked_best_is_chosen(accept: str | None, expected: str) -> None:
    assert chosen(accept, ("a/x", "b/y")) == expected


@pytest.mark.parametrize("accept", ["c/z", "a/x;q=0", "a/*;q=0, b/y;q=0"])
def test_a_form_that_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(Problem, match="expected one of a/x, b/y"):
        chosen(accept, ("a/x", "b/y"))
