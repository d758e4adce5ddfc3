"""Prompts are files: `prompts/NAME.VERSION.txt`, each with a system text and a user's text.

A file has the sections `[system]`, `[before]` and `[after]`, each heading alone on its line: the
system's text, and what a user says before and after the pictures. `$name` stands for what is filled
in, `$$` for a dollar sign. A change of a prompt is a new version in a new file, so that figures
name what was asked.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.messages import Part, Text

PROMPTS = Path(__file__).parent / "prompts"
"""The folder of the prompts that come with the package."""

Question: TypeAlias = Literal["regions", "regions-hinted", "whole", "assessment"]
"""What can be asked; the first part of a prompt's file name."""

FIELDS: Mapping[Question, frozenset[str]] = {
    "regions": frozenset({"ids", "distortions", "severities", "clean", "comparisons", "form"}),
    "regions-hinted": frozenset(
        {"ids", "distortions", "severities", "clean", "comparisons", "form", "hint"}
    ),
    "whole": frozenset({"distortions", "comparisons", "form"}),
    "assessment": frozenset({"hint", "names", "question", "sentences", "form"}),
}
"""What can be filled in; a prompt need not use all of it."""

_SECTIONS = ("system", "before", "after")


@dataclass(frozen=True)
class Prompt:
    """A template: its name with the version, the SHA-256 of its file, and its three texts."""

    name: str
    sha256: str
    system: str
    before: str
    after: str

    def parts(self, shown: tuple[Part, ...], values: Mapping[str, str]) -> tuple[Part, ...]:
        """A user's message: the text before, what is shown, and the text after, filled in."""
        before, after = (
            Text(string.Template(text).substitute(values)) for text in (self.before, self.after)
        )
        return (before, *shown, after)


def load_prompt(question: Question, folder: Path | None = None) -> Prompt:
    """The newest version of a question's prompt, from `folder` where it has one.

    Raises DistortionGraphError, one line with the file, for a file without its sections or with a
    field that nothing fills in.
    """
    if folder is not None:
        if not folder.is_dir():
            raise DistortionGraphError(
                f"{folder}: no such folder, expected one with prompts such as {question}.2.txt"
            )
        own = _newest(question, folder)
        if own is not None:
            return read_prompt(own, question)
    return _shipped(question)


@lru_cache
def _shipped(question: Question) -> Prompt:
    path = _newest(question, PROMPTS)
    if path is None:
        raise DistortionGraphError(f"{PROMPTS}: no prompt {question}; install the package again")
    return read_prompt(path, question)


def _newest(question: Question, folder: Path) -> Path | None:
    versions = []
    for path in folder.glob(f"{question}.*.txt"):
        version = path.name.removeprefix(f"{question}.").removesuffix(".txt")
        if version.isdecimal():
            versions.append((int(version), path))
    return max(versions)[1] if versions else None


def read_prompt(path: Path, question: Question) -> Prompt:
    """The prompt in a file; raises as `load_prompt` does."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DistortionGraphError(f"{path}: cannot be read as a prompt: {error}") from error
    pieces = re.split(r"^\[(\w+)\][ \t]*$", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    names, bodies = tuple(pieces[1::2]), [body.strip() for body in pieces[2::2]]
    if pieces[0].strip() or names != _SECTIONS:
        raise DistortionGraphError(
            f"{path}: its sections are {', '.join(names) or 'none'}, expected the lines "
            f"{' '.join(f'[{s}]' for s in _SECTIONS)} in this order and nothing before them"
        )
    for body in bodies:
        _check_fields(path, question, body)
    return Prompt(path.stem, hashlib.sha256(data).hexdigest(), *bodies)


def _check_fields(path: Path, question: Question, body: str) -> None:
    template = string.Template(body)
    if not template.is_valid():
        raise DistortionGraphError(f"{path}: a $ that begins no name; write $$ for the sign itself")
    unknown = sorted(set(template.get_identifiers()) - FIELDS[question])
    if unknown:
        known = ", ".join(f"${name}" for name in sorted(FIELDS[question]))
        raise DistortionGraphError(f"{path}: nothing fills in ${unknown[0]}, expected {known}")
