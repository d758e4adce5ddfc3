"""GraphML: the exact way back through XML, hostile words, and XML that is refused."""

from __future__ import annotations

from xml.etree import ElementTree

import networkx as nx
import pytest
from format_samples import HOSTILE, empty, full, graphs, hostile, many, masked
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.graphml import dumps, loads
from distortion_graph.formats.network import from_networkx
from distortion_graph.formats.xml_text import from_xml_text, to_xml_text


@pytest.mark.parametrize("graph", [full(), hostile(), many(), empty(), masked()[0]])
def test_round_trip_to_the_byte(graph):
    assert loads(dumps(graph)).to_json() == graph.to_json()
    assert loads(dumps(graph).encode()) == graph


@given(graphs())
def test_round_trip_of_any_graph(graph):
    assert loads(dumps(graph)).to_json() == graph.to_json()


@given(st.text())
def test_any_text_survives_an_element_of_xml(text):
    element = ElementTree.Element("a")
    element.text = to_xml_text(text)
    read = ElementTree.fromstring(ElementTree.tostring(element)).text or ""
    assert from_xml_text(read, "x") == text


def test_only_text_that_xml_cannot_hold_is_escaped():
    assert to_xml_text('naïve <b> & "x" 🙂\n\t') == 'naïve <b> & "x" 🙂\n\t'
    assert to_xml_text("a\0") == 'json:"a\\u0000"'
    assert to_xml_text("a\r\n") == 'json:"a\\r\\n"'
    assert to_xml_text("json:x") == 'json:"json:x"'
    for bad in ("json:", "json:{}", "json:'x'"):
        with pytest.raises(GraphError, match="here: "):
            from_xml_text(bad, "here")


def test_networkx_reads_it_by_itself(tmp_path):
    path = tmp_path / "g.graphml"
    path.write_text(dumps(full()), "utf-8")
    network = nx.read_graphml(path)
    assert network.nodes["anchor:7"]["score"] == 0.7
    assert network.nodes["target:2"]["name"] == "Schläger"
    assert from_networkx(network) == full()
    # And what NetworkX writes of a graph is read here.
    nx.write_graphml(full().to_networkx(), path)
    assert loads(path.read_bytes()) == full()


def test_ids_of_edges_are_unique_names():
    root = ElementTree.fromstring(dumps(many(3)))
    ids = [e.get("id") for e in root.iter("{http://graphml.graphdrawing.org/xmlns}edge")]
    assert len(set(ids)) == len(ids) and "relation:0:anchor" in ids


def test_names_stand_there_for_people_to_read():
    text = dumps(hostile())
    assert HOSTILE[1] in text and 'json:"bell\\u0007 nul\\u0000' in text


BOMB = """<?xml version="1.0"?>
<!DOCTYPE graphml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<graphml>&b;</graphml>"""
OTHER = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<graph edgedefault="directed"><node id="a"/></graph></graphml>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "XML with a DOCTYPE, which is not read"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><graphml/>', "XML with a DOCTYPE"),
        ("<graphml>", "not valid XML: no element found"),
        ("<graphml>&b;</graphml>", "not valid XML: undefined entity"),
        ("<graphml></graph>", "not valid XML: mismatched tag: line 1"),
        ("<svg/>", "found XML of <svg>, expected <graphml>"),
        ("<graphml/>", "GraphML that cannot be read"),
        (OTHER, "a graph of another tool"),
        (OTHER.replace('<node id="a"/>', '<node id="a"><data key="d"/></node>'), "no key d"),
        (dumps(full()).replace(">0.7<", ">seven<"), "could not convert"),
        (dumps(full()).replace("directed", "undirected"), "expected a directed graph"),
        (dumps(full()).replace(">person<", ">json:person<"), "name: not valid JSON"),
        (dumps(full()).replace('attr.type="double"', 'attr.type="nix"'), "KeyError: 'nix'"),
        ("<graphml>\0</graphml>", "not valid XML"),
        ('<?xml version="1.0" encoding="nix"?><graphml/>', "not valid XML: unknown encoding"),
    ],
)
def test_other_xml_is_one_line(text, words):
    with pytest.raises(GraphError) as caught:
        loads(text, where="g.graphml")
    line = str(caught.value)
    assert line.startswith("g.graphml: ") and words in line and "\n" not in line


def test_a_file_cut_anywhere_is_one_line():
    data = dumps(full()).encode()
    for length in range(0, len(data) - 2, 61):
        with pytest.raises(GraphError, match=r"^g: "):
            loads(data[:length], where="g")
