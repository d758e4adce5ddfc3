"""The protocol's own client compares pictures through the server, in memory and as a process."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from httpx2 import AsyncClient
from jsonschema import Draft202012Validator
from mcp import Client, MCPError, StdioServerParameters
from optional import present
from PIL import Image

from distortion_graph import compare
from distortion_graph.cli.main import run
from distortion_graph.graph import DistortionGraph, json_schema, load_graph
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.session import load_model
from distortion_graph.report.overlay import overlay
from distortion_graph.report.wording import summary
from distortion_graph.serve import mcp_server
from distortion_graph.serve.access import AccessError, Rules, Tokens, add_token
from distortion_graph.serve.mcp_answers import OVERLAY_PX, SCHEMA_URI, fitted, paragraph
from distortion_graph.serve.mcp_files import Access
from distortion_graph.serve.mcp_server import HTTP_PATH, build_server, serve_http

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAIR = {side: str(EXAMPLES / f"{side}.png") for side in ("anchor", "target")}
REGIONS = str(EXAMPLES / "regions.json")
QUICK = {**PAIR, "regions": "whole", "overlay": False}


def talk(
    server: Any, conversation: Callable[[Client], Coroutine[Any, Any, Any]], **how: Any
) -> Any:
    """What comes of a conversation on one connection."""

    async def connected() -> Any:
        async with Client(server, **how) as client:
            return await conversation(client)

    return asyncio.run(connected())


def compared(server: Any, *questions: dict[str, Any], **how: Any) -> list[Any]:
    """The results of `compare_images`, one after the other."""

    async def ask(client: Client) -> list[Any]:
        return [await client.call_tool("compare_images", question) for question in questions]

    return talk(server, ask, **how)  # type: ignore[no-any-return]


def refusal(result: Any) -> str:
    """The one line of a tool's error."""
    assert result.is_error and result.structured_content is None
    (part,) = result.content
    assert part.text.isprintable() and len(part.text) <= 1000
    return part.text  # type: ignore[no-any-return]


def pixels(part: Any) -> np.ndarray:
    assert (part.type, part.mime_type) == ("image", "image/png")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(part.data))))


def short(value: Any) -> Any:
    """Numbers of four places, all through."""
    if isinstance(value, dict):
        return {key: short(entry) for key, entry in value.items()}
    return round(value, 4) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def graph() -> DistortionGraph:
    return compare(*PAIR.values(), regions=REGIONS)


@pytest.fixture(scope="module")
def server() -> Any:
    return build_server(load_model())


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder with the example pair."""
    folder = tmp_path / "inside"
    folder.mkdir()
    for side, path in PAIR.items():
        (folder / f"{side}.png").write_bytes(Path(path).read_bytes())
    return folder


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[Any], str, str]:
    """Tools and results of `distortion-graph mcp`, and all it wrote to stdout and stderr."""
    folder = tmp_path_factory.mktemp("process")
    program = shlex.join([sys.executable, "-m", "distortion_graph", "mcp"])
    line = f"{program} 2>err | tee out"
    questions = (
        {**PAIR, "anchor": str(EXAMPLES / "nowhere.png")},
        {**PAIR, "regions": REGIONS, "detail": "full"},
    )

    async def conversation(client: Client) -> Any:
        tools = (await client.list_tools()).tools
        return tools, [await client.call_tool("compare_images", q) for q in questions]

    parameters = StdioServerParameters(
        command="sh", args=["-c", line], cwd=folder, env=dict(os.environ)
    )
    tools, results = talk(parameters, conversation)
    return tools, results, *((folder / name).read_text("utf-8") for name in ("out", "err"))


def test_a_process_writes_nothing_but_the_protocol(process: Any) -> None:
    tools, results, out, err = process
    assert len(out.splitlines()) >= 1 + len(results)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    assert err == ""
    assert [tool.name for tool in tools] == [
        "compare_images",
        "rank_images",
        "describe_vocabulary",
    ]


def test_a_process_gives_the_numbers_of_compare(process: Any, graph: DistortionGraph) -> None:
    (tool, *_), (failed, result), *_ = process
    assert refusal(failed) == (
        f"{EXAMPLES / 'nowhere.png'}: no such file, expected a picture; check the path"
    )
    told = result.structured_content
    Draft202012Validator(tool.output_schema).validate(told)
    assert [region["id"] for region in told["regions"]] == [r.id for r in graph.regions]
    for said, region in zip(told["regions"], graph.regions, strict=True):
        assert (said["name"], said["comparison"]) == (region.name, region.comparison.label)
        assert said["margin"] == round(present(region.comparison.margin), 4)
        assert said["bbox_xywh_px"] == list(present(region.bbox_of("anchor")))
        assert said["evidence"] == short(present(region.evidence).model_dump())
        for side in ("anchor", "target"):
            node = region.node(side)
            threshold = present(present(graph.model).known_threshold)
            assert said[side] == {
                "distortion": node.distortion.label,
                "severity": node.severity.label,
                "words": graph.text_of(node),
                "score": round(present(node.score), 4),
                "opinion": node.opinion and round(node.opinion, 4),
                "known": round(present(node.known), 4),
                "uncertain": present(node.known) < threshold,
                "also": [found.model_dump() for found in node.also],
            }
    scene = told["scene"]
    assert scene["anchor"]["score"] == round(present(present(graph.scene).anchor.score), 4)
    assert scene["comparison"] == present(present(graph.scene).comparison).label
    assert (scene["target"]["width_px"], scene["target"]["height_px"]) == (480, 320)


def test_the_whole_graph_is_that_of_compare_without_masks(
    process: Any, graph: DistortionGraph
) -> None:
    told = process[1][1].structured_content["graph"]
    native = json.loads(graph.to_json())
    for region in native["regions"]:
        assert region["anchor"]["mask"]
        region["anchor"]["mask"] = None
    assert told == native
    assert load_graph(json.dumps(told)).regions[3].bbox_of("target")


def test_text_and_overlay_come_beside_the_facts(process: Any, graph: DistortionGraph) -> None:
    result = process[1][1]
    words, facts, picture = result.content
    assert words.text == paragraph(graph, ())
    assert words.text.startswith(summary(graph))
    native = json.loads(graph.to_json())
    node = next(region for region in native["regions"] if region["id"] == 0)["target"]
    node["known"] = 0.01
    unsure = paragraph(load_graph(json.dumps(native)), ())
    assert "not sure about region 0 of the target." in unsure
    assert json.loads(facts.text) == result.structured_content
    rgb = [load_picture(path).rgb for path in PAIR.values()]
    np.testing.assert_array_equal(pixels(picture), overlay(graph, *rgb))  # type: ignore[arg-type]


def test_the_page_shows_what_is_returned(process: Any) -> None:
    told = process[1][1].structured_content
    page = (ROOT / "docs" / "mcp.md").read_text("utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    (example,) = (value for value in shown if "summary" in value)
    assert [entry for entry in told["regions"] if entry["id"] == 5] == example["regions"]
    assert {**told, "graph": None, "regions": example["regions"]} == example


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_tools_are_described_and_only_look(server: Any, mode: str) -> None:
    async def ask(client: Client) -> Any:
        return (await client.list_tools()).tools, await client.call_tool("describe_vocabulary")

    tools, words = talk(server, ask, mode=mode)
    for tool in tools:
        hints = tool.annotations
        assert hints.read_only_hint and hints.idempotent_hint
        assert not hints.destructive_hint and not hints.open_world_hint
        assert tool.title and tool.description
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
    assert list(tools[0].input_schema["required"]) == ["anchor", "target"]
    Draft202012Validator(tools[2].output_schema).validate(words.structured_content)
    told = words.structured_content
    clean = {"label": "clean", "words": "clean", "meaning": "nothing is wrong"}
    assert clean in told["distortions"]
    assert {w["label"]: w["words"] for w in told["distortions"]}["darken"] == "too dark"
    assert told["severities"] == ["clean", "minor", "moderate", "severe"]
    first = {"label": "significantly_worse", "rank": -2, "min_abs_d": 0.3}
    assert told["comparisons"][0] == first
    assert told["known_threshold"] == load_model().identity.known_threshold
    assert '- "blur": out of focus' in words.content[0].text


def test_the_schema_of_graphs_is_a_resource(server: Any) -> None:
    async def ask(client: Client) -> Any:
        (entry,) = (await client.list_resources()).resources
        read = await client.read_resource(entry.uri)
        with pytest.raises(MCPError, match=f"no resource 'file:///x', expected {SCHEMA_URI}"):
            await client.read_resource("file:///x")
        return read

    (content,) = talk(server, ask).contents
    assert json.loads(content.text) == json_schema()


def test_masks_come_on_request(server: Any, graph: DistortionGraph) -> None:
    question = {**QUICK, "regions": REGIONS, "detail": "full", "masks": True}
    (result,) = compared(server, question)
    assert load_graph(json.dumps(result.structured_content["graph"])) == graph
    assert [part.type for part in result.content] == ["text", "text"]


def test_pictures_may_be_data_urls(server: Any) -> None:
    urls = {
        side: "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()
        for side, path in PAIR.items()
    }
    broken = urls["target"][:60] + "\n" + urls["target"][60:]
    first, second, third = compared(
        server, QUICK, {**QUICK, **urls}, {**QUICK, **urls, "target": broken}
    )
    assert first.structured_content == second.structured_content == third.structured_content


def test_large_data_urls_are_refused() -> None:
    limited = build_server(load_model(), Access(max_data_bytes=1000))
    url = "data:image/png;base64," + "A" * 2000
    (result,) = compared(limited, {**QUICK, "anchor": url})
    assert refusal(result) == (
        "anchor: the data URL holds about 1500 bytes, expected at most 1000; name a file"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"anchor": "https://a.org/a.png"}, "anchor: found 'https://a.org/a.png', expected a path"),
        ({"anchor": "file:///a.png"}, "expected a path on this machine or data:image/…;base64,…"),
        ({"target": "data:nonsense"}, "target: found 'data:nonsense', expected a path on"),
        ({"target": "data:image/png,abc"}, "target: the data URL begins 'data:image/png', expec"),
        ({"anchor": "data:;base64,%%%"}, "anchor: the data URL is damaged (Only base64 data is"),
        ({"anchor": "data:;base64,aGFsbG8="}, "anchor: not a picture of a known kind"),
        ({"anchor": "a\0b\n.png"}, r"'a\x00b\n.png': no name of a file ("),
        ({"anchor": "a\x1b[31m\nb.png"}, r"a\x1b[31m\nb.png': no such file"),
        ({"anchor": str(EXAMPLES)}, "examples: is a folder, expected a picture file"),
        ({"anchor": "~nobody-of-that-name/a.png"}, "no name of a file"),
        ({"regions": "grid:0x0"}, "grid"),
        ({"regions": "no-such.json"}, "regions 'no-such.json': no file '"),
        ({"regions": f"{PAIR['anchor']},no.json"}, "no.json', expected one of: auto (found in"),
        ({"regions": "panoptic:some/model"}, "regions 'panoptic:some/model': no file"),
        ({"regions": PAIR["anchor"]}, "anchor.png: found RGB"),
        ({"regions": str(EXAMPLES)}, "examples': unknown, expected one of: auto (found in the"),
        ({"regions": "x" * 5000}, "regions 'xxx"),
        ({"anchor": "x" * 5000}, "x: cannot be read (File name too long), expected a picture fil"),
        ({"masks": True}, "compare_images: masks are part of the whole graph, expected detail="),
        ({"detail": "ful"}, "compare_images: detail: expected 'summary' or 'full', found 'ful'"),
        ({"region": "auto"}, "compare_images: top level: unknown key 'region', expected only anc"),
        ({"anchor": 3}, "compare_images: anchor: "),
    ],
)
def test_a_mistake_is_one_line_and_the_server_goes_on(
    server: Any, change: dict[str, Any], said: str
) -> None:
    failed, well = compared(server, {**QUICK, **change}, QUICK)
    assert said in refusal(failed)
    assert not well.is_error


def test_another_size_is_laid_on_the_anchor_refused_or_scaled(server: Any, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Image.open(PAIR["target"]).resize((240, 160)).save(small)
    question = {**PAIR, "regions": "whole", "target": str(small)}
    laid, failed, scaled = compared(
        server, question, {**question, "align": "none"}, {**question, "fit": "resize"}
    )
    assert laid.structured_content["scene"]["comparison"] == "same"
    assert "is 240×160, expected 480×320" in refusal(failed)
    assert "(fit='resize')" in refusal(failed)
    assert " The target (240×160) was scaled to the anchor's size." in scaled.content[0].text
    (cut,) = compared(server, {**question, "fit": "crop"})
    left_out = "Left out of the anchor: 160 rows at the bottom and 240 columns on the right."
    assert left_out in cut.content[0].text
    told = scaled.structured_content["scene"]
    assert (told["anchor"]["width_px"], told["target"]["width_px"]) == (480, 240)
    assert scaled.content[2].type == "image"


def test_what_was_not_taken_as_it_is_is_said(server: Any, tmp_path: Path) -> None:
    faded = Image.open(PAIR["anchor"]).convert("RGBA")
    faded.putalpha(100)
    faded.save(tmp_path / "faded.png")
    (result,) = compared(server, {**QUICK, "anchor": str(tmp_path / "faded.png")})
    (note,) = result.structured_content["notes"]
    assert "transparen" in note
    assert result.content[0].text.endswith(f" Note: {note}.")


def test_an_unknown_tool_is_an_error_of_the_protocol(server: Any) -> None:
    async def ask(client: Client) -> None:
        with pytest.raises(MCPError, match="no tool 'compare', expected one of compare_images, r"):
            await client.call_tool("compare", {})

    talk(server, ask)


def test_a_defect_is_told_and_the_server_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[BaseException] = []
    server = build_server(load_model(), on_defect=told.append)
    errors = iter([KeyError("secret"), MemoryError()])

    def fail(*_: Any, **__: Any) -> None:
        raise next(errors)

    monkeypatch.setattr(mcp_server, "compare_pictures", fail)
    first, second = compared(server, QUICK, QUICK)
    assert refusal(first) == "defect of the program: KeyError; please report it"
    assert refusal(second) == "not enough memory for these pictures; use smaller ones"
    assert [type(error) for error in told] == [KeyError]


def test_one_comparison_runs_at_a_time_and_all_else_goes_on_meanwhile(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mcp_server.compare_pictures  # type: ignore[attr-defined]
    begun, go_on = threading.Event(), threading.Event()
    under_way: list[int] = [0]
    most: list[int] = []

    def slow(*arguments: Any, **options: Any) -> Any:
        under_way[0] += 1
        most.append(under_way[0])
        begun.set()
        assert go_on.wait(600)
        try:
            return real(*arguments, **options)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(mcp_server, "compare_pictures", slow)
    found: dict[str, Any] = {}

    async def ask(client: Client) -> None:
        async def one(regions: str) -> None:
            question = {**QUICK, "regions": regions}
            found[regions] = await client.call_tool("compare_images", question)

        async with anyio.create_task_group() as group:
            for regions in ("whole", "grid:1x2", "grid:2x2"):
                group.start_soon(one, regions)
            assert await anyio.to_thread.run_sync(begun.wait, 600)
            assert not (await client.call_tool("describe_vocabulary")).is_error
            assert found == {}
            go_on.set()

    talk(server, ask)
    assert most == [1, 1, 1]
    counts = {spec: len(r.structured_content["regions"]) for spec, r in found.items()}
    assert counts == {"whole": 1, "grid:1x2": 2, "grid:2x2": 4}


OUTSIDE = "lies outside of what this server may read, expected a file in "


def test_files_outside_of_the_roots_are_refused(inside: Path) -> None:
    (inside / "link.png").symlink_to(PAIR["anchor"])
    (inside / "linked").symlink_to(EXAMPLES)
    (inside / "regions.json").symlink_to(REGIONS)
    limited = build_server(load_model(), Access.below([inside]))
    own = {**QUICK, **{side: str(inside / f"{side}.png") for side in PAIR}}
    up = "/".join([".."] * len(inside.parts))
    outside = [
        {"anchor": PAIR["anchor"]},
        {"anchor": "/nowhere/at/all.png"},  # whether it exists is not told
        {"target": str(inside / "link.png")},
        {"target": str(inside / "linked" / "target.png")},
        {"target": f"{inside}/{up}{PAIR['target']}"},
        {"target": f"{up}{PAIR['target']}"},
        {"regions": REGIONS},
        {"regions": str(inside / "regions.json")},
        {"regions": f"{inside}/anchor.png,{REGIONS}"},
        {"regions": f"panoptic:{EXAMPLES}"},
        {"regions": "/nowhere/at/all.json"},
        {"regions": "/nowhere/at/all.svg"},
        {"regions": f"alpha:{PAIR['anchor']}"},
    ]
    well, *refused = compared(limited, own, *({**own, **change} for change in outside))
    assert not well.is_error
    for result in refused:
        assert refusal(result).endswith(OUTSIDE + str(inside.resolve()))


def test_a_panoptic_picture_beside_the_json_may_not_be_a_link_to_elsewhere(inside: Path) -> None:
    entry = {"file_name": "x.png", "segments_info": [{"id": 1, "category_id": 1}]}
    (inside / "p.json").write_text(json.dumps({"annotations": [entry]}))
    access = Access.below([inside])
    (inside / "names.json").write_text("[]")
    assert access.regions("panoptic:p.json").files == (inside.resolve() / "p.json",)
    (inside / "x.png").symlink_to(PAIR["anchor"])
    for spec in ("panoptic:p.json", "p.json", "panoptic:p.json,names.json", "names.json,p.json"):
        with pytest.raises(AccessError, match=OUTSIDE):
            access.regions(spec)


def test_drawings_and_cut_outs_below_the_roots_are_taken(inside: Path) -> None:
    names = 'xmlns="http://www.w3.org/2000/svg"'
    (inside / "a.svg").write_text(f'<svg {names}><rect id="cup" width="90" height="60"/></svg>')
    access = Access.below([inside])
    assert access.regions("a.svg").files == (inside.resolve() / "a.svg",)
    assert access.regions("alpha:anchor.png").files == (inside.resolve() / "anchor.png",)
    (result,) = compared(
        build_server(load_model(), access),
        {**QUICK, "anchor": "anchor.png", "target": "target.png", "regions": "a.svg"},
    )
    (region,) = result.structured_content["regions"]
    assert region["name"] == "cup"


def test_relative_names_start_in_the_roots(inside: Path, tmp_path: Path) -> None:
    other = tmp_path / "other, too"
    other.mkdir()
    (other / "a,b.json").write_text(Path(REGIONS).read_text())
    limited = build_server(load_model(), Access.below([inside, other]))
    own = {**QUICK, "anchor": "anchor.png", "target": "./target.png"}
    (result,) = compared(limited, {**own, "regions": "a,b.json"})
    assert len(result.structured_content["regions"]) == 7
    with pytest.raises(AccessError, match="nix: no such folder, expected one to read files from"):
        Access.below([tmp_path / "nix"])


def test_without_roots_links_keep_their_names(tmp_path: Path) -> None:
    link = tmp_path / "mine.png"
    link.symlink_to(PAIR["anchor"])
    picture = Access().picture(str(link), "anchor")
    assert picture.source == str(link)


def test_options_follow_the_folder_of_a_panoptic_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    spec = Access.below([tmp_path]).regions("panoptic:model,threshold=0.9")
    assert str(spec) == f"panoptic:{tmp_path.resolve() / 'model'},threshold=0.9"


def test_overlays_are_no_larger_than_is_of_use() -> None:
    large = np.zeros((1000, 4096, 3), np.uint8)
    assert fitted(large).shape == (500, OVERLAY_PX, 3)
    small = np.zeros((10, OVERLAY_PX, 3), np.uint8)
    assert fitted(small) is small


def test_it_speaks_http_on_this_machine_and_refuses_other_hosts(server: Any) -> None:
    async def serve_and_ask() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            async with anyio.create_task_group() as group:
                group.start_soon(serve_http, server, listener, Access())
                async with Client(f"http://127.0.0.1:{port}{HTTP_PATH}") as client:
                    result = await client.call_tool("compare_images", QUICK)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                head = {
                    "Host": "evil.example",
                    "Content-Type": "application/json",
                    "Content-Length": 2,
                    "Connection": "close",
                }
                lines = [f"POST {HTTP_PATH} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items())]
                writer.write("\r\n".join([*lines, "", "{}"]).encode())
                status = (await reader.readline()).decode()
                writer.close()
                group.cancel_scope.cancel()
        return result, status

    result, status = asyncio.run(serve_and_ask())
    assert not result.is_error
    assert status.split()[1] == "421"  # Misdirected Request


def test_over_http_only_tokens_are_let_in_where_there_are_some(server: Any, tmp_path: Path) -> None:
    token = add_token(tmp_path / "tokens", "me")
    rules = Rules(hosts=None, tokens=Tokens(tmp_path / "tokens"))

    async def serve_and_ask() -> list[int]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}{HTTP_PATH}"
            async with anyio.create_task_group() as group:
                group.start_soon(serve_http, server, listener, Access(), rules)
                async with AsyncClient() as client:
                    codes = []
                    for given in (None, "wrong", token):
                        headers = {} if given is None else {"Authorization": f"Bearer {given}"}
                        accept = {"Accept": "application/json, text/event-stream"}
                        ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
                        answer = await client.post(url, json=ping, headers=headers | accept)
                        codes.append(answer.status_code)
                group.cancel_scope.cancel()
        return codes

    refused, wrong, allowed = asyncio.run(serve_and_ask())
    assert (refused, wrong) == (401, 401) and allowed < 401


def refused_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["mcp", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err


def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert refused_run(capsys).endswith(
        "`distortion-graph mcp` needs mcp, not installed: pip install 'distortion-graph[mcp]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--root nowhere", "nowhere: no such folder, expected one to read files from"),
        ("--model nowhere", "nowhere: no model there"),
        ("--http 8000", "--http '8000': expected HOST:PORT, such as localhost:8765"),
        ("--http localhost:70000", "--http 'localhost:70000': expected HOST:PORT"),
        (
            "--http 0.0.0.0:8000",
            "--http 0.0.0.0: others than this machine reach it, expected",
        ),
    ],
)
def test_wrong_options_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    assert said in refused_run(capsys, *arguments.split())


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused_run(capsys, "--http", f"127.0.0.1:{port}")
    assert f"127.0.0.1:{port} cannot be used (Address already in use" in said


def test_ctrl_c_does_not_wait_for_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(anyio, "run", lambda *_: signal.raise_signal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    assert run(["mcp"]) == 130
    assert capsys.readouterr() == ("", "distortion-graph: interrupted\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_importing_the_rooms_modules_does_not_need_the_extra() -> None:
    names = ("mcp", "anyio", "uvicorn")
    for module in ("mcp_answers", "mcp_files", "mcp_offers", "mcp_rank", "mcp_server"):
        text = (ROOT / "src" / "distortion_graph" / "serve" / f"{module}.py").read_text("utf-8")
        early = [line for line in text.splitlines() if re.match(r"(import|from) ", line)]
        assert not any(line.split()[1].split(".")[0] in names for line in early)
