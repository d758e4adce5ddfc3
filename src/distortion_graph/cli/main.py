"""`distortion-graph`: the command line. One file per command; this one joins and runs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NoReturn

import typer

from distortion_graph.cli.agreement import agreement
from distortion_graph.cli.ask import ask
from distortion_graph.cli.batch import batch
from distortion_graph.cli.bench import bench_app
from distortion_graph.cli.calibrate import calibrate
from distortion_graph.cli.check import check
from distortion_graph.cli.compare import compare
from distortion_graph.cli.console import (
    DONE,
    INTERRUPTED,
    NAME,
    POLICY_BROKEN,
    Talk,
    end,
    flush_output,
)
from distortion_graph.cli.convert import convert
from distortion_graph.cli.dataset import dataset_app
from distortion_graph.cli.distort import distort
from distortion_graph.cli.draw import draw
from distortion_graph.cli.evaluate import evaluate
from distortion_graph.cli.export import export
from distortion_graph.cli.import_checkpoint import import_checkpoint
from distortion_graph.cli.mcp import mcp
from distortion_graph.cli.mllm import mllm_app
from distortion_graph.cli.rank import rank
from distortion_graph.cli.report import report
from distortion_graph.cli.schema import schema
from distortion_graph.cli.serve import serve, serve_token
from distortion_graph.cli.train import train
from distortion_graph.cli.version import print_version, version
from distortion_graph.cli.video import video

app = typer.Typer(
    name=NAME,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    compare,
    rank,
    batch,
    video,
    check,
    distort,
    convert,
    report,
    draw,
    ask,
    schema,
    train,
    evaluate,
    agreement,
    calibrate,
    export,
    import_checkpoint,
    mcp,
    serve,
    serve_token,
    version,
):
    app.command()(command)
app.add_typer(dataset_app, name="dataset")
app.add_typer(bench_app, name="bench")
app.add_typer(mllm_app, name="mllm")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True),
    ] = False,
) -> None:
    """Two pictures in, a graph out: what is wrong in each region, how bad it is, and which picture
    is better.

    \b
    Example:
      distortion-graph compare a.jpg b.jpg

    Exit codes: 0 done, 2 the input is at fault (one line on stderr says what), 3 pictures break a
    policy, 1 a defect of the program, 130 interrupted. With DISTORTION_GRAPH_DEBUG=1 errors come
    with their traceback.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments and give its exit code."""
    talk = Talk()
    try:
        code = _root_command().main(list(arguments), NAME, standalone_mode=False, obj=talk)
        flush_output()
        # Typer turns Ctrl-C into a code; commands themselves give this one alone.
        if code == POLICY_BROKEN:
            return POLICY_BROKEN
        return end(KeyboardInterrupt()) if code == INTERRUPTED else DONE
    except BaseException as error:
        return end(error, verbose=talk.verbose)


@cache
def _root_command() -> Any:
    """The tree of all commands, built once."""
    return typer.main.get_command(app)


def main() -> NoReturn:
    """The program `distortion-graph`."""
    # Products of NumPy and SciPy are small here, and threads of OpenBLAS keep to no budget: each
    # library's spin for a tenth of a second when it is loaded. Worker processes inherit this.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if f"_{NAME.replace('-', '_').upper()}_COMPLETE" in os.environ:  # a shell asks
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    sys.exit(run(sys.argv[1:]))
