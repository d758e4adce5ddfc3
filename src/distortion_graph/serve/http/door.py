"""The door of the application: who comes in, how much at once, how fast, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from distortion_graph.serve.http.headers import NOTHING, SECURE
from distortion_graph.serve.http.problems import Problem, is_defect
from distortion_graph.serve.http.service import Service

JOBS = "/v1/jobs"
MULTIPART = "multipart/form-data"
WORKING = ("/v1/compare", "/v1/rank", JOBS)
"""Paths that workers are needed for where something is posted to them."""

_LINGER_S = 5.0
"""How long the rest of a request is read that is answered before it was whole."""
_SENT_S = 60.0
"""How long a client may take nothing of its answer."""
_NOTHING_SENT = 499


class Door:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self._service, scope, receive, send)
        metrics = self._service.metrics
        metrics.under_way += 1
        try:
            await self._let_in(visit)
        except Exception as error:
            if is_defect(error) and not visit.stalled:
                self._service.on_defect(error)
        finally:
            metrics.under_way -= 1
            visit.count()

    async def _let_in(self, visit: _Visit) -> None:
        problem = self._refusal(visit)
        if problem is not None:
            self._service.metrics.problems.labels(problem.kind).inc()
            await problem.response()(visit.scope, visit.receive, visit.send)
            return
        await self._app(visit.scope, visit.receive, visit.send)

    def _refusal(self, visit: _Visit) -> Problem | None:
        service, headers, path = self._service, visit.headers, visit.scope["path"]
        limits = service.settings.limits
        refused = service.settings.rules.refusal(path, headers)
        if refused is not None:
            more = {"WWW-Authenticate": "Bearer"} if refused.kind == "token" else None
            return Problem(refused.kind, refused.line, more)
        if service.metrics.under_way > limits.requests:
            return Problem(
                "busy",
                f"{limits.requests} requests are under way, expected at most that many; ask again",
                {"Retry-After": "1"},
            )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > visit.most_bytes:
            return _too_large(visit.most_bytes, f"{int(length)} bytes")
        if visit.scope["method"] == "POST" and path in WORKING:
            kind = headers.get("content-type", "")
            if not kind.lower().startswith(MULTIPART):
                shown = repr(kind[:80]) if kind else "of no kind"
                return Problem("form", f"the body is {shown}, expected {MULTIPART}")
            if path != JOBS or service.stopping:
                return service.refusal()
            try:
                service.jobs.check_room()
            except Problem as problem:
                return problem
        return None


class _Visit:
    """One request: what is read of it and what it is answered."""

    def __init__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        self._service, self.scope = service, scope
        self._receive, self._send = receive, send
        self.headers: Mapping[str, str] = Headers(scope=scope)
        limits = service.settings.limits
        of_job = scope["path"] == JOBS
        self.most_bytes = limits.bytes_per_job if of_job else limits.bytes_per_request
        self._begun = time.monotonic()
        # A job's files take as much longer as they may be larger.
        share = max(1.0, self.most_bytes / limits.bytes_per_request)
        self._until = self._begun + limits.upload_seconds * share
        self._read = 0
        self._whole = False
        self.status = _NOTHING_SENT
        self.stalled = False

    async def receive(self) -> Message:
        """The next part of the request; raises Problem where it is too large or too slow."""
        if self._whole:
            return await self._receive()
        left = self._until - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except TimeoutError:
            self._whole = True
            raise Problem(
                "slow",
                f"{self._read} bytes came in {self._service.settings.limits.upload_seconds:g} s, "
                "and not all of the request; expected it faster",
                {"Connection": "close"},
            ) from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._read > self.most_bytes:
                raise _too_large(self.most_bytes, f"more than {self.most_bytes} bytes")
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer, with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in (*SECURE, ("Content-Security-Policy", NOTHING)):
                headers.setdefault(name, value)
            await self._rest()
        try:
            await asyncio.wait_for(self._send(message), _SENT_S)
        except TimeoutError:
            self.stalled = True
            raise

    async def _rest(self) -> None:
        """Read what is still to come of the request, a while, and let it go.

        Otherwise the connection breaks before its sender reads the answer.
        """
        if self._whole or self.headers.get("expect", "").lower() == "100-continue":
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while not self._whole:
                    message = await self._receive()
                    self._whole = not message.get("more_body", False)

    def count(self) -> None:
        """Count the request, and log it."""
        metrics, seconds = self._service.metrics, time.monotonic() - self._begun
        route = self.scope.get("route")
        path = getattr(route, "path", "none")
        method = self.scope["method"]
        metrics.requests.labels(path, method, str(self.status)).inc()
        metrics.seconds.labels(path).observe(seconds)
        metrics.received.inc(self._read)
        self._service.log(
            f"{method} {path} {self.status} {1000 * seconds:.0f} ms, {self._read} bytes"
        )


def _too_large(most: int, found: str) -> Problem:
    return Problem(
        "bytes", f"the request has {found}, expected at most {most}", {"Connection": "close"}
    )
