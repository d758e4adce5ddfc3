"""What is wrong with a form, as one line."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import Any, get_origin

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.requests import Request

from distortion_graph.base.counting import counted
from distortion_graph.serve.http.forms import CompareForm, RankForm
from distortion_graph.serve.http.job_forms import JobForm
from distortion_graph.serve.http.problems import Problem

_FORMS: tuple[type[BaseModel], ...] = (CompareForm, RankForm, JobForm)
_SHOWN = 60


def form_line(error: RequestValidationError) -> str:
    """The first problem of a form, and how many more there are."""
    problems: list[Any] = list(error.errors())
    fields = list(dict.fromkeys(_field(problem) for problem in problems))
    # A misspelt field is reported twice; its wrong spelling says more than its absence.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    more = len(fields) - 1
    rest = f" (and {counted(more, 'more problem')})" if more else ""
    return _line(first, {_field(p) for p in problems if p["type"] == "missing"}) + rest


async def refuse_repeated(request: Request, form: type[BaseModel]) -> None:
    """Raise Problem for a field that is there several times and means one thing."""
    counts = Counter(name for name, _ in (await request.form()).multi_items())
    for name, times in counts.items():
        if times > 1 and get_origin(form.model_fields[name].annotation) is not list:
            raise Problem("request", f"{name}: is there {times} times, expected once")


def _line(problem: Any, missing: set[str]) -> str:
    name, given = _field(problem), problem.get("input")
    if not name:
        return "the form is missing, expected multipart/form-data with fields"
    if problem["type"] == "extra_forbidden":
        known = next(
            (list(form.model_fields) for form in _FORMS if missing <= set(form.model_fields)), []
        )
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown field {name[:_SHOWN]!r}{hint}"
    if problem["type"] == "missing":
        return f"the field {name!r} is missing"
    if isinstance(given, UploadFile):
        return f"{name}: found a file, expected text"
    if "UploadFile" in problem["msg"]:
        return (
            f"{name}: found the text {str(given)[:_SHOWN]!r}, expected a file's bytes (curl: -F "
            f"{name}=@FILE); nothing is read from paths and nothing is fetched"
        )
    if problem["type"] in ("too_short", "too_long"):
        context = problem["ctx"]
        most = f"at most {context['max_length']}" if "max_length" in context else ""
        return f"{name}: found {context['actual_length']}, expected " + (
            most or f"at least {context['min_length']}"
        )
    expected = problem["msg"].replace("Input should be", "expected", 1)
    return f"{name}: {expected}, found {str(given)[:_SHOWN]!r}"


def _field(problem: Any) -> str:
    """The name of the field, or the parameter, that a problem is about."""
    return str(problem["loc"][1]) if len(problem["loc"]) > 1 else ""
