"""Jobs: sent, followed, fetched, cancelled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from distortion_graph.graph import DistortionGraph
from distortion_graph.serve.http.accept import chosen
from distortion_graph.serve.http.door import MULTIPART
from distortion_graph.serve.http.examples import JOB_EXAMPLES
from distortion_graph.serve.http.form_lines import refuse_repeated
from distortion_graph.serve.http.job_forms import JobForm
from distortion_graph.serve.http.jobs import Job, JobStatus, PairStatus
from distortion_graph.serve.http.problems import Problem, ProblemDetails, problem_docs
from distortion_graph.serve.http.routes import WORK_PROBLEMS, answers, body_of
from distortion_graph.serve.http.service import Service
from distortion_graph.serve.http.work import HTML, JSON, PNG

_ASKING = ("token", "origin", "host", "unknown", "request", "defect")

_LINKS = {
    name: {"operationId": name, "parameters": {"job_id": "$response.body#/id"}}
    for name in ("job_status", "job_events", "job_results", "delete_job")
}

router = APIRouter(tags=["jobs"], prefix="/v1/jobs")


class PairResult(BaseModel):
    """What came of a pair: its graph, or the problem."""

    id: str
    graph: DistortionGraph | None
    problem: ProblemDetails | None
    warnings: list[str]


class JobResults(BaseModel):
    """What came of all pairs, in their order."""

    pairs: list[PairResult]


def owner_of(request: Request) -> str | None:
    """The name of the token that a request has."""
    return Service.of(request).settings.rules.name_of(request.headers)


async def job_of(request: Request, job_id: str) -> Job:
    """The job that a request is about; raises Problem where its client has none of that id."""
    return Service.of(request).jobs.get(job_id, owner_of(request))


TheJob = Annotated[Job, Depends(job_of)]


@router.post(
    "",
    summary="Send many pairs to be compared",
    status_code=202,
    response_model=JobStatus,
    responses={
        202: {"description": "The job is taken.", "links": _LINKS},
        **problem_docs(*(kind for kind in WORK_PROBLEMS if kind != "accept")),
    },
)
async def send_job(
    request: Request,
    response: Response,
    form: Annotated[JobForm, Form(media_type=MULTIPART, openapi_examples=JOB_EXAMPLES)],
) -> JobStatus:
    """Take a job; its pairs are compared while other requests are answered.

    Location says where its state is; events and results stand below that.
    """
    await refuse_repeated(request, JobForm)
    service = Service.of(request)
    job = await form.job(owner_of(request), service.settings.limits.pairs)
    service.jobs.begin(job)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job.shown()


@router.get("/{job_id}", summary="See how far a job is", responses=problem_docs(*_ASKING))
async def job_status(job: TheJob) -> JobStatus:
    """Its state and that of every pair."""
    return job.shown()


@router.get(
    "/{job_id}/events",
    summary="Follow a job",
    response_class=EventSourceResponse,
    responses=problem_docs(*_ASKING),
)
async def job_events(
    job: TheJob, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `pair` for every pair that is done, `end` when the job is.

    Who comes again with Last-Event-ID gets what came after that one.
    """
    seen = last_event_id or ""
    first = int(seen) + 1 if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    async for number, event in job.listen(first):
        kind = "end" if event.pair is None else "pair"
        yield ServerSentEvent(data=event, event=kind, id=str(number))


@router.get(
    "/{job_id}/results",
    summary="Fetch the graphs of a job",
    response_class=StreamingResponse,
    responses={
        200: {"model": JobResults, "description": "A graph or a problem for every pair."},
        **problem_docs(*_ASKING, "state"),
    },
)
async def job_results(job: TheJob) -> StreamingResponse:
    """All graphs in one answer, in the order of the pairs, when the job is done."""
    _check_done(job)
    job.awaited = False
    return StreamingResponse(_all_of(job), media_type=JSON)


@router.get(
    "/{job_id}/results/{pair_id:path}",
    summary="Fetch one pair of a job",
    response_class=Response,
    responses=answers(
        DistortionGraph, None, html="its report, if asked for", png="its overlay, if asked for"
    )
    | problem_docs("unknown", "state"),
)
async def pair_result(request: Request, job: TheJob, pair_id: str) -> Response:
    """The graph, the report or the overlay of a pair, as Accept says; its problem if it failed."""
    pair = job.pair(pair_id)
    if pair.problem is not None:
        return pair.problem.response()
    if pair.status != "done":
        raise Problem("state", f"pair {pair_id[:80]!r} is {pair.status}; ask again when it is done")
    made = [form for form in (JSON, HTML, PNG) if form in pair.bodies]
    form = chosen(request.headers.get("accept"), made)
    body = await asyncio.to_thread(job.results.get, pair.bodies[form])
    return body_of(body, form, tuple(pair.warnings))


@router.delete(
    "/{job_id}",
    summary="Cancel or remove a job",
    status_code=204,
    responses=problem_docs(*_ASKING),
)
async def delete_job(request: Request, job: TheJob) -> None:
    """End it if it is under way, and let its files and results go."""
    await Service.of(request).jobs.delete(job)


def _check_done(job: Job) -> None:
    if job.status == "running":
        status = job.shown()
        raise Problem(
            "state", f"{status.done} of {status.total} pairs are done; ask again when all are"
        )


async def _all_of(job: Job) -> AsyncIterator[bytes]:
    """`JobResults` of a job, one pair in memory at a time."""
    yield b'{"pairs":['
    for number, pair in enumerate(job.pairs):
        shown: PairStatus = pair.shown()
        span = pair.bodies.get(JSON)
        graph = b"null" if span is None else await asyncio.to_thread(job.results.get, span)
        facts: dict[str, Any] = shown.model_dump(mode="json", include={"id", "problem", "warnings"})
        text = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
        yield b"," * (number > 0) + text[:-1] + b',"graph":' + graph + b"}"
    yield b"]}"
