"""A server of the Model Context Protocol, so that an assistant can compare pictures itself.

Tools read files of this machine and data URLs, fetch nothing and write nothing. A mistake in what
is asked comes back as a tool's error, one line, and the server goes on.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from distortion_graph.errors import DistortionGraphError, ImageError
from distortion_graph.files import encode_image
from distortion_graph.graph import DistortionGraph, Evidence, Node, SceneNode
from distortion_graph.images import Picture, load_picture
from distortion_graph.mllm.wording import MEANINGS
from distortion_graph.regions.spec_files import region_files
from distortion_graph.report.overlay import overlay
from distortion_graph.report.wording import is_uncertain, summary
from distortion_graph.runtime.compare import compare_pictures
from distortion_graph.runtime.session import Model
from distortion_graph.vocabulary import Vocabulary

NAME = "distortion-graph"
LARGEST_DATA_BYTES = 50 * 1024 * 1024
"""The largest picture that a data URL may hold."""

OVERLAY_SIDE_PX = 1568
"""An overlay's longer side is scaled down to this; larger pictures are of no use to most models."""

INSTRUCTIONS = (
    "Compares two pictures of the same scene, region by region: what is wrong in each region of "
    "either picture, how bad it is, and which of the two is better there. Labels and scores come "
    "from a trained model, the evidence is measured. A node that is uncertain may show something "
    "that the vocabulary has no word for."
)


class Told(BaseModel):
    """Base of what tools return."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToldNode(Told):
    """A region in one picture."""

    distortion: str
    distortion_probability: float | None
    severity: str
    score: float | None = Field(description="Visual quality, 1 = pristine.")
    known: float | None = Field(description="Probability that the vocabulary has a word for it.")
    uncertain: bool = Field(description="Whether the model asks not to be believed here.")


class ToldRegion(Told):
    """A region in both pictures; `comparison` is of the anchor against the target."""

    id: int
    name: str
    area_fraction: float | None
    box_xywh_px: tuple[int, int, int, int] | None
    anchor: ToldNode
    target: ToldNode
    comparison: str
    margin: float | None = Field(description="Score of the anchor minus score of the target.")
    evidence: Evidence | None = Field(description="Measured between the two pictures.")


class ToldScene(Told):
    """The pictures as wholes."""

    anchor: SceneNode
    target: SceneNode
    comparison: str | None
    margin: float | None


class Compared(Told):
    """What comparing two pictures gave."""

    summary: str
    warnings: list[str] = Field(description="What was taken otherwise than it is in the files.")
    anchor_size_px: tuple[int, int] = Field(description="Width and height.")
    target_size_px: tuple[int, int] = Field(description="Width and height.")
    scene: ToldScene | None
    regions: list[ToldRegion]
    graph: dict[str, Any] | None = Field(
        description="The graph in native JSON, without masks, where detail is full."
    )


class Described(Told):
    """The words that graphs use."""

    distortions: dict[str, str | None] = Field(description="Labels and what they mean.")
    severities: list[str] = Field(description="From nothing wrong to worst.")
    comparisons: dict[str, float] = Field(
        description="Labels, the anchor's worst first, and from which difference of scores on."
    )


@dataclass(frozen=True)
class Desk:
    """Opens pictures and compares them. Files must lie in one of `roots`, where there are any."""

    model: Model
    roots: tuple[Path, ...] = field(default=())

    def picture(self, source: str, side: str) -> Picture:
        """The picture of a path or data URL; raises DistortionGraphError."""
        if source.startswith("data:"):
            return load_picture(_data(source, side), name=side)
        if re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE):
            raise ImageError(
                f"{side}: {source[:80]!r} is a URL, expected a path on this machine or a data URL; "
                "nothing is fetched"
            )
        self.check(source)
        return load_picture(source)

    def check(self, path: str) -> None:
        """Raise ImageError for a path that leads out of the roots."""
        real = Path(os.path.realpath(path))
        if self.roots and not any(real.is_relative_to(root) for root in self.roots):
            places = ", ".join(map(str, self.roots))
            raise ImageError(f"{path}: lies outside of what this server may read ({places})")

    def compare(
        self, anchor: str, target: str, regions: str
    ) -> tuple[DistortionGraph, Picture, Picture]:
        """The graph of two pictures, and the pictures; raises DistortionGraphError."""
        for name in region_files(regions):
            if Path(name).exists():
                self.check(name)
        pictures = self.picture(anchor, "anchor"), self.picture(target, "target")
        graph = compare_pictures(*pictures, regions=regions, model=self.model)
        return graph, *pictures


def build_server(model: Model, roots: Sequence[Path] = ()) -> MCPServer[Any]:
    """A server with the tools `compare_images` and `describe_vocabulary`.

    Args:
        model: compares.
        roots: folders that files may be read from; none allows all that the user may read.

    Raises DistortionGraphError for a root that is no folder.
    """
    desk = Desk(model, tuple(_real_folder(root) for root in roots))
    server: MCPServer[Any] = MCPServer(
        NAME, version=version(NAME), instructions=INSTRUCTIONS, log_level="WARNING"
    )
    looks_only = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )

    def compare_images(
        anchor: Annotated[str, Field(description="The first picture: a path, or a data URL.")],
        target: Annotated[str, Field(description="The second one, of the same scene and size.")],
        regions: Annotated[
            str,
            Field(
                description="auto (found in the pictures), whole, grid:ROWSxCOLS, a label map "
                "PATH.png, or PATH.json with masks, polygons or boxes."
            ),
        ] = "auto",
        show_overlay: Annotated[
            bool, Field(description="Whether to return both pictures with the findings drawn in.")
        ] = True,
        detail: Annotated[
            Literal["summary", "full"], Field(description="full adds the graph itself.")
        ] = "summary",
    ) -> Annotated[CallToolResult, Compared]:
        """Compare two pictures of one scene region by region."""
        try:
            graph, first, second = desk.compare(anchor, target, regions)
        except DistortionGraphError as error:
            raise ToolError(str(error)) from None
        told = compared(graph, first, second, full=detail == "full")
        content: list[Any] = [TextContent(text=told.model_dump_json())]
        if show_overlay:
            drawn = fitted(overlay(graph, first.rgb, second.rgb))
            data = base64.b64encode(encode_image("overlay.png", drawn)).decode()
            content.append(ImageContent(data=data, mime_type="image/png"))
        return CallToolResult(content=content, structured_content=told.model_dump(mode="json"))

    def describe_vocabulary() -> Described:
        """What the labels in a comparison mean."""
        return described(model.vocabulary)

    server.tool(title="Compare two pictures", annotations=looks_only)(compare_images)
    server.tool(title="Explain the labels", annotations=looks_only)(describe_vocabulary)
    return server


def compared(graph: DistortionGraph, anchor: Picture, target: Picture, *, full: bool) -> Compared:
    """What is told of a graph."""
    scene = graph.scene
    told = None
    if scene is not None:
        said = scene.comparison
        told = ToldScene(
            anchor=scene.anchor,
            target=scene.target,
            comparison=said and said.label,
            margin=said and said.margin,
        )
    return Compared(
        summary=summary(graph),
        warnings=[*anchor.warnings, *target.warnings],
        anchor_size_px=(anchor.width, anchor.height),
        target_size_px=(target.width, target.height),
        scene=told,
        regions=[
            ToldRegion(
                id=region.id,
                name=region.name,
                area_fraction=region.area_fraction,
                box_xywh_px=region.bbox_of("anchor"),
                anchor=_node(graph, region.anchor),
                target=_node(graph, region.target),
                comparison=region.comparison.label,
                margin=region.comparison.margin,
                evidence=region.evidence,
            )
            for region in graph.regions
        ],
        graph=_without_masks(graph) if full else None,
    )


def described(vocabulary: Vocabulary) -> Described:
    """A vocabulary with what its labels mean, where that is known."""
    return Described(
        distortions={label: MEANINGS.get(label) for label in vocabulary.distortions},
        severities=list(vocabulary.severities),
        comparisons={level.label: level.min_abs_d for level in vocabulary.comparisons},
    )


def fitted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture scaled down to `OVERLAY_SIDE_PX` where it is larger."""
    height, width = rgb.shape[:2]
    scale = OVERLAY_SIDE_PX / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _node(graph: DistortionGraph, node: Node) -> ToldNode:
    return ToldNode(
        distortion=node.distortion.label,
        distortion_probability=node.distortion.probability,
        severity=node.severity.label,
        score=node.score,
        known=node.known,
        uncertain=is_uncertain(graph, node),
    )


def _without_masks(graph: DistortionGraph) -> dict[str, Any]:
    value = graph.model_dump(mode="json", by_alias=True)
    for region in value["regions"]:
        for side in ("anchor", "target"):
            region[side]["mask"] = None
    return value


def _data(url: str, side: str) -> bytes:
    """The bytes of a data URL in base 64."""
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ImageError(f"{side}: {head[:60]!r} is no data URL, expected data:image/…;base64,…")
    if len(body) * 3 // 4 > LARGEST_DATA_BYTES:
        raise ImageError(
            f"{side}: the data URL holds {len(body) * 3 // 4} bytes, expected at most "
            f"{LARGEST_DATA_BYTES}; give a path"
        )
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ImageError(f"{side}: the data URL is not in base 64 ({error})") from None


def _real_folder(path: Path) -> Path:
    if not path.is_dir():
        raise DistortionGraphError(f"{path}: no such folder, expected one for --root")
    return Path(os.path.realpath(path))
