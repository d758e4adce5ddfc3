"""The page at `/`: for now it names the service's addresses, and nothing else."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from distortion_graph.serve.http.headers import policy_of

INDEX = "/"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'">
<title>distortion-graph</title>
</head>
<body>
<main>
<h1>distortion-graph</h1>
<p>Version {version}. Two pictures in, a graph out: what is wrong in each region, how bad it is, and which picture is better.</p>
<ul>
<li><code>POST /v1/compare</code>: two pictures to a graph, a report or an overlay</li>
<li><code>POST /v1/rank</code>: several pictures to an order of them</li>
<li><code>POST /v1/jobs</code>: many pairs</li>
<li><a href="/openapi.json"><code>GET /openapi.json</code></a>: all of it, with examples</li>
</ul>
</main>
</body>
</html>
"""

router = APIRouter()


@router.get(INDEX, include_in_schema=False)
async def index() -> HTMLResponse:
    """What can be asked here."""
    page = _PAGE.format(version=version("distortion-graph"))
    return HTMLResponse(page, headers={"Content-Security-Policy": policy_of(page)})
