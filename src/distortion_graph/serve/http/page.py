"""The page at `/`: two pictures are compared in a browser, and their report is shown in it."""

from __future__ import annotations

from functools import cache
from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from distortion_graph.report.html.document import asset, program_version, script_hash
from distortion_graph.report.html.page import report_script
from distortion_graph.serve.http.headers import policy_of

INDEX = "/"
STYLE = "/page.css"
SCRIPTS = tuple(
    f"/{name}.js"
    for name in (
        *("page", "pictures", "folders", "options", "service", "work", "answers", "results"),
        *("editor", "desk", "tools", "growing", "regions", "masks", "saving"),
    )
)
PATHS = (INDEX, STYLE, *SCRIPTS)
"""What the page is made of; none of it needs a token."""

router = APIRouter(include_in_schema=False)


@router.get(INDEX)
async def index() -> HTMLResponse:
    """The page itself."""
    page = _page()
    return HTMLResponse(page, headers={"Content-Security-Policy": policy_of(page)})


@router.get(STYLE)
async def style() -> Response:
    """The style of the report, and what the page has beyond it."""
    parts = (asset("table.css"), asset("report.css"), _asset("page.css"), _asset("editor.css"))
    return Response("\n".join(parts), media_type="text/css")


async def script(request: Request) -> Response:
    """One of the page's modules."""
    return Response(_asset(request.url.path.removeprefix("/")), media_type="text/javascript")


for path in SCRIPTS:
    router.add_api_route(path, script, methods=["GET"], name=path)


@cache
def _page() -> str:
    # A report in a frame made from a blob keeps this page's policy beside its own, so that its
    # script has to be allowed here too.
    return Template(_asset("page.html")).substitute(
        version=program_version(), report_script_hash=script_hash(report_script())
    )


def _asset(name: str) -> str:
    return asset(name, "distortion_graph.serve.http")
