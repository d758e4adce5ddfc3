"""What pydantic found wrong, as one line for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from distortion_graph.base.counting import counted

IN_FILES = "in_files"
"""Of a field's `json_schema_extra`: False where files have no key of that name."""

_WORDS = (
    ("Input should be a valid tuple", "expected a list"),
    ("Input should be", "expected"),
    ("Tuple should", "expected a list that should"),
    ("String should", "expected a string that should"),
    ("a valid dictionary", "an object"),
)
"""Pydantic's words for people who write JSON."""


def validation_line(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """One line for a failed validation of `model`: the first problem, and how many more there are.

    `where` names the file or the text that was read.
    """
    errors: list[Any] = list(error.errors(include_url=False))
    first, more = errors[0], len(errors) - 1
    if first["type"] == "missing":
        # A misspelt key is reported twice; its wrong spelling says more than its absence.
        first = next(
            (
                e
                for e in errors
                if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1]
            ),
            first,
        )
        more -= first["type"] == "extra_forbidden"
    if first["type"] == "graph_problem":
        text, more = first["ctx"]["problem"], more + first["ctx"]["more"]
    else:
        text = _detail_line(first, model)
    rest = f" (and {counted(more, 'more problem')})" if more else ""
    return " ".join(f"{where}: {text}{rest}".split())


def _detail_line(detail: Any, model: type[BaseModel]) -> str:
    *parents, last = detail["loc"] or ("",)
    if detail["type"] == "extra_forbidden":
        keys = _keys_at(parents, model)
        near = get_close_matches(str(last), keys, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        inside = _place(parents) or "top level"
        return f"{inside}: unknown key {last!r}, expected only {', '.join(keys)}{hint}"
    if detail["type"] == "missing":
        return f"{_place(parents) or 'top level'}: the key {last!r} is missing"
    place = _place(detail["loc"])
    prefix = f"{place}: " if place else ""
    if detail["type"] == "value_error":
        text = str(detail["ctx"]["error"])
        return text if text.startswith(prefix) else prefix + text
    expected = detail["msg"]
    for theirs, ours in _WORDS:
        expected = expected.replace(theirs, ours, 1)
    given = repr(detail["input"])
    return f"{prefix}{expected}, found {given if len(given) <= 60 else given[:57] + '…'}"


def _place(loc: Sequence[int | str]) -> str:
    """`("regions", 3, "target")` → `regions[3].target`."""
    text = ""
    for part in loc:
        plain = isinstance(part, str) and part.isidentifier()
        text += f".{part}" if plain else f"[{part!r}]"
    return text.removeprefix(".")


def _keys_at(loc: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """The keys that the part of `model` at `loc` has in JSON."""
    parts: Iterator[int | str] = iter(loc)
    for part in parts:
        if isinstance(part, int):
            continue
        fields = {f.alias or name: f.annotation for name, f in model.model_fields.items()}
        annotation: Any = fields.get(str(part))
        inner = _model_in(annotation)
        if isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping):
            next(parts, None)  # a key of the mapping, which may be anything
        if inner is None:
            return []
        model = inner
    known = model.model_fields.items()
    return [f.alias or name for name, f in known if f.json_schema_extra != {IN_FILES: False}]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_in, get_args(annotation)) if m is not None), None)
