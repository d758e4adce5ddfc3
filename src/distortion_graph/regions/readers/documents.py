"""A file of regions as the value that its content says it is: JSON or XML, whatever its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from distortion_graph.base.errors import RegionError
from distortion_graph.base.files import HeldFile

_XML_BEGINS = (b"<", b"\xff\xfe<\0", b"\xfe\xff\0<")
_PACKED = {b"PK\x03\x04": "a ZIP archive", b"\x1f\x8b": "a gzip file"}


def read_document(path: Path | HeldFile) -> Any:
    """The JSON value of a file, or the root element of its XML, told by the first character.

    Raises RegionError, one line: no such file, another content, damage, XML with entities.
    """
    data = _read(path)
    for begins, kind in _PACKED.items():
        if data.startswith(begins):
            raise RegionError(
                f"{path}: found {kind}, expected the file of regions in it; unpack it"
            )
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_XML_BEGINS):
        return parse_xml(data, str(path))
    return _json(data, path, None)


def read_json(path: Path, hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """A JSON file's value; raises RegionError with the place of the fault.

    `hook` makes an object of its keys and values, innermost first, instead of a dict of them.
    """
    return _json(_read(path), path, hook)


def parse_xml(data: bytes, where: str) -> Element:
    """The root element of an XML text.

    A DOCTYPE may stand there, as in many drawings. Raises RegionError, its line beginning with
    `where`, for what is no XML, and for entities, which grow without bounds or name other files.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as e:
        raise RegionError(
            f"{where}: XML that declares entities, which are not read; save it without them "
            "(in Illustrator: Save a Copy, SVG, without the Illustrator data)"
        ) from e
    except (ParseError, LookupError, ValueError) as e:
        raise RegionError(f"{where}: not valid XML ({e})") from e
    return root


def local_name(element: Element) -> str:
    """The element's tag without its namespace; "" of a comment or an instruction."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _read(path: Path | HeldFile) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as e:
        raise RegionError(f"{path}: no such file, expected regions or names") from e
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise RegionError(f"{path}: cannot be read ({reason}), expected regions or names") from e


def _json(
    data: bytes, path: Path | HeldFile, hook: Callable[[list[tuple[str, Any]]], Any] | None
) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=hook)
    except RegionError:
        raise
    except json.JSONDecodeError as e:
        raise RegionError(f"{path}: not JSON ({e.msg} at line {e.lineno}, column {e.colno})") from e
    except RecursionError as e:
        raise RegionError(f"{path}: JSON nested too deeply, expected a list of regions") from e
    except ValueError as e:
        raise RegionError(f"{path}: cannot be read ({e}), expected JSON") from e
