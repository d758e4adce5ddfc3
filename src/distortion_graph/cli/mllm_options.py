"""What `ask` and `mllm eval` have in common: which model is asked, how, and at what price."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.cli.extras import need_extra

if TYPE_CHECKING:
    from distortion_graph.mllm.client.budget import Prices
    from distortion_graph.mllm.client.client import Client
    from distortion_graph.mllm.client.messages import Backend

LOCAL = "local:"
_MODULES = ("openai", "tenacity", "platformdirs", "json_repair", "scipy")

MODEL_HELP = (
    "Ask this model: its name at an OpenAI-compatible endpoint, NAME@http://HOST/v1 for one "
    "elsewhere, or local:FOLDER for a transformers model in this process."
)
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Send requests to this endpoint; by default OPENAI_BASE_URL or, if unset, OpenAI's.",
    ),
]
KeyVariable: TypeAlias = Annotated[
    str, typer.Option(metavar="NAME", help="Read the key from this environment variable.")
]
Structured: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--structured/--no-structured",
        help="Ask for an answer in a JSON schema, where the endpoint can.",
    ),
]
Stream: TypeAlias = Annotated[bool, typer.Option("--stream", help="Receive answers as streams.")]
Prompts: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Use your own prompts in DIR, such as regions.2.txt; see docs/mllm.md."
    ),
]
MaxSide: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=64,
        metavar="PX",
        help="Scale pictures down to PX along their longer side; crops stay as they are.",
    ),
]
MaxOutputTokens: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=16, metavar="N", help="Allow an answer of N tokens; by default more for more regions."
    ),
]
Temperature: TypeAlias = Annotated[
    float, typer.Option(min=0, max=2, help="Set the language model's temperature; 0 varies least.")
]
RequestsPerMinute: TypeAlias = Annotated[
    float | None, typer.Option(min=0.1, metavar="N", help="Send at most N requests per minute.")
]
Timeout: TypeAlias = Annotated[
    float, typer.Option(min=1, metavar="S", help="Wait at most S seconds for each request.")
]
Retries: TypeAlias = Annotated[
    int, typer.Option(min=0, metavar="N", help="Try a request again at most N times.")
]
Price: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="IN,OUT", help="Count costs at these dollars per million input and output tokens."
    ),
]
MaxCost: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0, metavar="DOLLARS", help="Spend at most DOLLARS; needs --price."),
]
MaxTokens: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Use at most N tokens in all.")
]
CacheFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Keep answers in DIR, so that asking again costs nothing."),
]
AskAgain: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--ask-again",
        help="Send requests again that were under way when an earlier run was killed.",
    ),
]


def need_mllm(command: str) -> None:
    """Raise one clear line unless the mllm extra is there."""
    need_extra(command, "mllm", *_MODULES)


@dataclass(frozen=True)
class ModelSpec:
    """`[LABEL=]MODEL[@URL]` or `[LABEL=]local:FOLDER`."""

    label: str
    model: str
    url: str | None

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """Read one; raises DistortionGraphError for an empty name."""
        label, equals, rest = text.partition("=")
        if not equals or "/" in label or label.startswith(LOCAL):
            label, rest = "", text
        model, at, url = rest.rpartition("@")
        if at and "://" not in url and re.search(r"[:/]|^localhost$", url):
            raise DistortionGraphError(
                f"--model {text!r}: {url!r} is no URL, expected NAME@http://HOST/v1 or https://"
            )
        if not at or not url.startswith(("http://", "https://")):
            model, url = rest, ""
        if not model.removeprefix(LOCAL).strip():
            raise DistortionGraphError(
                f"--model {text!r}: no model's name, expected [LABEL=]NAME[@URL] or local:FOLDER"
            )
        shown = Path(model.removeprefix(LOCAL)).name if model.startswith(LOCAL) else model
        return cls(label.strip() or shown, model, url or None)


@dataclass(frozen=True)
class Connection:
    """How endpoints are reached, and what may be spent."""

    base_url: str | None
    key_variable: str
    timeout_s: float
    structured: bool
    stream: bool
    requests_per_minute: float | None
    retries: int
    price: str | None
    max_cost: float | None
    max_tokens: int | None
    cache: Path | None
    ask_again: bool


def open_clients(
    specs: Sequence[ModelSpec],
    connection: Connection,
    stop: Event,
    on_retry: Callable[[str], None],
) -> list[Client]:
    """A client a model; all share the cache and what may be spent.

    Raises one line for a missing extra, key or folder, and for prices that cannot be read.
    """
    from distortion_graph.mllm.client.budget import Budget, Prices
    from distortion_graph.mllm.client.cache import ReplyCache, default_folder
    from distortion_graph.mllm.client.client import Client

    prices: Prices | None = Prices.parse(connection.price) if connection.price else None
    budget = Budget(max_cost=connection.max_cost, max_tokens=connection.max_tokens, prices=prices)
    cache = ReplyCache(connection.cache or default_folder())
    return [
        Client(
            _backend(spec, connection),
            cache,
            requests_per_minute=connection.requests_per_minute,
            retries=connection.retries,
            budget=budget,
            ask_again=connection.ask_again,
            stop=stop,
            on_retry=on_retry,
        )
        for spec in specs
    ]


def _backend(spec: ModelSpec, connection: Connection) -> Backend:
    if spec.model.startswith(LOCAL):
        from distortion_graph.cli.extras import need_torch
        from distortion_graph.mllm.client.local import LocalModel

        need_torch("ask of a local model", "transformers")
        return LocalModel(spec.model.removeprefix(LOCAL))
    from distortion_graph.mllm.client.endpoint import OpenAIEndpoint

    return OpenAIEndpoint(
        spec.model,
        base_url=spec.url or connection.base_url,
        key_variable=connection.key_variable,
        timeout_s=connection.timeout_s,
        structured="auto" if connection.structured else "off",
        stream=connection.stream,
    )
