"""The original at hand, and several pictures ranked, through the protocol's own client."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from optional import present
from PIL import Image
from skimage import data

from distortion_graph import compare, rank
from distortion_graph.predict.session import load_model
from distortion_graph.serve.mcp_files import Access
from distortion_graph.serve.mcp_server import build_server

QUALITIES = (5, 20, 60, 95)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """original.png, and it as JPEG of several qualities; a part of one, and another scene."""
    folder = tmp_path_factory.mktemp("root")
    original = Image.fromarray(data.coffee()).resize((240, 160))
    original.save(folder / "original.png")
    for quality in QUALITIES:
        original.save(folder / f"q{quality}.jpg", quality=quality)
    (folder / "broken.jpg").write_bytes((folder / "q60.jpg").read_bytes()[:1500])
    original.resize((120, 80)).save(folder / "small.png")
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Any:
    return build_server(load_model(), Access.below([root]))


def called(server: Any, name: str, *questions: dict[str, Any]) -> list[Any]:
    """The results of a tool, one after the other; facts obey its schema."""

    async def ask() -> list[Any]:
        async with Client(server) as client:
            (tool,) = [t for t in (await client.list_tools()).tools if t.name == name]
            results = [await client.call_tool(name, question) for question in questions]
            for result in results:
                if not result.is_error:
                    Draft202012Validator(tool.output_schema).validate(result.structured_content)
            return results

    return asyncio.run(ask())


def refusal(result: Any) -> str:
    assert result.is_error
    (part,) = result.content
    assert part.text.isprintable()
    return part.text  # type: ignore[no-any-return]


FILES = [f"q{quality}.jpg" for quality in QUALITIES]


def test_scores_are_measured_against_an_original(server: Any, root: Path) -> None:
    pair = {"anchor": "q60.jpg", "target": "q5.jpg", "regions": "grid:2x2", "overlay": False}
    plain, third, first = called(
        server,
        "compare_images",
        pair,
        {**pair, "reference": "original.png"},
        {**pair, "anchor": "original.png", "reference": "anchor"},
    )
    assert plain.structured_content["reference"] is None
    assert plain.structured_content["scores"]["source"] == "predicted"
    graph = compare(
        root / "q60.jpg", root / "q5.jpg", regions="grid:2x2", reference=root / "original.png"
    )
    told = third.structured_content
    assert told["reference"] == "third"
    assert told["scores"] == {"metric": "haarpsi", "source": "measured"}
    for said, region in zip(told["regions"], graph.regions, strict=True):
        assert said["margin"] == round(present(region.comparison.margin), 4) > 0
    assert first.structured_content["reference"] == "anchor"
    assert {r["anchor"]["score"] for r in first.structured_content["regions"]} == {1.0}


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("small.png", "small.png: the reference is 120×80, expected 240×160 as the two"),
        ("nowhere.png", "nowhere.png: no such file, expected a picture"),
        ("../original.png", "reference: '../original.png' lies outside of what this server may"),
    ],
)
def test_another_original_is_refused_in_one_line(server: Any, reference: str, said: str) -> None:
    pair = {"anchor": "q60.jpg", "target": "q5.jpg", "regions": "whole", "reference": reference}
    (result,) = called(server, "compare_images", pair)
    assert said in refusal(result)


@pytest.mark.parametrize("reference", ["original.png", None])
def test_the_order_is_that_of_rank(server: Any, root: Path, reference: str | None) -> None:
    question = {"candidates": FILES, "regions": "grid:1x2"}
    (result,) = called(
        server,
        "rank_images",
        question if reference is None else question | {"reference": reference},
    )
    ranking = rank(
        [root / name for name in FILES],
        reference=reference and root / reference,
        regions="grid:1x2",
    )
    told = result.structured_content
    assert told["ordered_by"] == ranking.by
    assert [s["candidate"] for s in told["order"]] == [s.candidate for s in ranking.ordered]
    assert [s["value"] for s in told["order"]] == [
        round(present(s.value), 4) for s in ranking.ordered
    ]
    assert [r["best"] for r in told["regions"]] == [list(r.best) for r in ranking.regions]
    assert told["metric"] == ranking.metric and told["left_out"] == [] == told["notes"]
    assert result.content[0].text.startswith(told["summary"])
    assert "compression" in told["order"][-1]["words"]


def test_who_cannot_be_read_or_comes_twice_is_said_and_the_rest_ranked(server: Any) -> None:
    url = "data:image/jpeg;base64," + base64.b64encode(b"no picture at all").decode()
    question = {"candidates": [*FILES, "broken.jpg", url, "q5.jpg", "nowhere.jpg"]}
    (result,) = called(
        server, "rank_images", question | {"regions": "whole", "reference": "original.png"}
    )
    told = result.structured_content
    assert [s["candidate"] for s in told["order"]] == ["q95", "q60", "q20", "q5"]
    assert [left["source"] for left in told["left_out"]] == ["broken", "candidate 6", "nowhere"]
    assert told["notes"] == ["q5.jpg: is given twice and counts once"]
    said = result.content[0].text
    assert "nowhere.jpg: no such file" in said and said.count("Left out: ") == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"candidates": ["q5.jpg"]}, "rank_images: candidates: "),
        ({"candidates": ["q5.jpg", "q5.jpg"]}, "1 candidate to rank, expected 2 or more"),
        ({"candidates": ["q5.jpg", "x.jpg"]}, "1 candidate to rank, expected 2 or more; "),
        ({"candidates": ["q5.jpg", "/etc/passwd"]}, "'/etc/passwd' lies outside of what this"),
        ({"reference": "broken.jpg"}, "broken.jpg: "),
        ({"regions": "distortions"}, "distortions"),
        ({"regions": "grid:0x0"}, "grid"),
        ({"candidates": ["q5.jpg"] * 33}, "rank_images: candidates: "),
    ],
)
def test_a_mistake_is_one_line(server: Any, change: dict[str, Any], said: str) -> None:
    (result,) = called(server, "rank_images", {"candidates": FILES, "regions": "whole"} | change)
    assert said in refusal(result)
