"""Readers of what language models and clients send, of models and videos, checked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_base import expect, kept_file, written

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY

# ---- language models ---------------------------------------------------------------------------

_IDS = (0, 1, 2, 7)


def read_reply(data: bytes, folder: Path) -> None:
    """Every way in which a reply is read; none of them may refuse."""
    from distortion_graph.mllm.ask.answers import parse_answer
    from distortion_graph.mllm.ask.assessment import parse_assessment
    from distortion_graph.mllm.ask.whole import parse_whole

    text = data.decode("utf-8", "replace")
    answer = parse_answer(text, _IDS, DEFAULT_VOCABULARY)
    expect(
        set(answer.regions) <= set(_IDS) and not set(answer.regions) & set(answer.unusable), "ids"
    )
    for said in answer.regions.values():
        for node in (said.anchor, said.target):
            expect(node.distortion in DEFAULT_VOCABULARY.distortions, "label")
            expect(node.score is None or 0 <= node.score <= 1, "score")
    assessment = parse_assessment(text, _IDS)
    expect(all(i in _IDS for s in assessment.sentences for i in s.regions), "regions")
    parse_whole(text, DEFAULT_VOCABULARY)


def read_completion(data: bytes, folder: Path) -> None:
    """The HTTP body that an endpoint answers with."""
    import httpx2 as httpx
    import openai

    from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
    from distortion_graph.mllm.client.messages import Request, Text

    endpoint = OpenAIEndpoint("m", base_url="http://127.0.0.1:1/v1")
    kind = {"content-type": "application/json"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=data, headers=kind)

    endpoint._client = openai.OpenAI(
        api_key="none",
        base_url=endpoint.base_url,
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )
    reply = endpoint.send(Request("", (Text("a"),)))
    expect(isinstance(reply.text, str) and reply.usage.output_tokens >= 0, "reply")


def read_kept_reply(data: bytes, folder: Path) -> None:
    """What is not as it was written counts as not there; nothing is refused."""
    from distortion_graph.mllm.client.cache import ReplyCache

    digest = "ab" * 32
    place = folder / digest[:2]
    place.mkdir(exist_ok=True)
    written(place / f"{digest}.json", data)
    ReplyCache(folder).get(digest)


# ---- models ------------------------------------------------------------------------------------

_WEIGHTS = Path(__file__).parents[2] / "src/distortion_graph/weights"


def read_model_manifest(data: bytes, folder: Path) -> None:
    from distortion_graph.predict.session import load_model

    written(folder / "model.json", data)
    model = load_model(folder)
    model.identity.info.model_dump_json()


@cache
def pooling() -> list[bytes]:
    return [(_WEIGHTS / "pooling.onnx").read_bytes()]


def read_onnx(data: bytes, folder: Path) -> None:
    """A network that was made to do harm: the manifest has its right sum."""
    from distortion_graph.predict.loading import Networks, read_manifest
    from distortion_graph.predict.names import MODEL_FILES, POOLING_FILE

    for name in MODEL_FILES:
        written(folder / name, data if name == POOLING_FILE else b"")
    value = json.loads((_WEIGHTS / "model.json").read_text("utf-8"))
    value["sha256"] = hashlib.sha256(data).hexdigest()
    written(folder / "model.json", json.dumps(value).encode())
    Networks(folder, read_manifest(folder), None).session(POOLING_FILE, 1)


def read_safetensors(data: bytes, folder: Path) -> None:
    from distortion_graph.training.checkpoint import read_weights

    written(folder / "network.safetensors", data)
    read_weights(folder)


def read_network_config(data: bytes, folder: Path) -> None:
    from distortion_graph.training.checkpoint import load_network

    written(folder / "network.json", data)
    written(folder / "network.safetensors", kept_file("safetensors", "two.safetensors"))
    load_network(folder)


def read_checkpoint_config(data: bytes, folder: Path) -> None:
    from distortion_graph.segment.checkpoint import read_config

    for name in ("preprocessor_config.json", "model.safetensors"):
        written(folder / name, b"{}")
    written(folder / "config.json", data)
    read_config(folder)


# ---- videos, service ---------------------------------------------------------------------------


def read_video(data: bytes, folder: Path) -> None:
    from distortion_graph.video.colours import conversion, settle
    from distortion_graph.video.reading import Reader as Frames
    from distortion_graph.video.reading import open_video

    video = open_video(written(folder / "v.mp4", data))
    expect(all(line.isprintable() for line in video.notes), "notes")
    (tags,), _ = settle([video.tags], video.size, [video.name])
    converted = conversion(tags, video.orientation)
    frames = Frames(video)
    for number, frame in enumerate(frames):
        rgb, _ = converted.rgb(frame.image)
        expect(rgb.dtype == np.uint8 and rgb.shape[2] == 3 and frame.lasts_s >= 0, "frame")
        if number == 3:
            break
    expect(all(line.isprintable() for line in frames.notes(complete=False)), "notes")


class _NoWork:
    """A service's pool that reads what was sent and works on nothing."""

    ready, full = True, False

    async def call(self, work: Any, task: Any, *, patient: bool = False) -> Any:
        from distortion_graph.serve.http.work import Answer

        await task()
        forms = {form: b"{}" for form in ("application/json", "text/html", "image/png")}
        return Answer(forms, (), 0, 0)

    def busy(self) -> None:
        return None


@cache
def _application() -> tuple[Any, Any, list[BaseException]]:
    from distortion_graph.serve.http.app import Application
    from distortion_graph.serve.http.settings import Limits, Settings

    # Of a malformed form the framework leaves files open, until nobody knows of them any more.
    warnings.simplefilter("ignore", ResourceWarning)
    defects: list[BaseException] = []
    limits = Limits(bytes_per_request=1 << 20, bytes_per_job=1 << 20, upload_seconds=60)
    application = Application(Settings(limits=limits), on_defect=defects.append)
    application.service.pool = _NoWork()  # type: ignore[assignment]
    return application, asyncio.new_event_loop(), defects


def read_body(path: str, data: bytes, folder: Path) -> None:
    """A request whose body is anything, as far as the workers."""
    application, loop, defects = _application()
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"multipart/form-data; boundary=b"),
        (b"content-length", str(len(data)).encode()),
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip
    sent: list[Mapping[str, Any]] = []
    messages = [{"type": "http.request", "body": data, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    loop.run_until_complete(application(scope, receive, send))
    if defects:
        raise defects.pop()
    status, body = sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])
    if status == 202:  # a job that was taken
        jobs = application.service.jobs
        loop.run_until_complete(jobs.delete(jobs.get(json.loads(body)["id"], None)))
    if status >= 400:
        problem = json.loads(body)
        expect(status < 500, f"status {status}")
        expect(problem["detail"].isprintable(), f"detail {problem['detail']!r}")
