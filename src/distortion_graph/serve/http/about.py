"""What a service says of itself: its model, its limits, its health, its counters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import ModelInfo
from distortion_graph.measure.metrics.registry import map_metric_names
from distortion_graph.measure.quality import metric_names
from distortion_graph.predict.session import load_model
from distortion_graph.serve.http.problems import Problem, problem_docs
from distortion_graph.serve.http.service import Service

HEALTH, READY = "/healthz", "/readyz"

router = APIRouter(tags=["about"])


class LimitsInfo(BaseModel):
    """What the service takes at most."""

    bytes_per_request: int
    bytes_per_job: int
    pixels: int = Field(description="Of one picture.")
    regions: int = Field(description="Of one pair.")
    candidates: int = Field(description="Of one ranking.")
    pairs: int = Field(description="Of one job.")
    seconds: float = Field(description="That one comparison or ranking may take.")
    upload_seconds: float = Field(description="In which a request has to be there.")
    waiting: int = Field(description="Requests that may wait for a worker.")
    requests: int = Field(description="Requests that may be under way at once.")
    jobs: int = Field(description="Jobs that may be unfinished at once.")
    keep_seconds: float = Field(description="For which a job's results are kept.")


class ServedModel(BaseModel):
    """The model that answers, its words, the metrics, and the limits."""

    model: ModelInfo
    takes_reference: bool = Field(description="Whether labels can be said beside an original.")
    vocabulary: Vocabulary
    words: dict[str, str] = Field(description="What people read instead of its labels.")
    score_metrics: list[str] = Field(description="For score_metric.")
    metrics: list[str] = Field(description="For metric.")
    limits: LimitsInfo


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get(
    "/v1/model",
    summary="See which model answers, and within which limits",
    responses=problem_docs("token", "origin", "host", "defect"),
)
async def model(request: Request) -> ServedModel:
    """Which model it is, the words of its answers, the names of metrics, and the limits."""
    settings = Service.of(request).settings
    loaded = load_model(settings.model)
    known = loaded.vocabulary
    return ServedModel(
        model=loaded.identity.info,
        takes_reference=loaded.takes_reference,
        vocabulary=known,
        words={
            label: known.in_words(label)
            for label in (*known.distortions, *known.severities, *known.comparison_labels)
        },
        score_metrics=list(metric_names()),
        metrics=list(map_metric_names()),
        limits=LimitsInfo(**asdict(settings.limits)),
    )


@router.get(HEALTH, summary="See whether the server answers", responses=problem_docs("host"))
async def health() -> Health:
    """Ok for as long as the process answers at all."""
    return Health()


@router.get(
    READY,
    summary="See whether work is taken",
    responses=problem_docs("host", "busy", "stopping"),
)
async def ready(request: Request) -> Health:
    """Ok where a worker is there and the server is not stopping; else 503 with the reason."""
    service = Service.of(request)
    if service.stopping:
        raise Problem("stopping", "the server is stopping")
    if not service.pool.ready:
        failure = service.pool.failure
        why = "they start" if failure is None else f"they do not start: {failure}"
        raise Problem("busy", f"no worker is there, {why}", {"Retry-After": "2"})
    return Health()


@router.get(
    "/metrics",
    summary="See what was counted, for Prometheus",
    response_class=PlainTextResponse,
    responses=problem_docs("token", "origin", "host"),
)
async def metrics(request: Request) -> Response:
    """Requests, times, workers, memory, in Prometheus' text format."""
    content: Any = Service.of(request).metrics.text()
    return Response(content, media_type=CONTENT_TYPE_LATEST)
