"""`distortion-graph serve`: comparing as a service of other programs, over HTTP."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.console import end, talk_of, write_error_line, write_output
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.listening import http_rules, listening
from distortion_graph.cli.options import Threads, Verbose

_MIB = 2**20


def serve(
    context: typer.Context,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Listen here; another address than this machine's own needs --tokens or --open.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Listen at this port; 0: any free.")
    ] = 8000,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer only requests with a token of this file; `serve-token` adds one.",
        ),
    ] = None,
    open_to_all: Annotated[
        bool,
        typer.Option("--open", help="Answer anybody who reaches the address, without a token."),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Use this model: a folder made by `export`, or hf://ORG/NAME. By default the one "
            "that comes with the program.",
        ),
    ] = None,
    threads: Threads = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Compare so many pairs at once, sharing the threads; by default one per two "
            "threads.",
        ),
    ] = None,
    waiting: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Let so many requests wait; further ones are refused (503). By default one per "
            "worker, so that an answer takes twice as long at most.",
        ),
    ] = None,
    max_mib: Annotated[
        int,
        typer.Option("--max-mib", min=1, metavar="N", help="Refuse requests of more MiB."),
    ] = 64,
    max_job_mib: Annotated[
        int, typer.Option("--max-job-mib", min=1, metavar="N", help="Refuse jobs of more MiB.")
    ] = 512,
    max_pixels: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refuse pictures of more pixels than this.")
    ] = 25_000_000,
    max_regions: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refuse more regions per pair than this.")
    ] = 500,
    max_seconds: Annotated[
        float,
        typer.Option(min=1, metavar="S", help="End a comparison that takes longer than this."),
    ] = 60.0,
    keep_seconds: Annotated[
        float, typer.Option(min=1, metavar="S", help="Keep the results of a job so long.")
    ] = 3600.0,
    grace: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="S",
            help="Finish what was taken when it is stopped, for so long at most.",
        ),
    ] = 60.0,
    verbose: Verbose = False,
) -> None:
    """Compare pictures for other programs, over HTTP.

    POST /v1/compare takes two pictures and gives the graph, its report or its overlay; /v1/rank
    ranks several; /v1/jobs takes many pairs. /openapi.json describes all of it; docs/service.md
    has examples. Clients send files and words, never paths or addresses, and nothing is fetched
    for them. With --verbose every request is a line on standard error, without names of files.

    \b
    Examples:
      distortion-graph serve
      curl -F anchor=@a.jpg -F target=@b.jpg http://127.0.0.1:8000/v1/compare
      distortion-graph serve-token ci --tokens tokens
      distortion-graph serve --host 0.0.0.0 --tokens tokens --threads 8

    Exit codes: 0 stopped by SIGTERM, 2 the input is at fault (one line says what), 1 a defect of
    the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=False, verbose=verbose)
    need_extra("serve", "serve", "fastapi", "uvicorn", "python_multipart", "prometheus_client")
    from distortion_graph.predict.session import load_model
    from distortion_graph.serve.http.app import FREE, Application
    from distortion_graph.serve.http.server import serve as serve_application
    from distortion_graph.serve.http.settings import Limits, Settings
    from distortion_graph.work.threads import allowed_threads, thread_budget

    rules = http_rules(
        "--host",
        host,
        tokens,
        open_to_all=open_to_all,
        otherwise=" (or --open, to answer anybody)",
        free=FREE,
    )
    identity = load_model(model).identity
    with thread_budget(threads):
        budget = allowed_threads()
    count = min(workers or max(1, budget // 2), budget)
    settings = Settings(
        model=model,
        rules=rules,
        workers=count,
        threads_each=budget // count,
        limits=Limits(
            bytes_per_request=max_mib * _MIB,
            bytes_per_job=max_job_mib * _MIB,
            pixels=max_pixels,
            regions=max_regions,
            seconds=max_seconds,
            waiting=count if waiting is None else waiting,
            keep_seconds=keep_seconds,
        ),
    )
    application = Application(
        settings, on_defect=lambda error: _tell(error, verbose), log=talk.detail
    )
    with listening(host, port) as listener:
        shown = f"[{host}]" if ":" in host else host
        talk.detail(
            f"model {identity.name} {identity.version}; {count} at a time, {budget // count} "
            f"thread{'s' * (budget // count > 1)} each"
        )
        write_error_line(f"serving http://{shown}:{listener.getsockname()[1]} until Ctrl-C")
        ended_by = serve_application(application, listener, grace_s=grace, say=write_error_line)
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


def serve_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is.")],
    tokens: Annotated[
        Path, typer.Option(metavar="FILE", help="Add the token's hash to this file.")
    ],
) -> None:
    """Add a token for `serve`, and print it once.

    The file keeps a hash of it alone. Removing its line takes the token back. A running server
    notices both.

    \b
    Example:
      distortion-graph serve-token ci --tokens tokens

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program.
    """
    from distortion_graph.serve.access import add_token

    write_output(add_token(tokens, name) + "\n")


def _tell(error: BaseException, verbose: bool) -> None:
    """Say a defect; the server goes on, so its exit code is of no use."""
    end(error, verbose=verbose)
