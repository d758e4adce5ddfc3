"""`distortion-graph`: the command line."""

from __future__ import annotations

import typer

from distortion_graph.cli.train import train

app = typer.Typer(no_args_is_help=True)
app.command()(train)


@app.callback()
def _root() -> None:
    """Distortion graphs."""


def main() -> None:
    """Run the command line."""
    app()
