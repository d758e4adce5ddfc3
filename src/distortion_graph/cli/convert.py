"""`distortion-graph convert`: a graph file in another form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import GraphError, OutputError, VocabularyError
from distortion_graph.cli.compare import FORMS_HELP, Format
from distortion_graph.cli.console import Talk, talk_of, write_json
from distortion_graph.cli.options import Quiet, check_outputs
from distortion_graph.cli.streams import is_standard

if TYPE_CHECKING:
    from distortion_graph.formats.losses import Form
    from distortion_graph.graph import DistortionGraph


GRAPH_HELP = (
    "A graph file: native, published, node-link, graphml or json-ld; the form is recognised."
)


def convert(
    context: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help=GRAPH_HELP)],
    to: Annotated[
        Format, typer.Option("--to", metavar="FORM", help="Write this form: " + FORMS_HELP)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write to FILE; by default, or with -, to standard output. Tables (csv, "
            "parquet) are two files: t.csv stands for t.nodes.csv and t.edges.csv.",
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read the labels of a published graph, which does not list them, from here: a "
            "vocabulary's JSON, or a graph, dataset.json or model.json with one in it. By default "
            "they are the published labels.",
        ),
    ] = None,
    spreadsheet: Annotated[
        bool,
        typer.Option(
            "--spreadsheet",
            help="Write csv for Excel and its kin: marked as UTF-8 (utf-8-sig), and a text that "
            "they would run as a formula gets a ' in front.",
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a graph file in another form.

    native, node-link (NetworkX, D3), graphml and json-ld (RDF) hold everything and are read back;
    so is the published form, which holds less. dot is a drawing for Graphviz, csv and parquet are
    tables of nodes and edges, coco, label-studio and cvat are annotations for those tools. What a
    form cannot hold of the graph is told on standard error. docs/formats.md has more.

    \b
    Examples:
      distortion-graph convert graph.json --to graphml --out graph.graphml
      distortion-graph convert graph.json --to csv --spreadsheet --out graph.csv
      distortion-graph convert graph.json --to dot | dot -Tsvg -o graph.svg
      distortion-graph convert published.json --to native
      distortion-graph convert published.json --to native \\
          --vocabulary my-model/model.json

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet)
    from distortion_graph.formats.forms import TABLE_FORMS, graph_files, graph_text, output_paths
    from distortion_graph.formats.losses import loss_lines

    form: Form = to.value
    if spreadsheet and form != "csv":
        raise OutputError(f"--spreadsheet is about csv, but --to is {form}; leave it out")
    if is_standard(out):
        out = None
    if out is not None:
        inputs = [graph] if vocabulary is None else [graph, vocabulary]
        paths = output_paths(out, form)
        check_outputs([("--out", path, False) for path in paths], [str(path) for path in inputs])
    elif form in TABLE_FORMS:
        raise OutputError(
            f"--to {form} writes two files, which standard output cannot hold; expected --out FILE"
        )
    graph_read = _read(graph, vocabulary)
    if out is None:
        text = graph_text(graph_read, form)
    else:
        from distortion_graph.base.files import atomic_write_all

        atomic_write_all(graph_files(graph_read, form, out, spreadsheet=spreadsheet))
    for line in loss_lines(graph_read, form):
        talk.warn(line)
    if form == "csv":
        _tell_formulas(graph_read, talk, spreadsheet)
    if out is None:
        write_json(text.rstrip("\n"))


def _tell_formulas(graph: DistortionGraph, talk: Talk, spreadsheet: bool) -> None:
    """Texts that a spreadsheet would take for formulas."""
    from distortion_graph.formats.tables import formulas

    found = formulas(graph)
    if found:
        cells = f"{counted(len(found), 'text')} that begin as formulas do"
        what = "got a ' in front" if spreadsheet else "are run by spreadsheets; see --spreadsheet"
        talk.warn(f"{cells}, such as {found[0]!r:.60}, {what}")


def _read(path: Path, vocabulary: Path | None) -> DistortionGraph:
    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
    from distortion_graph.formats.files import load_vocabulary, read_graph

    words = DEFAULT_VOCABULARY if vocabulary is None else load_vocabulary(vocabulary)
    try:
        return read_graph(path, words)
    except GraphError as error:
        if vocabulary is None and isinstance(_reason(error), VocabularyError):
            raise GraphError(f"{error}; --vocabulary FILE gives other words") from error
        raise


def _reason(error: BaseException) -> BaseException:
    """The first of the errors that led to this one."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
