"""Comparing and ranking, one request each."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from distortion_graph.graph import DistortionGraph
from distortion_graph.ranking import Ranking
from distortion_graph.serve.http.accept import chosen
from distortion_graph.serve.http.door import MULTIPART
from distortion_graph.serve.http.examples import COMPARE_EXAMPLES, GRAPH, RANK_EXAMPLES
from distortion_graph.serve.http.form_lines import refuse_repeated
from distortion_graph.serve.http.forms import CompareForm, RankForm
from distortion_graph.serve.http.headers import policy_of
from distortion_graph.serve.http.problems import problem_docs
from distortion_graph.serve.http.service import Service
from distortion_graph.serve.http.work import HTML, JSON, PNG, Answer, compare_task, rank_task

WARNINGS = "Distortion-Graph-Warnings"
"""The header with what there is to know of the pictures: a JSON list of lines."""

WORK_PROBLEMS = (
    "malformed", "token", "origin", "host", "accept", "slow", "bytes", "form", "request", "picture",
    "regions", "input", "time", "lost", "defect", "busy", "stopping",
)  # fmt: skip

_WARNINGS_BYTES = 4000
_WARNINGS_DOCS: dict[str, Any] = {
    WARNINGS: {
        "description": "What was not taken quite as it is: a JSON list of lines.",
        "schema": {"type": "string"},
    }
}

router = APIRouter(tags=["comparing"])


def answers(model: type, example: Any, **more: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of answers in several forms; `more` are descriptions by the form's last word."""
    forms: dict[str, Any] = {JSON: {"example": example} if example else {}}
    texts = {"html": (HTML, {"type": "string"}), "png": (PNG, {"type": "string"})}
    for name in more:
        media, schema = texts[name]
        forms[media] = {"schema": schema}
    described = ", ".join(more.values())
    ok = {
        "model": model,
        "content": forms,
        "description": f"{model.__name__} as JSON" + (f", or {described}" if described else ""),
        "headers": _WARNINGS_DOCS,
    }
    return {200: ok, **problem_docs(*WORK_PROBLEMS)}


def shown(answer: Answer, form: str) -> Response:
    """An answer in a form."""
    return body_of(answer.bodies[form], form, answer.notes)


def body_of(body: bytes, form: str, notes: tuple[str, ...] = ()) -> Response:
    """A body with its headers."""
    headers = {"Vary": "Accept"}
    if notes:
        headers[WARNINGS] = _fitting(notes)
    if form == HTML:
        headers["Content-Security-Policy"] = policy_of(body[:4000].decode("utf-8", "replace"))
    return Response(body, media_type=form, headers=headers)


@router.post(
    "/v1/compare",
    summary="Compare two pictures region by region",
    response_class=Response,
    responses=answers(
        DistortionGraph, GRAPH, html="the report as one page", png="the overlay as a picture"
    ),
)
async def compare(
    request: Request,
    form: Annotated[CompareForm, Form(media_type=MULTIPART, openapi_examples=COMPARE_EXAMPLES)],
) -> Response:
    """What is wrong in each region of either picture, how bad it is, and which is better there.

    The Accept header chooses the answer: the graph (application/json), its report (text/html), or
    both pictures with the graph drawn in (image/png).
    """
    await refuse_repeated(request, CompareForm)
    wanted = chosen(request.headers.get("accept"), (JSON, HTML, PNG))
    service = Service.of(request)
    answer = await service.answer(request, "compare", compare_task, lambda: form.whole_task(wanted))
    return shown(answer, wanted)


@router.post(
    "/v1/rank",
    summary="Rank several pictures of one scene",
    response_class=Response,
    responses=answers(Ranking, None, html="the ranking as one page"),
)
async def rank(
    request: Request,
    form: Annotated[RankForm, Form(media_type=MULTIPART, openapi_examples=RANK_EXAMPLES)],
) -> Response:
    """Who is best, in each region and as a whole, and by how much.

    With a reference every candidate is held against it, without one all pairs are compared. The
    Accept header chooses the ranking (application/json) or its page (text/html).
    """
    await refuse_repeated(request, RankForm)
    wanted = chosen(request.headers.get("accept"), (JSON, HTML))
    service = Service.of(request)
    most = service.settings.limits.candidates
    answer = await service.answer(request, "rank", rank_task, lambda: form.whole_task(wanted, most))
    return shown(answer, wanted)


def _fitting(notes: tuple[str, ...]) -> str:
    """As many lines as a header holds."""
    kept = list(notes)
    while len(text := json.dumps(kept)) > _WARNINGS_BYTES:
        kept = [*kept[: len(kept) // 2], "…"]
    return text
