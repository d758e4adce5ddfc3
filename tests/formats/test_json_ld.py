"""JSON-LD: the triples that an RDF tool reads from it, and the exact way back."""

from __future__ import annotations

import json

import pytest
from format_samples import HOSTILE, empty, full, graphs, hostile, many, masked
from hypothesis import given
from optional import present
from rdflib import RDF, RDFS, Graph, Literal, Namespace

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.json_ld import RELATIONS, TERMS, dumps, loads, to_json_ld

DG = Namespace(TERMS)


def triples(graph):
    return Graph().parse(data=dumps(graph), format="json-ld")


@pytest.mark.parametrize("graph", [full(), hostile(), many(), empty(), masked()[0]])
def test_round_trip_to_the_byte(graph):
    assert loads(dumps(graph)).to_json() == graph.to_json()
    assert loads(dumps(graph, indent=2).encode()) == graph


@given(graphs())
def test_round_trip_of_any_graph(graph):
    assert loads(dumps(graph)).to_json() == graph.to_json()


def test_comparisons_and_relations_can_be_asked_for():
    found = triples(full()).query(
        """
        PREFIX dg: <urn:distortion-graph:1#>
        SELECT ?name ?what ?severity ?label ?margin WHERE {
          ?region a dg:Region ; <http://www.w3.org/2000/01/rdf-schema#label> ?name ;
                  dg:anchor ?a ; dg:target ?b ;
                  dg:comparison [ dg:label ?label ; dg:margin ?margin ] .
          ?a dg:comparesTo ?b .
          ?b dg:distortion [ dg:label ?what ] ; dg:severity [ dg:label ?severity ] .
        } ORDER BY ?name
        """
    )
    assert [tuple(v.toPython() for v in row) for row in found] == [
        ("Schläger", "haze", "severe", "significantly_better", 0.75),
        ("person", "noise", "minor", "same", pytest.approx(0.1)),
    ]
    held = triples(full()).query(
        f"""
        SELECT ?who ?what WHERE {{
          ?a <{RELATIONS}holding> ?b .
          ?r <{DG.anchor}> ?a ; <{RDFS.label}> ?who . ?s <{DG.anchor}> ?b ; <{RDFS.label}> ?what .
        }}
        """
    )
    assert [(str(a), str(b)) for a, b in held] == [("person", "Schläger")]


def test_further_distortions_are_a_list_of_nodes():
    read = triples(full())
    (node,) = (s for s, o in read.subject_objects(DG.also))
    assert str(node).endswith("#target:7")
    listed = list(read.collection(read.value(node, DG.also)))
    assert [str(read.value(further, DG.label)) for further in listed] == ["darken", "blur"]
    assert [str(read.value(further, DG.severity)) for further in listed] == ["moderate", "minor"]
    assert {read.value(further, RDF.type) for further in listed} == {DG.FurtherDistortion}
    assert read.value(node, DG.opinion).toPython() == 0.375


def test_lists_keep_their_order_and_probabilities_are_json():
    read = triples(full())
    (vocabulary,) = read.subjects(RDF.type, DG.Vocabulary)
    severities = read.collection(read.value(vocabulary, DG.severities))
    assert [str(s) for s in severities] == ["clean", "minor", "moderate", "severe"]
    boxes = {
        tuple(n.toPython() for n in read.collection(b)) for b in read.objects(None, DG.bbox_xywh_px)
    }
    assert boxes == {(0, 0, 1, 2)}
    maps = list(read.objects(None, DG.probabilities))
    assert len(maps) == 2 * 2 * 2 + 2 + 1
    assert all(m.datatype == RDF.JSON for m in maps)
    assert Literal("distortion-graph/1") in set(read.objects(None, DG.schema))


def test_further_metrics_are_a_list_and_their_values_json():
    read = triples(full())
    (root,) = read.subjects(RDF.type, DG.DistortionGraph)
    listed = list(read.collection(read.value(root, DG.metrics)))
    assert {read.value(metric, RDF.type) for metric in listed} == {DG.Metric}
    assert [str(read.value(metric, DG.licence)) for metric in listed] == ["BSD-3-Clause"] * 2
    assert str(read.value(listed[1], DG.range)) == "[null,100.0]"
    values = sorted(str(value) for value in read.objects(None, DG.more))
    assert values == ['{"flip":0.0,"ssimulacra2":null}', '{"flip":0.125,"ssimulacra2":62.5}']
    assert not any(key in to_json_ld(empty()) for key in ("metrics", "more"))


def test_everything_is_named_after_the_graph():
    value = to_json_ld(full())
    name = value["@id"]
    assert name.startswith("urn:distortion-graph:sha256:") and len(name.rpartition(":")[2]) == 64
    subjects = {str(s) for s in triples(full()).subjects() if not str(s).startswith("N")}
    assert all(s.startswith("urn:distortion-graph:") for s in subjects if ":" in s)
    assert f"{name}#anchor:7" in subjects and f"{name}#comparison:2" in subjects
    assert to_json_ld(full().swapped())["@id"] != name


def test_a_relation_of_both_pictures_and_hostile_predicates_are_iris():
    read = triples(hostile())
    edges = [p for _, p, _ in read if str(p).startswith(RELATIONS)]
    # Every second one is in both pictures.
    assert len(edges) == len(HOSTILE) + (len(HOSTILE) + 1) // 2
    assert len(set(edges)) == len(HOSTILE)


def test_additions_are_keys_with_an_at_sign_only():
    graph = full()
    value = json.loads(dumps(graph))
    native = json.loads(graph.to_json())
    extra = {key for key in value if key not in native}
    assert extra == {"@context", "@id", "@type", "@included"}


def test_labels_with_an_at_sign_are_kept():
    value = json.loads(full().to_json().replace('"haze"', '"@type"'))
    graph = loads(json.dumps(value))
    assert loads(dumps(graph)) == graph
    assert "@type" in present(graph.regions[0].anchor.distortion.probabilities)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"@context": "https://schema.org", "name": "x"}', "the key 'schema' is missing"),
        ('{"@context": {}, "schema": "distortion-graph/1"}', "is missing"),
        ('{"@context": {}, "x": ' + "[" * 700 + "]" * 700 + "}", "g: "),
    ],
)
def test_other_json_ld_is_one_line(text, words):
    with pytest.raises(GraphError) as caught:
        loads(text, where="g")
    assert words in str(caught.value) and "\n" not in str(caught.value)
