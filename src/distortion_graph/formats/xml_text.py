"""Text in XML: characters that XML cannot hold, and reading without surprises."""

from __future__ import annotations

import json
import re
from typing import NoReturn
from xml.parsers import expat

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import parse_json

ESCAPE = "json:"
"""Begins a text that follows as a JSON string in ASCII, since XML cannot hold it as it is."""

# A carriage return is allowed, but read as a line feed.
_FOREIGN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml_text(text: str) -> str:
    """The text where XML can hold it, else `json:` and a JSON string."""
    if _FOREIGN.search(text) or text.startswith(ESCAPE):
        return ESCAPE + json.dumps(text)
    return text


def from_xml_text(text: str, where: str) -> str:
    """The text that `to_xml_text` was given; raises GraphError where none can be made of it."""
    if not text.startswith(ESCAPE):
        return text
    value = parse_json(text.removeprefix(ESCAPE), where)
    if not isinstance(value, str):
        raise GraphError(f"{where}: found {text!r:.60}, expected a JSON string after {ESCAPE!r}")
    return value


def check_xml(data: bytes, root: str, where: str) -> None:
    """Raise GraphError unless the bytes are XML with this root element and without a DOCTYPE.

    A DOCTYPE can declare entities that grow without bounds or name files, and no form needs one.
    """
    names: list[str] = []

    def refuse(*_: object) -> NoReturn:
        raise GraphError(f"{where}: XML with a DOCTYPE, which is not read; remove that line")

    def note(name: str, _: object) -> None:
        if not names:
            names.append(name.rpartition(":")[2])

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = note
    try:
        parser.Parse(data, True)
    except GraphError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise GraphError(f"{where}: not valid XML: {error}") from error
    if names != [root]:
        raise GraphError(f"{where}: found XML of <{names[0]:.40}>, expected <{root}>")
