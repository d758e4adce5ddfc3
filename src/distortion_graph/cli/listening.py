"""Where servers listen, and who may ask there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from distortion_graph.base.errors import DistortionGraphError

if TYPE_CHECKING:
    from distortion_graph.serve.access import Rules


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


def http_rules(
    option: str,
    host: str,
    tokens: Path | None,
    *,
    open_to_all: bool = False,
    otherwise: str = "",
    free: frozenset[str] = frozenset(),
) -> Rules:
    """Who may ask a server at a host; `free` are paths that need no token.

    `otherwise` is what a refusal says that may be given in place of tokens.

    Raises DistortionGraphError for a host that others reach and that nothing protects, AccessError
    for a file that has no tokens.
    """
    from distortion_graph.serve.access import LOOPBACK, Rules, Tokens

    if tokens is not None and open_to_all:
        raise DistortionGraphError("--tokens and --open exclude each other; choose one")
    own = host in LOOPBACK
    if not own and tokens is None and not open_to_all:
        raise DistortionGraphError(
            f"{option} {host}: others than this machine reach it, expected --tokens FILE too"
            + otherwise
        )
    known = None if tokens is None else Tokens(tokens)
    return Rules(hosts=LOOPBACK if own else None, tokens=known, free=free)
