"""Options, files and errors of a script that measures one model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import atomic_write_text, check_output
from distortion_graph.predict.session import Model

Measured = Callable[[argparse.Namespace, Model], tuple[dict[str, Any], str]]


def measure_model(parser: argparse.ArgumentParser, measured: Measured) -> None:
    """Parse options, load the model, and write what was measured as JSON and Markdown.

    `measured` gives values for JSON and a text. A mistake of the user ends the script with one line
    and exit code 2.
    """
    parser.add_argument("--model", help="model folder; the shipped one without it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    try:
        for out in filter(None, (options.json, options.markdown)):
            check_output(out)
        model = Model.load(options.model)
        values, text = measured(options, model)
    except DistortionGraphError as problem:
        parser.exit(2, f"{Path(parser.prog).stem}: error: {problem}\n")
    named = {"model": f"{model.identity.name} {model.identity.version}"}
    if options.json:
        atomic_write_text(options.json, json.dumps(named | values, indent=1) + "\n")
    if options.markdown:
        atomic_write_text(options.markdown, text)
