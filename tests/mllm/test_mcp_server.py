"""The protocol's own client compares pictures through the server, in memory and as a process."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters

from distortion_graph import compare
from distortion_graph.errors import DistortionGraphError
from distortion_graph.images import load_picture
from distortion_graph.mllm.mcp_server import OVERLAY_SIDE_PX, build_server, fitted
from distortion_graph.report.overlay import overlay
from distortion_graph.runtime.compare import load_model

EXAMPLES = Path(__file__).parents[2] / "examples"
PAIR = {"anchor": str(EXAMPLES / "anchor.png"), "target": str(EXAMPLES / "target.png")}
REGIONS = str(EXAMPLES / "regions.json")


def call(server: Any, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """The results of calls, one after the other, on one connection."""

    async def run() -> list[Any]:
        async with Client(server) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(run())


def tools_of(server: Any) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async with Client(server) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return asyncio.run(run())


@pytest.fixture(scope="module")
def server() -> Any:
    return build_server(load_model())


def error_of(result: Any) -> str:
    assert result.is_error
    (part,) = result.content
    assert "\n" not in part.text
    return part.text


def test_a_process_that_speaks_nothing_but_the_protocol_compares_two_pictures() -> None:
    command = StdioServerParameters(command=sys.executable, args=["-m", "distortion_graph", "mcp"])
    wrong = {**PAIR, "anchor": str(EXAMPLES / "nowhere.png")}
    failed, result = call(
        command,
        ("compare_images", wrong),
        ("compare_images", {**PAIR, "regions": REGIONS, "detail": "full"}),
    )
    assert "nowhere.png: no such file" in error_of(failed)
    graph = compare(PAIR["anchor"], PAIR["target"], regions=REGIONS)
    told = result.structured_content
    assert [region["id"] for region in told["regions"]] == [r.id for r in graph.regions]
    for said, region in zip(told["regions"], graph.regions, strict=True):
        for side in ("anchor", "target"):
            node = region.node(side)
            assert said[side]["distortion"] == node.distortion.label
            assert said[side]["score"] == node.score
        assert (said["comparison"], said["margin"]) == (
            region.comparison.label,
            region.comparison.margin,
        )
        assert said["evidence"]["psnr_db"] == region.evidence.psnr_db
    native = json.loads(graph.to_json())
    for region in native["regions"]:
        region["anchor"]["mask"] = region["target"]["mask"] = None
    assert told["graph"] == native
    words, picture = result.content
    assert json.loads(words.text) == told
    data = np.frombuffer(base64.b64decode(picture.data), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    rgb = [load_picture(path).rgb for path in PAIR.values()]
    assert np.array_equal(pixels, fitted(overlay(graph, *rgb)))


def test_what_is_returned_is_what_the_schema_promises(server: Any) -> None:
    tools = tools_of(server)
    assert set(tools) == {"compare_images", "describe_vocabulary"}
    for tool in tools.values():
        hints = tool.annotations
        assert hints.read_only_hint and hints.idempotent_hint and not hints.open_world_hint
        assert tool.description
    compared, described = call(
        server,
        ("compare_images", {**PAIR, "regions": "grid:2x2", "show_overlay": False}),
        ("describe_vocabulary", {}),
    )
    for name, result in (("compare_images", compared), ("describe_vocabulary", described)):
        Draft202012Validator(tools[name].output_schema).validate(result.structured_content)
    assert len(compared.content) == 1 and compared.structured_content["graph"] is None
    assert described.structured_content["distortions"]["blur"]
    assert described.structured_content["comparisons"]["significantly_worse"] == 0.3


def test_pictures_come_as_data_urls_too(server: Any) -> None:
    urls = {
        side: "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()
        for side, path in PAIR.items()
    }
    files, data = call(
        server,
        ("compare_images", {**PAIR, "regions": "whole"}),
        ("compare_images", {**urls, "regions": "whole"}),
    )
    assert files.structured_content == data.structured_content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"anchor": "https://example.org/a.png"}, "is a URL, expected a path on this machine"),
        ({"anchor": "data:image/png,abc"}, "is no data URL, expected data:image/…;base64,…"),
        ({"anchor": "data:image/png;base64,%%%"}, "anchor: the data URL is not in base 64"),
        ({"anchor": "data:image/png;base64,aGFsbG8="}, "anchor"),
        ({"regions": "grid:0x0"}, "grid"),
        ({"regions": "labels.json"}, "labels.json"),
    ],
)
def test_a_mistake_is_one_line_and_the_server_goes_on(
    server: Any, change: dict[str, str], said: str
) -> None:
    failed, well = call(
        server,
        ("compare_images", {**PAIR, **change}),
        ("compare_images", {**PAIR, "regions": "whole", "show_overlay": False}),
    )
    assert said in error_of(failed)
    assert not well.is_error


def test_files_outside_of_the_roots_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    for name, path in PAIR.items():
        (inside / f"{name}.png").write_bytes(Path(path).read_bytes())
    (inside / "link.png").symlink_to(PAIR["anchor"])
    limited = build_server(load_model(), [inside])
    own = {side: str(inside / f"{side}.png") for side in PAIR}
    calls = [
        own,
        {**own, "anchor": PAIR["anchor"]},
        {**own, "anchor": str(inside / "link.png")},
        {**own, "anchor": str(inside / ".." / ".." / Path(PAIR["anchor"]).relative_to("/"))},
        {**own, "regions": REGIONS},
    ]
    more = {"regions": "whole", "show_overlay": False}
    well, *refused = call(limited, *(("compare_images", {**more, **asked}) for asked in calls))
    assert not well.is_error
    for result in (refused[0], refused[1], refused[3]):
        assert "lies outside of what this server may read" in error_of(result)
    assert refused[2].is_error


def test_a_root_that_is_no_folder_is_refused() -> None:
    with pytest.raises(DistortionGraphError, match="no such folder, expected one for --root"):
        build_server(load_model(), [Path("nowhere")])


def test_overlays_are_no_larger_than_is_of_use() -> None:
    large = np.zeros((1000, 4000, 3), np.uint8)
    assert fitted(large).shape == (392, OVERLAY_SIDE_PX, 3)
    small = np.zeros((10, 20, 3), np.uint8)
    assert fitted(small) is small
