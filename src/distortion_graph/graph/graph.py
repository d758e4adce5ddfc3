"""The distortion graph: what is wrong in each region of two pictures, and which one is better.

Everything here is frozen, typed and validated; labels obey the graph's own vocabulary. A fact
that is not known is null, because graphs also come from published files and from language models.
Native JSON has one object with the key `schema` = "distortion-graph/1"; its JSON Schema is
`json_schema()`, stored beside the code in `schema/distortion-graph-1.schema.json`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from distortion_graph.base.errors import GraphError
from distortion_graph.base.json_text import has_half_characters
from distortion_graph.base.validation import IN_FILES, validation_line
from distortion_graph.base.vocabulary import UNCERTAIN, Vocabulary
from distortion_graph.graph.aligned import AlignmentInfo, RegionAlone, is_alone
from distortion_graph.graph.basis import Part
from distortion_graph.graph.checks import graph_problems
from distortion_graph.graph.metrics import MetricInfos
from distortion_graph.graph.parts import (
    Fitting,
    ImageInfo,
    ModelInfo,
    Node,
    RegionComparison,
    Relation,
    Scene,
    Side,
)
from distortion_graph.graph.referenced import ReferenceInfo, Scores

if TYPE_CHECKING:
    import networkx as nx
    import pandas
    from rich.tree import Tree

SCHEMA: Literal["distortion-graph/1"] = "distortion-graph/1"
"""The version of the native JSON that this package reads and writes."""


class DistortionGraph(Part):
    """Two pictures, their regions, and how the regions and the whole compare.

    Building one with contradicting values raises pydantic's `ValidationError`; `load_graph` reads
    a file or text and raises a one-line `GraphError` instead.

    `fit` says how pictures of unequal size were compared: "crop" is their common part from the top
    left corner, in which all regions lie; "resize" is the target scaled to the anchor's size. It
    is null where the sizes are equal, or where nobody said. `alignment` says how the target was
    found to lie on the anchor; null where nobody asked. `reference` is the original that both were
    measured against; null where there was none. `scores` says where scores come from; null where
    nobody said. `metrics` are those that evidence was measured by beside the four of every graph.

    `regions` are those that both pictures have, `alone` those that one picture alone has. In JSON
    all stand in one list, `regions`, the latter last.
    """

    schema_: Literal["distortion-graph/1"] = Field(default=SCHEMA, alias="schema")
    vocabulary: Vocabulary
    anchor: ImageInfo
    target: ImageInfo
    fit: Fitting | None = None
    alignment: AlignmentInfo | None = None
    reference: ReferenceInfo | None = None
    scores: Scores | None = None
    model: ModelInfo | None = None
    metrics: MetricInfos = ()
    regions: tuple[RegionComparison, ...]
    alone: tuple[RegionAlone, ...] = Field(default=(), json_schema_extra={IN_FILES: False})
    scene: Scene | None = None
    relations: tuple[Relation, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, value: Any) -> Any:
        """Take the regions of one picture out of a file's one list."""
        regions = value.get("regions") if isinstance(value, dict) else None
        if not isinstance(regions, list) or not any(map(is_alone, regions)):
            return value
        if "alone" in value:
            raise PydanticCustomError(
                "graph_problem",
                "{problem}",
                {"problem": "top level: unknown key 'alone', expected all in regions", "more": 0},
            )
        return value | {
            "regions": [region for region in regions if not is_alone(region)],
            "alone": [region for region in regions if is_alone(region)],
        }

    @model_serializer(mode="wrap")
    def _together(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        alone = written.pop("alone", ())
        if alone:
            written["regions"] = [*written["regions"], *alone]
        return written

    @model_validator(mode="after")
    def _check(self) -> DistortionGraph:
        problems = list(graph_problems(self))
        if problems:
            context = {"problem": problems[0], "more": len(problems) - 1}
            text = "{problem} (and {more} more)" if len(problems) > 1 else "{problem}"
            raise PydanticCustomError("graph_problem", text, context)
        return self

    def region(self, region_id: int) -> RegionComparison:
        """The region with that id; raises GraphError when there is none."""
        for region in self.regions:
            if region.id == region_id:
                return region
        known = ", ".join(str(region.id) for region in self.regions) or "none"
        raise GraphError(f"the graph has no region with the id {region_id} (ids: {known})")

    def picture_of(self, side: Side) -> ImageInfo:
        """What the graph knows of the anchor or the target picture."""
        return self.anchor if side == "anchor" else self.target

    def is_uncertain(self, node: Node) -> bool:
        """Whether the model calls its own label of a node unreliable."""
        threshold = None if self.model is None else self.model.known_threshold
        return node.known is not None and threshold is not None and node.known < threshold

    def in_words(self, node: Node) -> tuple[str, ...]:
        """What people read of a node: distortion and severity, such as ("too dark", "minor").

        The distortion alone where nothing is wrong, and ("uncertain",) where the node is.
        """
        if self.is_uncertain(node):
            return (UNCERTAIN,)
        labels = dict.fromkeys((node.distortion.label, node.severity.label))  # clean stands in both
        return tuple(map(self.vocabulary.in_words, labels))

    def text_of(self, node: Node, joint: str = ", ") -> str:
        """All that people read of a node, such as `compression, moderate; also blur, minor`.

        `joint` stands between a distortion and its severity. An uncertain node is `uncertain`.
        """
        said = self.vocabulary.in_words
        also = () if self.is_uncertain(node) else node.also
        further = [(f"also {said(f.label)}", said(f.severity)) for f in also]
        return "; ".join(map(joint.join, [self.in_words(node), *further]))

    def common_part(self) -> tuple[int, int] | None:
        """(h, w) of what was compared of both pictures from their top left corner, in pixels.

        None where it is all of them, or where the sizes are not known.
        """
        sides = self.anchor, self.target
        heights, widths = ([getattr(s, key) for s in sides] for key in ("height", "width"))
        if self.fit != "crop" or None in (*heights, *widths):
            return None
        return min(heights), min(widths)

    def swapped(self) -> DistortionGraph:
        """The graph of the same pictures with anchor and target exchanged.

        Comparisons are mirrored and margins negated; swapping twice gives the graph back.
        """
        other = {"anchor": "target", "target": "anchor", "both": "both"}
        return self.model_copy(
            update={
                "anchor": self.target,
                "target": self.anchor,
                "alignment": self.alignment and self.alignment.swapped(),
                "reference": self.reference and self.reference.swapped(),
                "regions": tuple(region.swapped(self.vocabulary) for region in self.regions),
                "alone": tuple(region.swapped() for region in self.alone),
                "scene": self.scene and self.scene.swapped(self.vocabulary),
                "relations": tuple(
                    relation.model_copy(update={"image": other[relation.image]})
                    for relation in self.relations
                ),
            }
        )

    def to_json(self, indent: int | None = None) -> str:
        """Native JSON: compact unless `indent` is given, keys in a fixed order, no NaN."""
        return self.model_dump_json(by_alias=True, indent=indent)

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """A NetworkX graph that holds everything; `formats.network.from_networkx` is the way back.

        Nodes are "anchor:7" and "target:7" a region, "anchor:scene" and "target:scene"; edges are
        comparisons from anchor to target, and relations inside a picture. See docs/formats.md.
        """
        from distortion_graph.formats.network import to_networkx

        return to_networkx(self)

    def to_dataframe(self, table: Literal["nodes", "edges"] = "nodes") -> pandas.DataFrame:
        """A row per node, or a row per edge with `table="edges"`; needs the tables extra.

        Nodes and edges are those of `to_networkx`. Raises OutputError where pandas is missing.
        """
        from distortion_graph.formats.tables import to_dataframe

        return to_dataframe(self, table)

    def __rich__(self) -> Tree:
        from distortion_graph.report.tree import tree

        return tree(self)

    def __str__(self) -> str:
        from distortion_graph.report.tree import tree_text

        return tree_text(self)

    def _repr_html_(self) -> str:
        from distortion_graph.report.html.table import notebook

        return notebook(self)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of native JSON, generated from the types."""
    schema = DistortionGraph.model_json_schema(by_alias=True)
    # In Python the version has a default; in a file it must stand.
    schema["required"] = ["schema", *schema["required"]]
    # In a file all regions stand in one list.
    alone = schema["properties"].pop("alone")["items"]
    regions = schema["properties"]["regions"]
    regions["items"] = {"anyOf": [regions["items"], alone]}
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "$id": "urn:distortion-graph:1", **schema}


def json_schema_text() -> str:
    """The text of the stored schema file, `schema/distortion-graph-1.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def load_graph(source: str | bytes | os.PathLike[str]) -> DistortionGraph:
    """Read a graph from a file, or from native JSON text (a string or bytes starting with `{`).

    Raises GraphError, one line naming the file and place, for a file that is missing or not JSON,
    another version of the schema, an unknown label or any other broken rule.
    """
    where, text = _read(source)
    return graph_from_value(parse_json(text, where), where)


def graph_from_value(value: Any, where: str) -> DistortionGraph:
    """The graph of parsed native JSON; raises GraphError as `load_graph` does, after `where`."""
    _check_version(value, where)
    try:
        return DistortionGraph.model_validate(value)
    except ValidationError as error:
        raise GraphError(validation_line(error, where, DistortionGraph)) from error


def _read(source: str | bytes | os.PathLike[str]) -> tuple[str, str | bytes]:
    """What to call the source in a message, and its text."""
    if isinstance(source, bytes):
        return "graph text", source
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return "graph text", source
    name = os.fspath(source)
    try:
        return name, Path(name).read_bytes()
    except FileNotFoundError:
        raise GraphError(f"{name}: no such file, expected a distortion graph in JSON") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GraphError(f"{name[:200]}: cannot be read as a graph file: {reason}") from error


def parse_json(text: str | bytes, where: str) -> Any:
    """Parse strict JSON in UTF-8; raises a one-line GraphError naming `where` and the position."""

    def refuse(constant: str) -> NoReturn:
        raise GraphError(f"{where}: {constant} is not allowed in JSON, expected a finite number")

    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(decoded.removeprefix("\ufeff"), parse_constant=refuse)
        if has_half_characters(decoded, value):
            raise GraphError(f"{where}: half of a character in a string, expected whole ones")
        return value
    except GraphError:
        raise
    except json.JSONDecodeError as error:
        spot = f"line {error.lineno}, column {error.colno}"
        raise GraphError(f"{where}: not valid JSON at {spot}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise GraphError(f"{where}: not UTF-8 text at byte {error.start}, expected JSON") from error
    except (ValueError, RecursionError) as error:
        raise GraphError(f"{where}: JSON cannot be read: {error}") from error


def _check_version(value: Any, where: str) -> None:
    """Say what to do about another version before its unknown keys are complained about."""
    if not isinstance(value, dict):
        raise GraphError(f"{where}: found a JSON {type(value).__name__}, expected a graph object")
    schema = value.get("schema")
    if schema == SCHEMA:
        return
    if schema is None and {"objects", "attributes", "relationships", "art"} <= value.keys():
        raise GraphError(
            f"{where}: this is the published four-list form, expected {SCHEMA!r}; read it with "
            "distortion_graph.formats.published"
        )
    if schema is None:
        raise GraphError(f"{where}: the key 'schema' is missing, expected {SCHEMA!r}")
    version = re.fullmatch(r"distortion-graph/(\d{1,9})", str(schema))
    newer = version and int(version[1]) > int(SCHEMA.rpartition("/")[2])
    advice = (
        "newer than this program: update it"
        if newer
        else "not a version this program knows: write the graph again with it"
    )
    raise GraphError(f"{where}: schema {str(schema)[:80]!r} is {advice}; understood is {SCHEMA!r}")
