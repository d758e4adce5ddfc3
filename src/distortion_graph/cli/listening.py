"""Sockets that servers listen on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from distortion_graph.base.errors import DistortionGraphError


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that takes connections; raises one line where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DistortionGraphError(
            f"{host}:{port} cannot be used ({reason}); choose another port"
        ) from error
    with listener:
        yield listener
