"""NetworkX and node-link JSON: what nodes and edges carry, the exact way back, other files."""

from __future__ import annotations

import copy
import json
import random

import networkx as nx
import pytest
from format_samples import empty, full, graphs, hostile, many, masked
from graph_samples import ALSO, changed
from hypothesis import given

from distortion_graph import DistortionGraph
from distortion_graph.base.errors import GraphError
from distortion_graph.formats.flat import EDGE_FACTS, NODE_FACTS, edge_rows, node_rows
from distortion_graph.formats.network import dumps, from_networkx, loads, to_networkx

SAMPLES = {
    "full": full(),
    "hostile": hostile(),
    "many": many(),
    "empty": empty(),
    "masked": masked()[0],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_round_trip_to_the_byte(name):
    graph = SAMPLES[name]
    assert from_networkx(graph.to_networkx()).to_json() == graph.to_json()
    assert loads(dumps(graph)).to_json() == graph.to_json()
    assert loads(dumps(graph, indent=1).encode()) == graph


@given(graphs())
def test_round_trip_of_any_graph(graph):
    assert from_networkx(to_networkx(graph)).to_json() == graph.to_json()
    assert loads(dumps(graph)).to_json() == graph.to_json()


def test_nodes_and_edges_carry_scalars():
    network = full().to_networkx()
    assert isinstance(network, nx.MultiDiGraph)
    assert set(network) == {
        *("anchor:7", "anchor:2", "anchor:scene"),
        *("target:7", "target:2", "target:scene"),
    }
    person = network.nodes["anchor:7"]
    assert (person["kind"], person["side"], person["region"]) == ("region", "anchor", 7)
    assert (person["name"], person["distortion"], person["severity"]) == (
        "person",
        "blur",
        "severe",
    )
    assert (person["score"], person["known"], person["mask_counts"]) == (0.7, 0.96875, "02:")
    assert json.loads(person["distortion_probabilities"])["blur"] == 0.9
    assert "also" not in person and "opinion" not in person
    noisy = network.nodes["target:7"]
    assert (noisy["opinion"], json.loads(noisy["also"])) == (0.375, ALSO)
    assert network.nodes["anchor:scene"]["opinion"] == 0.625
    # The target's mask is the anchor's; what is not known has no attribute.
    assert network.nodes["target:7"]["mask_counts"] == "02:"
    assert "area_fraction" not in network.nodes["anchor:2"]
    ((start, end, relation),) = (
        (u, v, d) for u, v, d in network.edges(data=True) if d["kind"] == "relation"
    )
    assert (start, end, relation["label"]) == ("anchor:7", "anchor:2", "holding")
    (edge,) = network["anchor:7"]["target:7"].values()
    assert (edge["label"], edge["rank"], edge["margin"]) == ("same", 0, 0.7 - 0.6)
    assert edge["measured"] is True and "psnr_db" not in edge and edge["ssim"] == 1.0
    assert json.loads(edge["more"]) == {"flip": 0.0, "ssimulacra2": None}
    assert [m["name"] for m in json.loads(network.graph["metrics"])] == ["flip", "ssimulacra2"]
    assert "metrics" not in empty().to_networkx().graph
    everything = [d for _, d in network.nodes(data=True)]
    everything += [d for *_, d in network.edges(data=True)]
    values = [v for d in (*everything, network.graph) for v in d.values()]
    assert {type(v) for v in values} <= {str, int, float, bool}


def test_rows_have_every_fact_of_the_scheme_in_its_type():
    for graph in SAMPLES.values():
        for rows, facts in ((node_rows(graph), NODE_FACTS), (edge_rows(graph), EDGE_FACTS)):
            for row in rows:
                assert list(row) == list(facts)
                assert all(v is None or isinstance(v, facts[k]) for k, v in row.items()), row


def test_a_relation_of_both_pictures_is_an_edge_in_each_and_one_relation_again():
    graph = DistortionGraph.model_validate(changed("relations.0.image", "both"))
    edges = [(u, v) for u, v, kind in graph.to_networkx().edges(data="kind") if kind == "relation"]
    assert edges == [("anchor:7", "anchor:2"), ("target:7", "target:2")]
    assert len(from_networkx(graph.to_networkx()).relations) == 1


def test_the_same_relation_twice_stays_twice():
    graph = full()
    twice = graph.model_copy(update={"relations": graph.relations * 2})
    assert from_networkx(twice.to_networkx()) == twice


def test_order_keys_and_attributes_of_other_tools_do_not_matter():
    graph = full()
    network = graph.to_networkx()
    other = nx.MultiDiGraph(**network.graph, node_default={})
    nodes, edges = list(network.nodes(data=True)), list(network.edges(data=True))
    random.Random(0).shuffle(nodes)
    random.Random(1).shuffle(edges)
    other.add_nodes_from((name, facts | {"x": 1.5, "colour": "red"}) for name, facts in nodes)
    other.add_edges_from((u, v, facts | {"weight": 2}) for u, v, facts in edges)
    assert from_networkx(other) == graph
    assert from_networkx(nx.DiGraph(other)) == graph


def test_node_link_is_networkx_own_and_older_links_are_read():
    graph = full()
    value = json.loads(dumps(graph))
    assert sorted(value) == ["directed", "edges", "graph", "multigraph", "nodes"]
    assert nx.utils.graphs_equal(nx.node_link_graph(value, edges="edges"), graph.to_networkx())
    value["links"] = value.pop("edges")
    assert loads(json.dumps(value)) == graph


def test_the_graph_is_not_changed_by_changing_the_network():
    graph = full()
    text = graph.to_json()
    graph.to_networkx().nodes["anchor:7"]["score"] = 0.0
    assert graph.to_json() == text


def edited(change):
    network = full().to_networkx()
    change(network)
    return network


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.graph.clear(), "a graph of another tool: the graph's facts have no 'schema'"),
        (lambda g: g.graph.update(schema="distortion-graph/2"), "newer than this program"),
        (lambda g: g.graph.pop("vocabulary"), "the key 'vocabulary' is missing"),
        (lambda g: g.graph.update(anchor="{"), "anchor: not valid JSON"),
        (lambda g: g.add_node("extra"), "node 'extra': kind is None, expected region or scene"),
        (
            lambda g: g.remove_node("target:7"),
            "node 'anchor:7' has no partner, expected 'target:7'",
        ),
        (lambda g: g.remove_node("anchor:7"), "expected the nodes anchor:7 and target:7"),
        (lambda g: g.remove_node("anchor:scene"), "half a scene"),
        (lambda g: g.remove_edges_from(list(g.edges)), "no comparison edge from 'anchor:7'"),
        (lambda g: g.nodes["target:7"].update(name="dog"), "name is 'dog', but 'person' at"),
        (lambda g: g.nodes["anchor:7"].update(region=8), "region 8, expected the nodes anchor:8"),
        (lambda g: g.nodes["anchor:7"].update(score="high"), "regions[0].anchor.score: expected"),
        (lambda g: g.nodes["anchor:7"].update(distortion="blurr"), "did you mean 'blur'?"),
        (lambda g: [d.update(position="1") for _, d in g.nodes(data=True)], "position is '1'"),
        (lambda g: [d.pop("label") for *_, d in g.edges(data=True)], "label"),
        (lambda g: g.add_edge("anchor:7", "nix", kind="relation"), "node 'nix'"),
        (lambda g: g.add_edge("anchor:7", "anchor:2"), "edge anchor:7 → anchor:2: kind is None"),
        (
            lambda g: g.add_edge("anchor:7", "anchor:scene", kind="relation", position=4),
            "expected two nodes of regions",
        ),
        (
            lambda g: g.add_edge("anchor:2", "anchor:7", kind="relation", position=0, label="on"),
            "position 0 is that of another relation",
        ),
    ],
)
def test_another_or_a_broken_network_is_one_line(change, words):
    with pytest.raises(GraphError) as caught:
        from_networkx(edited(change), "g.json")
    text = str(caught.value)
    assert text.startswith("g.json: ") and words in text and "\n" not in text


def test_an_undirected_graph_is_refused():
    with pytest.raises(GraphError, match="expected a directed graph"):
        from_networkx(nx.Graph(full().to_networkx()))


def spots(value):
    """Every container of a JSON value with a key of it."""
    keys = range(len(value)) if isinstance(value, list) else list(value)
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from spots(value[key])


@pytest.mark.parametrize("put", [..., None, [], {}, "x", -1, True, [{}], {"id": []}])
def test_a_node_link_value_spoiled_anywhere_is_a_graph_or_one_line(put):
    whole = json.loads(dumps(full()))
    for k in range(len(list(spots(whole)))):
        value = copy.deepcopy(whole)
        inside, key = list(spots(value))[k]
        if put is ...:
            del inside[key]
        else:
            inside[key] = put
        try:
            loads(json.dumps(value), where="g.json")
        except GraphError as error:
            assert str(error).startswith("g.json: ") and "\n" not in str(error)
