"""`distortion-graph convert`: a graph file in another form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.compare import Format, graph_text
from distortion_graph.cli.console import talk_of, write_json
from distortion_graph.cli.options import Quiet, check_outputs
from distortion_graph.errors import GraphError, VocabularyError


def convert(
    context: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="Native or published.")],
    to: Annotated[Format, typer.Option("--to", help="The form to write.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; else it is printed.")
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Words of a published graph, which names none: a vocabulary's JSON, or a graph, "
            "dataset.json or model.json with one in it. Else the default.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a graph file in another form.

    The form that it is in is recognised. The published form has no masks, probabilities, evidence
    or scene: they are lost on the way there and null on the way back.

    \b
    Examples:
      distortion-graph convert graph.json --to published --out published.json
      distortion-graph convert published.json --to native
      distortion-graph convert published.json --to native \\
          --vocabulary my-model/model.json

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk_of(context).set(quiet=quiet)
    if out is not None:
        inputs = [graph] if vocabulary is None else [graph, vocabulary]
        check_outputs([("--out", out, False)], [str(path) for path in inputs])
    from distortion_graph.formats.files import load_vocabulary, read_graph
    from distortion_graph.vocabulary import DEFAULT_VOCABULARY

    words = DEFAULT_VOCABULARY if vocabulary is None else load_vocabulary(vocabulary)
    try:
        found = read_graph(graph, words)
    except GraphError as error:
        if vocabulary is None and isinstance(_reason(error), VocabularyError):
            raise GraphError(f"{error}; --vocabulary FILE gives other words") from error
        raise
    text = graph_text(found, to)
    if out is None:
        write_json(text.rstrip("\n"))
        return
    from distortion_graph.files import atomic_write_text

    atomic_write_text(out, text)


def _reason(error: BaseException) -> BaseException:
    """The first of the errors that led to this one."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
