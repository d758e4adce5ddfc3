"""Whatever shows a graph to people says the same words of it, and no label of the files."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from optional import present
from report_samples import pair
from rich.console import Console

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.formats import dot
from distortion_graph.graph import FurtherDistortion, ModelInfo
from distortion_graph.mllm.ask.assessment import Wish, assessment_values
from distortion_graph.report import overlay as overlay_module
from distortion_graph.report import sheet as sheet_module
from distortion_graph.report.graph_drawing import draw_graph
from distortion_graph.report.html.gallery import Pair, gallery_page
from distortion_graph.report.html.page import ReportPicture, report_page
from distortion_graph.report.overlay import overlay
from distortion_graph.report.sheet import sheet
from distortion_graph.report.table import render
from distortion_graph.report.tree import tree_text
from distortion_graph.report.wording import summary
from distortion_graph.serve.mcp_answers import comparison_facts

V = DEFAULT_VOCABULARY
# Labels that are no English, and those that say what was done and not what one sees.
LABELS = [label for label in V.distortions if V.in_words(label) != label]


def believed(node, label, severity, known=None):
    beliefs = (node.distortion, label), (node.severity, severity)
    distortion, how_bad = (b.model_copy(update={"label": text}) for b, text in beliefs)
    return node.model_copy(update={"distortion": distortion, "severity": how_bad, "known": known})


def sample(known=None, vocabulary=V):
    """A pair with a region for every distortion: in the anchor clean, in the target that one."""
    made = pair(5, 3, h=400, w=600)
    regions = tuple(
        region.model_copy(
            update={
                "anchor": believed(region.anchor, "clean", "clean"),
                "target": believed(
                    region.target, label, "clean" if label == "clean" else "severe", known
                ),
            }
        )
        for region, label in zip(made.graph.regions, V.distortions, strict=True)
    )
    share = 1 / len(V.distortions)
    shares = {"clean": 1.0}, {label: share for label in V.distortions}
    anchor, target = (
        node.model_copy(update={"distortion_share": part})
        for node, part in zip(
            (made.graph.scene.anchor, made.graph.scene.target), shares, strict=True
        )
    )
    graph = made.graph.model_copy(
        update={
            "regions": regions,
            "model": ModelInfo(name="small", known_threshold=0.5),
            "vocabulary": vocabulary,
            "scene": made.graph.scene.model_copy(update={"anchor": anchor, "target": target}),
        }
    )
    return made, graph


def table_at(width):
    def shown(made, graph, monkeypatch):
        text = io.StringIO()
        console = Console(file=text, width=width)
        console.print(render(graph, width))
        return text.getvalue()

    return shown


def written(module, draw):
    """The texts that a picture is drawn with."""

    def shown(made, graph, monkeypatch):
        texts = []
        write = module.write_middle

        def note(canvas, text, *more):
            texts.append(text)
            write(canvas, text, *more)

        monkeypatch.setattr(module, "write_middle", note)
        draw(graph, made.anchor.image, made.target.image)
        return "\n".join(texts)

    return shown


def chips(made, graph, monkeypatch):
    """The texts that the overlay's labels may have, the longest among them."""
    texts = []
    chip = vars(overlay_module)["Chip"]

    def note(number, text, *more):
        texts.append(text)
        return chip(number, text, *more)

    monkeypatch.setattr(overlay_module, "Chip", note)
    overlay(graph, made.anchor.image, made.target.image)
    return "\n".join(texts)


def page(made, graph, monkeypatch):
    text = report_page(graph, (ReportPicture(None), ReportPicture(None)))
    body = text.partition("<body")[2]
    data = present(re.search(r'<script[^>]*id="view"[^>]*>(.*?)</script>', body, re.S))[1]
    return re.sub(r"<script.*?</script>", "", body, flags=re.S) + data


def drawing(made, graph, monkeypatch):
    root = ElementTree.fromstring(draw_graph(graph, collapse=False))
    return "\n".join(e.text or "" for e in root.iter() if e.tag.endswith("}text"))


SURFACES = {
    "table": table_at(80),
    "wide table": table_at(120),
    "tree": lambda made, graph, _: tree_text(graph),
    "notebook": lambda made, graph, _: graph._repr_html_(),
    "report": page,
    "overlay": chips,
    "sheet": written(sheet_module, lambda *given: sheet(*given, 99)),  # type: ignore[call-arg]
    "drawing": drawing,
    "dot": lambda made, graph, _: dot.dumps(graph),
    "assessment": lambda made, graph, _: assessment_values(
        graph, {r.id for r in graph.regions}, Wish()
    )["hint"],
}


def words_in(text):
    """The text with any white space as one blank, so that broken lines are whole again."""
    return " ".join(text.split())


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_has_the_words_and_no_label(surface, monkeypatch):
    text = words_in(SURFACES[surface](*sample(), monkeypatch))
    for label in V.distortions:
        assert V.in_words(label) in text, label
    for label in LABELS:
        spellings = f"{label}|{label.replace('_', ' ')}"
        assert not re.search(rf"\b({spellings})\b", text), label
    for level in V.comparisons:
        assert level.label not in text or "_" not in level.label


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_says_uncertain_instead(surface, monkeypatch):
    text = SURFACES[surface](*sample(known=0.25), monkeypatch)
    assert text.count("uncertain") >= len(V.distortions)
    if surface not in ("report", "notebook"):  # where the words of every label stand for filters
        assert "washed-out" not in text and "too dark" not in text


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_takes_the_words_of_a_vocabulary_of_ones_own(surface, monkeypatch):
    words = {"darken": "zu dunkel", "clean": "in Ordnung", "severe": "stark"}
    vocabulary = Vocabulary(**V.model_dump(exclude={"words"}), words=words)
    text = words_in(SURFACES[surface](*sample(vocabulary=vocabulary), monkeypatch))
    for said in ("zu dunkel", "in Ordnung", "stark", "washed-out colours"):
        assert said in text
    assert "too dark" not in text


@pytest.mark.parametrize("surface", [name for name in SURFACES if name != "report"])
def test_every_surface_names_further_distortions(surface, monkeypatch):
    made, graph = sample(known=0.75)
    region = graph.regions[V.distortion_index("blur")]
    further = FurtherDistortion(label="darken", severity="minor")

    def said(**changes):
        node = region.target.model_copy(update=changes)
        alone = region.model_copy(update={"target": node})
        shown = graph.model_copy(update={"regions": (alone,), "scene": None})
        return words_in(SURFACES[surface](made, shown, monkeypatch))

    assert "too dark" in said(also=(further,))
    assert "too dark" not in said()
    assert "too dark" not in said(also=(further,), known=0.25)


def test_the_gallery_says_the_sentence():
    _, graph = sample()
    dark = graph.model_copy(update={"regions": (graph.regions[V.distortion_index("darken")],)})
    assert "of the target: too dark, severe (" in summary(dark)
    assert summary(dark) in gallery_page([Pair("a", "a.html", dark, (None, None))])


def test_the_facts_for_assistants_have_labels_and_the_same_words():
    _, graph = sample()
    for region in comparison_facts(graph, ()).regions:
        label = region.target.distortion
        said = V.in_words(label)
        assert region.target.words == (said if label == "clean" else f"{said}, severe")
    _, unsure = sample(known=0.25)
    facts = comparison_facts(unsure, ())
    assert {r.target.words for r in facts.regions} == {"uncertain"}
    assert json.loads(facts.model_dump_json())["regions"][1]["target"]["distortion"] == "snow"
