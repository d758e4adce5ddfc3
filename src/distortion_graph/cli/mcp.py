"""`distortion-graph mcp`: an assistant compares pictures itself."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.cli.console import INTERRUPTED, end, talk_of, write_error_line
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.listening import http_rules, listening
from distortion_graph.cli.options import DEFAULT_MAX_PIXELS, MaxPixels, Threads, Verbose


def mcp(
    context: typer.Context,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Read only files below this folder; may be repeated. By default all that you may "
            "read.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Use this model: a folder made by `export`, or hf://ORG/NAME. By default the one "
            "that comes with the program.",
        ),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve HTTP at http://HOST:PORT/mcp, not standard input; another host than this "
            "machine's own needs --tokens.",
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer only requests with a token of this file, over HTTP; `serve-token` adds "
            "one.",
        ),
    ] = None,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    threads: Threads = 0,
    verbose: Verbose = False,
) -> None:
    """Let an assistant compare pictures itself, over MCP.

    A server of the Model Context Protocol: the assistant starts this command and talks with it
    over standard input and output; nothing else is printed there. Its tools are compare_images,
    rank_images and describe_vocabulary. They only look: nothing is written, and nothing fetched.
    docs/mcp.md says how to add it to an assistant.

    \b
    Examples:
      distortion-graph mcp
      distortion-graph mcp --root ~/pictures --root /data/renders
      distortion-graph mcp --http localhost:8765

    Exit codes: 0 the assistant has ended it, 2 the input is at fault (one line says what), 1 a
    defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=False, verbose=verbose)
    need_extra("mcp", "mcp", "mcp")
    address = None if http is None else _address(http)
    if tokens is not None and address is None:
        raise DistortionGraphError("--tokens are for HTTP, expected --http HOST:PORT too")
    rules = None if address is None else http_rules("--http", address[0], tokens)
    import anyio

    from distortion_graph.predict.session import load_model
    from distortion_graph.serve.mcp_files import Access
    from distortion_graph.serve.mcp_server import HTTP_PATH, build_server, serve_http, serve_stdio

    access = Access.below(root or (), max_pixels=max_pixels)
    loaded = load_model(model, threads=threads)
    server = build_server(loaded, access, on_defect=lambda error: _tell(error, verbose))
    places = ", ".join(map(str, access.roots)) or "all that you may read"
    talk.detail(f"model {loaded.identity.name} {loaded.identity.version}; files: {places}")
    if address is None or rules is None:
        with _ctrl_c_ends_at_once():
            anyio.run(serve_stdio, server)
    else:
        with listening(*address) as listener:
            write_error_line(f"serving http://{http}{HTTP_PATH} until Ctrl-C")
            anyio.run(serve_http, server, listener, access, rules)


def _tell(error: BaseException, verbose: bool) -> None:
    """Say a defect; the server goes on, so its exit code is of no use."""
    end(error, verbose=verbose)


@contextmanager
def _ctrl_c_ends_at_once() -> Iterator[None]:
    """A thread that waits for standard input cannot be told to stop, and nothing is lost by it."""

    def leave(*_: object) -> None:
        write_error_line("interrupted")
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _address(text: str) -> tuple[str, int]:
    """Host and port."""
    match = re.fullmatch(r"\[?([^\[\]]+)\]?:(\d{1,5})", text)
    if match is None or int(match[2]) > 65535:
        raise DistortionGraphError(f"--http {text!r}: expected HOST:PORT, such as localhost:8765")
    return match[1], int(match[2])
