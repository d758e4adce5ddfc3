"""A page in one file: the head that all of them share, and a body from a template of their own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template


def asset(name: str, package: str = "distortion_graph.report.html") -> str:
    """The text of a file in the `assets` of a package."""
    return files(package).joinpath("assets", name).read_text("utf-8")


def document(
    body: str, *, title: str, style: Iterable[str], script: str | None = None, **fields: str
) -> str:
    """The page as text.

    Args:
        body: what stands in the page, a template with `$title`, `$script` and `$name` of `fields`.
        title: of the page, as HTML.
        style: rules of CSS.
        script: the only one that may run; None for a page without.
        fields: as HTML.
    """
    allowed = "" if script is None else f" script-src '{script_hash(script)}';"
    filled = Template(body).substitute(fields, title=title, script=script or "")
    return Template(asset("document.html")).substitute(
        version=program_version(),
        scripts=allowed,
        title=title,
        style="\n".join(style),
        body=filled,
    )


def script_hash(script: str) -> str:
    """The source of a script for a Content-Security-Policy: nothing else may run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def program_version() -> str:
    """The version of this program, as HTML."""
    return escape(version("distortion-graph"))
