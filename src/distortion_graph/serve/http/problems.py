"""What a request is told that is not answered: problem details (RFC 9457), one line each."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from distortion_graph.base.errors import DistortionGraphError, ImageError, RegionError, WorkError
from distortion_graph.report.wording import printable
from distortion_graph.serve.access import AccessError
from distortion_graph.work.processes import DefectError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:distortion-graph:"

_LONGEST = 800
KINDS: Mapping[str, tuple[int, str]] = {
    "request": (422, "The request is not as it has to be"),
    "picture": (422, "A picture cannot be used"),
    "regions": (422, "The regions cannot be used"),
    "input": (422, "The input cannot be used"),
    "time": (422, "The work takes too long"),
    "malformed": (400, "The request cannot be read"),
    "token": (401, "A token is needed"),
    "origin": (403, "Pages of other sites may not ask"),
    "host": (421, "The server has another name"),
    "unknown": (404, "There is no such thing"),
    "method": (405, "This cannot be done here"),
    "accept": (406, "No such form is offered"),
    "slow": (408, "The request came too slowly"),
    "state": (409, "This cannot be done now"),
    "bytes": (413, "The request is too large"),
    "form": (415, "The request is of another kind"),
    "defect": (500, "A defect of the program"),
    "lost": (500, "A worker was lost"),
    "busy": (503, "All places are taken"),
    "stopping": (503, "The server is stopping"),
}
"""The status code and the title of every kind of problem."""
_BY_STATUS = {400: "malformed", 404: "unknown", 405: "method", 413: "bytes", 415: "form"}


class ProblemDetails(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": f"{TYPE_PREFIX}picture",
                    "title": KINDS["picture"][1],
                    "status": 422,
                    "detail": "target: not a picture (found text), expected JPEG, PNG, WebP, TIFF, "
                    "BMP, AVIF or GIF",
                }
            ]
        }
    )

    type: str = Field(description=f"{TYPE_PREFIX}KIND")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(description="The status code.")
    detail: str = Field(description="One line: what was found, expected, and what to do.")


class Problem(HTTPException):
    """A request that is not answered; `kind` is a key of the table above."""

    def __init__(self, kind: str, line: str, headers: Mapping[str, str] | None = None) -> None:
        status, self.title = KINDS[kind]
        super().__init__(status, _short(line), dict(headers or {}))
        self.kind = kind

    @property
    def details(self) -> ProblemDetails:
        """What the client reads."""
        return ProblemDetails(
            type=TYPE_PREFIX + self.kind,
            title=self.title,
            status=self.status_code,
            detail=self.detail,
        )

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(
            self.details.model_dump(), self.status_code, self.headers, media_type=MEDIA_TYPE
        )


def problem_of(error: BaseException) -> Problem:
    """What a client is told of an error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, "request")
        return Problem(kind, str(error.detail), error.headers)
    if isinstance(error, WorkError):
        return Problem("lost", str(error))
    if isinstance(error, DistortionGraphError):
        kinds: tuple[tuple[type[Exception], str], ...] = (
            (ImageError, "picture"),
            (RegionError, "regions"),
            (AccessError, "regions"),
        )
        kind = next((name for of, name in kinds if isinstance(error, of)), "input")
        return Problem(kind, str(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        line = "no room on the server's disk for what was sent; ask again, or send less"
        return Problem("busy", line, {"Retry-After": "30"})
    if isinstance(error, MemoryError):
        return Problem("input", "not enough memory for this input; use smaller pictures")
    return Problem("defect", "defect of the program; the server's log says more, please report it")


def is_defect(error: BaseException) -> bool:
    """Whether an error is the program's own fault, to be told to who runs it."""
    return isinstance(error, DefectError) or problem_of(error).kind == "defect"


def problem_docs(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of problems of these kinds."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for status in sorted({KINDS[kind][0] for kind in kinds}):
        titles = [KINDS[kind][1] for kind in kinds if KINDS[kind][0] == status]
        schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
        by_status[status] = {
            "description": f"{HTTPStatus(status).phrase}: {'; '.join(titles)}.",
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
    return by_status


def _short(line: str) -> str:
    """One printable line; of a long one, what it is about and what is wrong."""
    text = printable(" ".join(line.split()))
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return text
