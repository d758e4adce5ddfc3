"""The application: routes behind one door, and one service that they share."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.serve.http import about, job_routes, page, routes
from distortion_graph.serve.http.door import Door
from distortion_graph.serve.http.form_lines import form_line
from distortion_graph.serve.http.problems import Problem, ProblemDetails, problem_of
from distortion_graph.serve.http.service import ClientLeftError, Service
from distortion_graph.serve.http.settings import Settings

OPENAPI = "/openapi.json"
_PARTS = (page, about, routes, job_routes)

FREE = frozenset({about.HEALTH, about.READY, OPENAPI, *page.PATHS})
"""Paths that need no token."""

_DESCRIPTION = (
    "Two pictures of one scene in, a graph out: what is wrong in each region of either picture, "
    "how bad it is, and which of the two is better there. Pictures and masks are sent as files; "
    "nothing is read from paths, and nothing is fetched. Whatever is not answered is a problem "
    "(RFC 9457) with one line that says what was found and what was expected."
)
_CLIENT_LEFT = 499
_UNHEARD = logging.NullHandler()


class Application:
    """An ASGI application with its `service`."""

    def __init__(
        self,
        settings: Settings,
        *,
        on_defect: Callable[[BaseException], object] = lambda error: None,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """`on_defect` is told of errors that are not the client's fault, `log` of each request."""
        self.service = Service(settings, on_defect, log)
        # What it says of a malformed body, the answer says too.
        logging.getLogger("python_multipart").addHandler(_UNHEARD)
        self.routes = _routes(self.service)
        self._door = Door(self.routes, self.service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._door(scope, receive, send)


def _routes(service: Service) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="distortion-graph",
        version=version("distortion-graph"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=OPENAPI,
        docs_url=None,  # its page would load scripts of other servers
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        form_limits={"max_files": 2 * service.settings.limits.pairs + 64, "max_fields": 64},
    )
    app.state.service = service
    for part in _PARTS:
        app.include_router(part.router)
    _answer_errors(app, service)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _answer_errors(app: FastAPI, service: Service) -> None:
    async def problem(request: Request, error: Exception) -> JSONResponse:
        found = problem_of(_in_our_words(error, request))
        service.metrics.problems.labels(found.kind).inc()
        if found.kind == "lost":
            service.on_defect(error)
        return found.response()

    async def wrong_form(request: Request, error: Exception) -> JSONResponse:
        said = form_line(cast(RequestValidationError, error))
        return await problem(request, Problem("request", said))

    async def nobody(request: Request, error: Exception) -> Response:
        return Response(status_code=_CLIENT_LEFT)

    for kind in (HTTPException, DistortionGraphError, MemoryError, OSError, Exception):
        app.add_exception_handler(kind, problem)
    app.add_exception_handler(RequestValidationError, wrong_form)
    app.add_exception_handler(ClientLeftError, nobody)


def _in_our_words(error: Exception, request: Request) -> Exception:
    """The framework's own refusals as problems that say what was asked for."""
    if not isinstance(error, HTTPException) or isinstance(error, Problem):
        return error
    if error.status_code == 404:
        return Problem("unknown", f"no address {request.url.path[:80]!r}; {OPENAPI} lists all")
    if error.status_code == 405:
        allowed = ", ".join(_methods_at(request))
        line = f"{request.method} {request.url.path[:80]!r}: expected {allowed}"
        return Problem("method", line, {"Allow": allowed})
    return error


def _methods_at(request: Request) -> list[str]:
    """What can be done at an address, by any of the routes that lead there."""
    routes = (route for part in _PARTS for route in part.router.routes if isinstance(route, Route))
    found = (route.methods for route in routes if route.path_regex.match(request.url.path))
    return sorted({method for methods in found for method in methods or ()})


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description, made once, with problems and tokens in it."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        parts = schema["components"]
        parts["schemas"][ProblemDetails.__name__] = ProblemDetails.model_json_schema()
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{}, {"token": []}]
        for path in schema["paths"].values():
            for operation in path.values():
                _without_default_errors(operation)
        parts["schemas"].pop("HTTPValidationError", None)
        parts["schemas"].pop("ValidationError", None)
        app.openapi_schema = schema
    return app.openapi_schema


def _without_default_errors(operation: dict[str, Any]) -> None:
    """Leave out the framework's own form of what is wrong with a form."""
    answer = operation["responses"].get("422", {})
    if "HTTPValidationError" in str(answer):
        del operation["responses"]["422"]
