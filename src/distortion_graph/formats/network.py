"""A graph in NetworkX, and its node-link JSON; both hold everything, and nothing is pickled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.flat import edge_rows, node_rows, scalars, whole_facts
from distortion_graph.formats.unflat import graph_from_rows
from distortion_graph.graph import DistortionGraph, parse_json

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(graph: DistortionGraph) -> nx.MultiDiGraph[str]:
    """Nodes, edges and graph with the facts of `flat` as attributes, all of them scalars.

    A fact that is not known has no attribute; maps, and the vocabulary, pictures and model of
    `MultiDiGraph.graph`, are JSON text.
    """
    import networkx as nx

    network = nx.MultiDiGraph(**whole_facts(graph))
    for row in node_rows(graph):
        attributes = scalars(row)
        network.add_node(attributes.pop("node"), **attributes)
    for row in edge_rows(graph):
        attributes = scalars(row)
        source, target = attributes.pop("source"), attributes.pop("target")
        kind, side = attributes["kind"], str(source).partition(":")[0]
        key = f"{kind}:{attributes['position']}" if "position" in attributes else kind
        key = f"{key}:{side}" if kind == "relation" else key
        network.add_edge(source, target, key=key, **attributes)
    return network


def from_networkx(network: nx.Graph[Any], where: str = "NetworkX graph") -> DistortionGraph:
    """The graph of a NetworkX graph as `to_networkx` makes it.

    Keys of edges do not matter, nor attributes of other names. Raises GraphError, one line that
    begins with `where`, for a graph of another kind or one that breaks a rule.
    """
    if not network.is_directed() or not isinstance(network.graph, dict):
        raise GraphError(f"{where}: expected a directed graph, made by distortion-graph")
    nodes = [{**facts, "node": name} for name, facts in network.nodes(data=True)]
    edges = [
        {**facts, "source": source, "target": target}
        for source, target, facts in network.edges(data=True)
    ]
    return graph_from_rows(network.graph, nodes, edges, where)


def dumps(graph: DistortionGraph, indent: int | None = None) -> str:
    """Node-link JSON, as NetworkX and D3 read it."""
    import networkx as nx

    value = nx.node_link_data(to_networkx(graph), edges="edges")
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def loads(text: str | bytes, *, where: str = "node-link graph") -> DistortionGraph:
    """Read node-link JSON; raises GraphError as `from_node_link` does."""
    return from_node_link(parse_json(text, where), where=where)


def is_node_link(value: Any) -> bool:
    """Whether a JSON value is node-link, of this or another tool."""
    return isinstance(value, dict) and "nodes" in value and bool({"edges", "links"} & value.keys())


def from_node_link(value: Any, *, where: str = "node-link graph") -> DistortionGraph:
    """The graph of a node-link value; older writers say `links` for `edges`.

    Raises GraphError as `from_networkx` does, and for a value that is no node-link graph.
    """
    import networkx as nx

    if not is_node_link(value):
        raise GraphError(f"{where}: expected a node-link graph with the lists nodes and edges")
    try:
        network = nx.node_link_graph(value, edges="edges" if "edges" in value else "links")
    except (nx.NetworkXError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise GraphError(
            f"{where}: damaged node-link graph ({type(error).__name__}: {error!s:.80}), expected "
            "nodes with an id, and edges with source and target"
        ) from error
    return from_networkx(network, where)
