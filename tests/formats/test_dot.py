"""DOT: a strict reading of its tokens, and what is drawn."""

from __future__ import annotations

import re
from typing import Any

import pytest
from format_samples import empty, full, graphs, hostile, many
from graph_samples import native
from hypothesis import given
from optional import present

from distortion_graph.formats.dot import dumps
from distortion_graph.graph import DistortionGraph

TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z_0-9]*)|(?P<mark>->|[{}\[\]=,;]))'
)


class Reader:
    """The part of the grammar that is used; anything else fails."""

    def __init__(self, text):
        self.tokens, at = [], 0
        assert "\0" not in text
        while text[at:].strip():
            found = TOKEN.match(text, at)
            assert found, text[at : at + 60]
            kind = present(found.lastgroup)
            self.tokens.append((kind, found[kind]))
            at = found.end()
        self.nodes, self.edges, self.clusters = {}, [], {}
        self.take("digraph"), self.take()
        self.block(None)
        assert not self.tokens

    def take(self, *expected):
        kind, text = self.tokens.pop(0)
        assert not expected or text in expected, (text, expected)
        return text if kind != "string" else text[1:-1]

    def block(self, cluster):
        self.take("{")
        while self.tokens[0][1] != "}":
            self.statement(cluster)
        self.take("}")

    def statement(self, cluster):
        if self.tokens[0][1] == "subgraph":
            self.take()
            name = self.take()
            self.clusters[name] = []
            self.block(name)
            return
        is_word = self.tokens[0][0] == "word"
        name = self.take()
        mark = self.tokens[0][1]
        if mark == "=":
            self.take(), self.take()
        elif mark == "->":
            self.take()
            self.edges.append((name, self.take(), self.attributes()))
        elif is_word:
            assert name in ("node", "edge")
            self.attributes()
        else:
            self.nodes[name] = self.attributes()
            self.clusters[cluster].append(name)
        self.take(";")

    def attributes(self):
        found: dict[Any, Any] = {}
        if self.tokens[0][1] != "[":
            return found
        self.take("[")
        while True:
            key = self.take()
            self.take("=")
            found[key] = self.take()
            if self.take(",", "]") == "]":
                return found


def test_what_is_drawn():
    drawn = Reader(dumps(full()))
    assert drawn.clusters == {
        "cluster_anchor": ["anchor:7", "anchor:2", "anchor:scene"],
        "cluster_target": ["target:7", "target:2", "target:scene"],
    }
    assert drawn.nodes["anchor:7"]["label"] == r"7 person\nblur, severe\n0.7"
    assert drawn.nodes["target:scene"]["label"] == r"scene\n0.5"
    assert drawn.edges == [
        ("anchor:7", "target:7", {"label": "same"}),
        ("anchor:2", "target:2", {"label": "significantly better"}),
        ("anchor:scene", "target:scene", {"label": "slightly better"}),
        (
            "anchor:7",
            "anchor:2",
            {"label": "holding", "style": "dashed", "constraint": "false"},
        ),
    ]


def test_the_higher_the_severity_the_greyer():
    colours = {k: v.get("fillcolor") for k, v in Reader(dumps(full())).nodes.items()}
    assert colours["anchor:2"] == "gray100"  # clean
    assert colours["target:7"] == "gray85"  # minor
    assert colours["anchor:7"] == "gray55"  # severe
    assert colours["anchor:scene"] is None


def test_labels_stand_as_people_read_them():
    value = native()
    for belief in ("distortion", "severity"):
        value["regions"][0]["target"][belief] |= {"probability": None, "probabilities": None}
    value["regions"][0]["target"]["distortion"]["label"] = "saturate_dec"
    drawn = Reader(dumps(DistortionGraph.model_validate(value)))
    also = "; also too dark, moderate; also blur, minor"
    assert drawn.nodes["target:7"]["label"] == (rf"7 person\nwashed-out colours, minor{also}\n0.6")
    assert drawn.nodes["anchor:2"]["label"] == r"2 Schläger\nclean\n1.0"
    value["regions"][0]["target"]["known"] = 0.25
    drawn = Reader(dumps(DistortionGraph.model_validate(value)))
    assert drawn.nodes["target:7"]["label"] == r"7 person\nuncertain\n0.6"
    assert drawn.nodes["target:7"]["fillcolor"] == "gray100"


def test_quotes_backslashes_entities_and_controls():
    labels = [a["label"] for a in Reader(dumps(hostile())).nodes.values()]
    assert labels[0].startswith(r"0 <b attr=\"x\">&amp;amp; '&' ]]></b>\n")
    assert labels[3].startswith(r"9 bell  nul  escape [31m\n")
    assert labels[9].startswith(r"27 \\N \\ \\\\n\n")
    assert all(text.isprintable() for text in labels)


@pytest.mark.parametrize("graph", [empty(), many()])
def test_none_and_many_regions(graph):
    drawn = Reader(dumps(graph))
    scene = 2 * (graph.scene is not None)
    assert len(drawn.nodes) == 2 * len(graph.regions) + scene


@given(graphs())
def test_any_graph_can_be_read(graph):
    drawn = Reader(dumps(graph))
    for start, end, _ in drawn.edges:
        assert {start, end} <= drawn.nodes.keys()
