"""An OpenAI-compatible endpoint on this machine for tests: it can do all that real ones do wrong.

    with LoopbackServer(answer=lambda body: "…", faults=[Fault("status", 429)]) as server:
        OpenAIEndpoint("tiny", base_url=server.url)

As a process, `python loopback_server.py LOG PAUSE_S`, it writes the SHA-256 of every request that
it receives into a file, and prints its URL.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Body = dict[str, Any]


@dataclass
class Fault:
    """What one request meets instead of an answer; `matches` chooses the requests.

    Kinds: status (an error with `status`, `error` and `headers`), cut (the connection ends within
    the body), malformed (a body that is not what was promised), slow (the answer comes after
    `seconds`), refusal (the model declines), filter (finish_reason content_filter).
    """

    kind: str
    status: int = 500
    error: dict[str, Any] = field(default_factory=lambda: {"message": "a fault"})
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    text: str = "{}"
    matches: Callable[[Body], bool] = lambda body: True
    times: int = 1


@dataclass
class Capacity:
    """What the endpoint takes. Lengths of text in characters, of pictures in bytes of PNG."""

    models: tuple[str, ...] = ("tiny", "tiny-vision", "large")
    key: str | None = None
    parameters_refused: tuple[str, ...] = ()
    json_schema: bool = True
    json_object: bool = True
    most_text: int | None = None
    most_image_bytes: int | None = None
    usage: bool = True


def text_of(body: Body) -> str:
    """All words of a request."""
    return "\n".join(
        part["text"]
        for message in body["messages"]
        for part in _content(message)
        if part["type"] == "text"
    )


def images_of(body: Body) -> list[str]:
    """The data URLs of a request."""
    return [
        part["image_url"]["url"]
        for message in body["messages"]
        for part in _content(message)
        if part["type"] == "image_url"
    ]


def _content(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def digest_of(body: Body) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class LoopbackServer:
    """The endpoint; `requests` are the bodies received, in order."""

    def __init__(
        self,
        answer: Callable[[Body], str] = lambda body: "{}",
        faults: Iterable[Fault] = (),
        capacity: Capacity | None = None,
        pause_s: float = 0.0,
        log: Path | None = None,
    ) -> None:
        self.answer, self.capacity = answer, capacity or Capacity()
        self.faults, self.pause_s = list(faults), pause_s
        self.requests: list[Body] = []
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self._log = log.open("a") if log else None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def counts(self) -> Counter[str]:
        """How often each request was received."""
        return Counter(digest_of(body) for body in self.requests)

    def received(self, body: Body, headers: dict[str, str]) -> Fault | None:
        """Note a request; the fault it is to meet."""
        with self._lock:
            self.requests.append(body)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            if self._log:
                self._log.write(digest_of(body) + "\n")
                self._log.flush()
            for fault in self.faults:
                if fault.times > 0 and fault.matches(body):
                    fault.times -= 1
                    return fault
        return None

    def refusal(self, body: Body, key: str) -> tuple[int, dict[str, Any]] | None:
        """Status and error of a request that the endpoint does not take."""
        takes = self.capacity
        if takes.key is not None and key != f"Bearer {takes.key}":
            shown = key.removeprefix("Bearer ")
            return 401, {"message": f"Incorrect API key provided: {shown}.", "code": "invalid_key"}
        if body["model"] not in takes.models:
            text = f"The model `{body['model']}` does not exist."
            return 404, {"message": text, "code": "model_not_found"}
        for name in takes.parameters_refused:
            if name in body:
                return 400, {"message": f"Unsupported parameter: '{name}'.", "param": name}
        form = body.get("response_format", {}).get("type")
        if (form == "json_schema" and not takes.json_schema) or (
            form == "json_object" and not takes.json_object
        ):
            return 400, {"message": f"response_format.type {form} is not supported"}
        if takes.most_text is not None and len(text_of(body)) > takes.most_text:
            return 400, {
                "message": f"This model's maximum context length is {takes.most_text} tokens.",
                "code": "context_length_exceeded",
            }
        if takes.most_image_bytes is not None:
            largest = max((len(url) * 3 // 4 for url in images_of(body)), default=0)
            if largest > takes.most_image_bytes:
                return 413, {"message": "Request entity too large: an image is too large."}
        return None


def _handler(server: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            models = [{"id": name, "object": "model"} for name in server.capacity.models]
            self._json(200, {"object": "list", "data": models})

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(size))
            fault = server.received(body, dict(self.headers))
            refusal = server.refusal(body, self.headers.get("Authorization", ""))
            if refusal:
                self._json(refusal[0], {"error": refusal[1]})
                return
            if server.pause_s:
                time.sleep(server.pause_s)
            if fault is None:
                self._answer(body, server.answer(body))
            else:
                self._meet(fault, body)

        def _meet(self, fault: Fault, body: Body) -> None:
            if fault.kind == "status":
                self._json(fault.status, {"error": fault.error}, fault.headers)
            elif fault.kind == "slow":
                time.sleep(fault.seconds)
                self._answer(body, server.answer(body))
            elif fault.kind == "cut":
                self._answer(body, server.answer(body), cut=True)
            elif fault.kind == "malformed":
                self._send(200, fault.text.encode(), "application/json")
            elif fault.kind == "refusal":
                self._answer(body, "", refusal="I cannot help with that.")
            elif fault.kind == "filter":
                self._answer(body, "", finish="content_filter")
            elif fault.kind == "length":
                self._answer(body, fault.text, finish="length")
            else:
                raise ValueError(fault.kind)

        def _answer(
            self,
            body: Body,
            text: str,
            finish: str = "stop",
            refusal: str | None = None,
            cut: bool = False,
        ) -> None:
            usage = {
                "prompt_tokens": len(text_of(body)) // 4,
                "completion_tokens": len(text) // 4 + 1,
            }
            usage["total_tokens"] = sum(usage.values())
            base = {"id": "c", "created": 1, "model": f"{body['model']}-served"}
            told = usage if server.capacity.usage else None
            if body.get("stream"):
                pieces = [text[k : k + 7] for k in range(0, len(text), 7)] or [""]
                chunks = [
                    {"index": 0, "delta": {"content": piece, "refusal": refusal}}
                    for piece in pieces
                ]
                if cut:
                    chunks = chunks[: max(1, len(chunks) // 2)]
                else:
                    chunks.append({"index": 0, "delta": {}, "finish_reason": finish})
                events = [
                    {**base, "object": "chat.completion.chunk", "choices": [chunk]}
                    for chunk in chunks
                ]
                if told and not cut and body.get("stream_options", {}).get("include_usage"):
                    last = {**base, "object": "chat.completion.chunk", "choices": []}
                    events.append({**last, "usage": told})
                lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
                lines += "" if cut else "data: [DONE]\n\n"
                self._send(200, lines.encode(), "text/event-stream")
                return
            message = {"role": "assistant", "content": text, "refusal": refusal}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            value = {**base, "object": "chat.completion", "choices": [choice]}
            self._json(200, {**value, "usage": told}, cut=cut)

        def _json(
            self,
            status: int,
            value: Any,
            headers: dict[str, str] | None = None,
            cut: bool = False,
        ) -> None:
            data = json.dumps(value).encode()
            self._send(status, data, "application/json", headers, cut)

        def _send(
            self,
            status: int,
            data: bytes,
            kind: str,
            headers: dict[str, str] | None = None,
            cut: bool = False,
        ) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                for name, text in (headers or {}).items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if cut else data)
                self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            if cut:
                self.close_connection = True

    return Handler


if __name__ == "__main__":
    with LoopbackServer(pause_s=float(sys.argv[2]), log=Path(sys.argv[1])) as running:
        print(running.url, flush=True)
        threading.Event().wait()
