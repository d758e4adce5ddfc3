"""The page at `/`: for now it names the service's addresses, and nothing else."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from distortion_graph.serve.http.headers import policy_of

INDEX = "/"

router = APIRouter()


@router.get(INDEX, include_in_schema=False)
async def index() -> HTMLResponse:
    """What can be asked here."""
    text = files("distortion_graph.serve.http").joinpath("index.html").read_text("utf-8")
    page = Template(text).substitute(version=version("distortion-graph"))
    return HTMLResponse(page, headers={"Content-Security-Policy": policy_of(page)})
