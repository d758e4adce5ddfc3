"""`distortion-graph mcp`: lets an assistant compare pictures by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.console import talk_of
from distortion_graph.cli.extras import need_extra


def mcp(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Folder of a model made by `export`, or hf://ORG/NAME; else the shipped one.",
        ),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Read files in this folder only; repeatable. Without it all that you may read.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, metavar="N", help="Threads of the model; 0 = one a core.")
    ] = 0,
) -> None:
    """Serve the Model Context Protocol on standard input and output.

    An assistant that starts this program gets the tools `compare_images`, which returns what is
    wrong in each region of two pictures and an overlay, and `describe_vocabulary`. Nothing is
    fetched from elsewhere and nothing written. docs/mcp.md says how to add it to an assistant.

    \b
    Examples:
      distortion-graph mcp
      distortion-graph mcp --root ~/pictures --root /data/renders

    Exit codes: 0 the assistant has ended it, 2 the input is at fault (one line says what), 1 a
    defect of the program, 130 interrupted.
    """
    talk_of(context)
    need_extra("mcp", "mcp", "mcp")
    from distortion_graph.mllm.mcp_server import build_server
    from distortion_graph.runtime.compare import load_model

    build_server(load_model(model, threads=threads), root or ()).run("stdio")
