"""GraphML, by NetworkX's own writer and reader; it holds everything.

Texts that XML cannot hold (control characters in a name) are written as `json:` and a JSON string.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.network import from_networkx, to_networkx
from distortion_graph.formats.xml_text import check_xml, from_xml_text, to_xml_text
from distortion_graph.graph import DistortionGraph

if TYPE_CHECKING:
    import networkx as nx


def dumps(graph: DistortionGraph) -> str:
    """GraphML text in UTF-8, with its XML declaration."""
    import networkx as nx

    network = to_networkx(graph)
    for attributes in _all_attributes(network):
        for key, value in attributes.items():
            if isinstance(value, str):
                attributes[key] = to_xml_text(value)
    stream = io.BytesIO()
    nx.write_graphml_xml(network, stream)
    return stream.getvalue().decode("utf-8")


def loads(text: str | bytes, *, where: str = "GraphML") -> DistortionGraph:
    """Read GraphML that `dumps` wrote; raises GraphError, one line that begins with `where`.

    XML with a DOCTYPE is refused.
    """
    import networkx as nx

    data = text.encode("utf-8") if isinstance(text, str) else text
    check_xml(data, "graphml", where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys without a type
            network = nx.read_graphml(io.BytesIO(data), force_multigraph=True)
    except (
        nx.NetworkXError,
        SyntaxError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise GraphError(
            f"{where}: GraphML that cannot be read ({type(error).__name__}: {error!s:.80})"
        ) from error
    for attributes in _all_attributes(network):
        for key, value in attributes.items():
            if isinstance(value, str):
                attributes[key] = from_xml_text(value, f"{where}: {key}")
    return from_networkx(network, where)


def _all_attributes(network: nx.MultiDiGraph[str]) -> list[dict[str, Any]]:
    """The attributes of the graph, of its nodes and of its edges, to be changed in place."""
    nodes = [attributes for _, attributes in network.nodes(data=True)]
    edges = [attributes for *_, attributes in network.edges(data=True)]
    return [network.graph, *nodes, *edges]
