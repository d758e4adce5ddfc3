"""An MCP server, so that an assistant can compare pictures itself.

Its tools only look: nothing is written, and nothing is fetched. What is wrong with a call is the
tool's error, one line, and the server goes on. The `mcp` package is imported when a server is
built.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import encode_image
from distortion_graph.graph import SIDES, Side, json_schema_text
from distortion_graph.graph.basis import Part
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.images import Picture
from distortion_graph.pictures.pairs import pair_warnings
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import Fit
from distortion_graph.regions.spec import LOCAL_SPECS_HELP
from distortion_graph.report.overlay import overlay
from distortion_graph.report.wording import printable
from distortion_graph.serve.access import Guard, Rules
from distortion_graph.serve.mcp_answers import (
    OVERLAY_PX,
    SCHEMA_URI,
    Comparison,
    Words,
    comparison_facts,
    fitted,
    paragraph,
    vocabulary_facts,
    vocabulary_text,
)
from distortion_graph.serve.mcp_files import Access
from distortion_graph.serve.mcp_offers import Offer, Outcome
from distortion_graph.serve.mcp_rank import rank_offer

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from mcp.server import Server, ServerRequestContext
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ListResourcesResult,
        ListToolsResult,
        PaginatedRequestParams,
        ReadResourceRequestParams,
        ReadResourceResult,
    )

    Context: TypeAlias = ServerRequestContext[Any]

NAME = "distortion-graph"

HTTP_PATH = "/mcp"
"""Where a server over HTTP answers."""

INSTRUCTIONS = (
    "Compares two pictures of the same scene, the anchor and the target, region by region: what is "
    "wrong in each region of either, how bad it is, and which of the two is better there. Labels "
    "and scores come from a trained model, evidence is measured from the pixels; with the original "
    "at hand, scores are measured against it. Ranks several pictures of one scene. A node that is "
    "uncertain may show something that the vocabulary has no word for: look at it yourself."
)

_PICTURES_PER_REQUEST = 3  # of the largest, in data URLs
_REQUEST_ROOM = 2**20  # bytes of a request beside its pictures
_LONGEST = 800  # characters of an error
_SCHEMA_TYPE = "application/schema+json"


class Question(Part):
    """The arguments of `compare_images`."""

    anchor: str = Field(
        description="The first picture: a path on the server's machine, or a data: URL in base64."
    )
    target: str = Field(description="The second picture, of the same scene; the same kinds.")
    regions: str = Field(
        "auto", description=f"Where the regions come from, on the anchor: {LOCAL_SPECS_HELP}."
    )
    reference: str | None = Field(
        None,
        description="The original that both were made from, where it is at hand: a picture of "
        "their size, of the same kinds, or 'anchor' or 'target' where it is one of the two. Scores "
        "are then measured against it.",
    )
    overlay: bool = Field(
        True,
        description="Return both pictures too, side by side, with the regions' numbers and what "
        f"was found drawn in (PNG, at most {OVERLAY_PX} px wide or high).",
    )
    detail: Literal["summary", "full"] = Field(
        "summary", description="full adds the whole graph, with the probability of every label."
    )
    masks: bool = Field(
        False, description="Keep the masks' run lengths in the whole graph; they are long."
    )
    align: AlignMode = Field(
        "auto",
        description="How the target may lie on the anchor: as simply as explains the two; not at "
        "all, pixel by pixel; shifted; also turned and scaled; in perspective; with small local "
        "motion.",
    )
    fit: Fit = Field(
        "error",
        description="A target of another size: lay it on the anchor as align says; compare the "
        "common part of both from the top left corner; scale it to the anchor if it has the same "
        "shape; or scale it in any case.",
    )

    @model_validator(mode="after")
    def _check(self) -> Question:
        if self.masks and self.detail != "full":
            raise ValueError("masks are part of the whole graph, expected detail='full' with them")
        return self


class NoQuestion(Part):
    """No arguments."""


def offers(model: Model, access: Access) -> dict[str, Offer]:
    """The tools by name."""

    def compare_images(question: Question) -> Outcome:
        regions = access.regions(question.regions)
        anchor = access.picture(question.anchor, "anchor")
        target = access.picture(question.target, "target")
        reference = _reference(access, question.reference)
        notes = list(pair_warnings(anchor, target))
        if isinstance(reference, Picture):
            notes += reference.warnings
        graph = compare_pictures(
            anchor,
            target,
            regions=regions,
            reference=reference,
            model=model,
            align=question.align,
            fit=question.fit,
            warn=notes.append,
        )
        full = question.detail == "full"
        facts = comparison_facts(graph, notes, full=full, masks=question.masks)
        png = None
        if question.overlay:
            png = encode_image("overlay.png", fitted(overlay(graph, anchor.rgb, target.rgb)))
        return Outcome(paragraph(graph, notes), facts, png)

    def describe_vocabulary(_: NoQuestion) -> Outcome:
        facts = vocabulary_facts(model.vocabulary, model.identity.known_threshold)
        return Outcome(vocabulary_text(model.vocabulary), facts)

    return {
        "compare_images": Offer(
            "Compare two pictures",
            "Compare two pictures of the same scene region by region: what is wrong in each region "
            "of either picture, how bad it is, a quality score, which picture is better, and "
            "measured differences.",
            Question,
            Comparison,
            compare_images,
            heavy=True,
        ),
        "rank_images": rank_offer(model, access),
        "describe_vocabulary": Offer(
            "Explain the labels",
            "What the distortion labels mean, the scale of severities, and from which difference "
            "of scores on one picture is called better.",
            NoQuestion,
            Words,
            describe_vocabulary,
        ),
    }


def _reference(access: Access, source: str | None) -> Picture | Side | None:
    """The original of a pair: a picture, one of the two, or none."""
    if source is None:
        return None
    for side in SIDES:
        if source == side:
            return side
    return access.picture(source, "reference")


def build_server(
    model: Model,
    access: Access | None = None,
    *,
    on_defect: Callable[[BaseException], None] = lambda error: None,
) -> Server[Any]:
    """A server with the tools of `offers` and the JSON Schema of graphs.

    Args:
        model: finds what is wrong.
        access: what may be read; all that the user may read, without it.
        on_defect: told of errors that are not the client's fault.
    """
    import anyio
    from mcp.server import Server

    # A comparison keeps all cores busy by itself, and several at once would add up their memory.
    handlers = _Handlers(offers(model, access or Access()), anyio.CapacityLimiter(1), on_defect)
    return Server(
        NAME,
        version=version(NAME),
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_read_resource=handlers.read_resource,
    )


async def serve_stdio(server: Server[Any]) -> None:
    """Serve on standard input and output until the input ends."""
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def serve_http(
    server: Server[Any], listener: socket.socket, access: Access, rules: Rules | None = None
) -> None:
    """Serve streamable HTTP at `HTTP_PATH` of a listening socket until interrupted.

    Requests that the rules do not allow, such as those of pages of the web, are refused; without
    rules this machine alone is answered.
    """
    import uvicorn
    from mcp.server.transport_security import TransportSecuritySettings

    pictures = _PICTURES_PER_REQUEST * access.max_data_bytes * 4 // 3
    app = server.streamable_http_app(
        streamable_http_path=HTTP_PATH,
        stateless_http=True,
        json_response=True,
        max_request_body_size=pictures + _REQUEST_ROOM,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    config = uvicorn.Config(Guard(app, rules or Rules()), log_level="warning", access_log=False)
    await uvicorn.Server(config).serve([listener])


@dataclass(frozen=True)
class _Handlers:
    """Answers to the protocol's requests."""

    tools: Mapping[str, Offer]
    one_at_a_time: CapacityLimiter
    on_defect: Callable[[BaseException], None]

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        from mcp import types

        looks_only = types.ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        )
        tools = [
            types.Tool(
                name=name,
                title=offer.title,
                description=offer.description,
                input_schema=offer.question.model_json_schema(),
                output_schema=offer.facts.model_json_schema(mode="serialization"),
                annotations=looks_only,
            )
            for name, offer in self.tools.items()
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(self, _: Context, params: CallToolRequestParams) -> CallToolResult:
        from anyio.to_thread import run_sync
        from mcp import MCPError, types

        name, offer = params.name, self.tools.get(params.name)
        if offer is None:
            known = ", ".join(self.tools)
            raise MCPError(types.INVALID_PARAMS, f"no tool {name!r}, expected one of {known}")
        limiter = self.one_at_a_time if offer.heavy else None
        try:
            return _result(
                await run_sync(offer.answer, name, params.arguments or {}, limiter=limiter)
            )
        except DistortionGraphError as error:
            return _refusal(str(error))
        except OSError as error:
            return _refusal(f"{error.filename}: {error.strerror or error}")
        except MemoryError:
            return _refusal("not enough memory for these pictures; use smaller ones")
        except Exception as error:
            self.on_defect(error)
            return _refusal(f"defect of the program: {type(error).__name__}; please report it")

    async def list_resources(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        from mcp import types

        schema = types.Resource(
            uri=SCHEMA_URI,
            name="schema",
            title="JSON Schema of distortion graphs",
            description="The form of the graph that compare_images gives with detail 'full'.",
            mime_type=_SCHEMA_TYPE,
        )
        return types.ListResourcesResult(resources=[schema])

    async def read_resource(
        self, _: Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        from mcp import MCPError, types

        uri = str(params.uri)
        if uri != SCHEMA_URI:
            raise MCPError(types.INVALID_PARAMS, f"no resource {uri!r}, expected {SCHEMA_URI}")
        text = types.TextResourceContents(uri=uri, mime_type=_SCHEMA_TYPE, text=json_schema_text())
        return types.ReadResourceResult(contents=[text])


def _result(outcome: Outcome) -> CallToolResult:
    """Text, facts and picture as the protocol has them."""
    from mcp import types

    facts = outcome.facts.model_dump(mode="json")
    # The facts as text too, for clients that know nothing of structured content.
    texts = [outcome.text, json.dumps(facts, ensure_ascii=False, separators=(",", ":"))]
    content: list[types.ContentBlock] = [types.TextContent(text=text) for text in texts]
    if outcome.png is not None:
        data = base64.b64encode(outcome.png).decode("ascii")
        content.append(types.ImageContent(data=data, mime_type="image/png"))
    return types.CallToolResult(content=content, structured_content=facts)


def _refusal(line: str) -> CallToolResult:
    from mcp import types

    text = printable(" ".join(line.split()))
    if len(text) > _LONGEST:
        # What is wrong stands at the end, what it is about at the beginning.
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
