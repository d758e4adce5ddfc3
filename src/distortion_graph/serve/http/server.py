"""Serving an application: uvicorn, with connections that are watched and a stop that waits."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.settings import Limits

_KEEP_ALIVE_S = 5
_ANSWERED_S = 10
"""How long answers that are ready may take to be sent when everything else is done."""
_LARGEST_HEAD = 16 * 1024
_CONNECTIONS_PER_REQUEST = 2
"""Connections for each request that may be under way: those between two requests count as well."""
_QUIET = ("python_multipart", "uvicorn.error", "asyncio")


def serve(
    application: Application,
    listener: socket.socket,
    *,
    grace_s: float,
    say: Callable[[str], object],
) -> int | None:
    """Serve on a listening socket until a signal comes; gives the signal that ended it.

    After SIGTERM or SIGINT nothing new is taken, and what was taken is finished, for at most
    `grace_s`. A second signal ends all of it at once. `say` is told of both.
    """
    server = make_server(application, grace_s=grace_s, say=say)
    server.run(sockets=[listener])
    return server.ended_by


def make_server(
    application: Application, *, grace_s: float, say: Callable[[str], object]
) -> GracefulServer:
    """The server that `serve` runs."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        application,
        http=WatchedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ANSWERED_S,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
    )
    return GracefulServer(config, application, grace_s, say)


class GracefulServer(uvicorn.Server):
    """A server that, told to stop, goes on answering until it holds nothing any more."""

    def __init__(
        self,
        config: uvicorn.Config,
        application: Application,
        grace_s: float,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(config)
        self.ended_by: int | None = None
        self._service, self._grace_s, self._say = application.service, grace_s, say
        self._until = 0.0
        self._has_said = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; at the second signal, stop."""
        if self.ended_by is not None:
            self.should_exit = self.force_exit = True
            return
        self.ended_by = sig
        self._until = time.monotonic() + self._grace_s
        self._service.stop()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now; asked ten times per second."""
        if await super().on_tick(counter):
            return True
        if self.ended_by is None:
            return False
        if not self._has_said:
            self._has_said = True
            self._say(
                f"stopping ({signal.Signals(self.ended_by).name}), what was taken is finished"
            )
        return self._service.holds_nothing or time.monotonic() > self._until


class WatchedProtocol(H11Protocol):
    """A connection that is ended where its client lets it wait.

    It is looked at twice in the time that a request may take to come: two looks without a request
    under way, or with an answer of which nothing was taken in between, end it.
    """

    _seen: tuple[object, int] | None = None
    _next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch; what is too many is ended at once."""
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS_PER_REQUEST * self._limits.requests:
            transport.abort()
        else:
            self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no longer."""
        if self._next is not None:
            self._next.cancel()
        super().connection_lost(exc)

    @property
    def _limits(self) -> Limits:
        # What `make_server` was given; uvicorn takes any application.
        return cast(Application, self.config.app).service.settings.limits

    def _look_later(self) -> None:
        self._next = self.loop.call_later(self._limits.upload_seconds / 2, self._look)

    def _look(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        idle = self.cycle is None or self.cycle.response_complete
        before, self._seen = self._seen, (self.cycle, unsent)
        same = before is not None and before[0] is self.cycle and unsent >= before[1]
        if same and (idle or unsent):
            self.transport.abort()
        else:
            self._look_later()
