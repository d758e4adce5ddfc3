"""A backend that says what it is told to say, for tests of the client."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from distortion_graph.mllm.client.cache import ReplyCache
from distortion_graph.mllm.client.client import Client
from distortion_graph.mllm.client.messages import Reply, Request, Text, Usage


def question(number: int = 0, most: int = 50) -> Request:
    return Request("Be brief.", (Text(f"question {number}"),), max_output_tokens=most)


class Scripted:
    """Goes through its script, then says yes: exceptions are raised, functions called."""

    name, identity = "scripted", "scripted"

    def __init__(self, *script: object, usage: Usage | None = None) -> None:
        self.script, self.usage = list(script), usage or Usage(10, 5)
        self.times: list[float] = []
        self.lock = threading.Lock()

    @property
    def sent(self) -> int:
        return len(self.times)

    def send(self, request: Request) -> Reply:
        with self.lock:
            self.times.append(time.monotonic())
            step = self.script.pop(0) if self.script else "yes"
        if isinstance(step, BaseException):
            raise step
        if callable(step):
            step()
            step = "yes"
        return Reply(str(step), usage=self.usage)


def client(backend: Any, cache: Path | None = None, **more: Any) -> Client:
    kept = None if cache is None else ReplyCache(cache)
    return Client(backend, kept, **{"first_wait_s": 0.01, **more})
