"""Judging in the report, in a real browser: set, undo, hide answers, save, read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from optional import present
from page_samples import named, page, rich_sample
from report_samples import photo
from typer.testing import CliRunner

from distortion_graph import Vocabulary, load_graph
from distortion_graph.cli.main import command_line
from distortion_graph.graph import Judgement, NodeJudgement
from distortion_graph.graph.judging import judge
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.pairs import make_pair
from distortion_graph.synth.synthesis import Recipe

pytestmark = pytest.mark.slow

OLD = Judgement(
    by="bob", at=datetime(2026, 11, 30, 12, tzinfo=UTC), anchor=NodeJudgement(severity="minor")
)


def opened(open_page, graph=None, sample=None, **options):
    """The report with its part for judging open, and its graph."""
    if sample is None:
        sample, graph = rich_sample()
    tab = open_page(page(sample, graph), accept_downloads=True, **options)
    tab.locator("#judging summary").click()
    return tab, graph


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def choose(tab, position):
    tab.locator(f'#regions tr[data-region="{position}"] button').click()


def said(tab, label, value):
    tab.locator(".judgement").get_by_label(label).select_option(label=value)


def status(tab):
    return tab.locator("#judging-status").inner_text()


def saved(tab, folder):
    with tab.expect_download() as download:
        press(tab, "Save judged graph")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def sourced(graph):
    """The graph as reports hold it: of sources the names alone."""
    ends = {
        side: getattr(graph, side).model_copy(update={"source": f"{side}.png"})
        for side in ("anchor", "target")
    }
    return graph.model_copy(update=ends)


def test_what_is_said_is_saved_and_read_back_and_nothing_else_changes(open_page, tmp_path):
    sample, graph = rich_sample()
    graph = named(judge(sourced(graph), 5, OLD), "</script>", "\u2028 & é")
    folders = {
        side: getattr(graph, side).model_copy(update={"source": f"/home/ada/{side}.png"})
        for side in ("anchor", "target")
    }
    tab, _ = opened(open_page, graph.model_copy(update=folders), sample)
    choose(tab, 3)
    words = graph.vocabulary
    said(tab, "Distortion of the anchor", words.in_words("saturate_dec"))
    said(tab, "Severity of the anchor", "severe")
    said(tab, "Distortion of the target", "clean")
    assert tab.get_by_label("Severity of the target").locator("option:checked").inner_text() == (
        "clean"
    )
    tab.locator(".judgement").get_by_label("The anchor is").select_option("0")
    assert status(tab) == "2 of 12 regions judged, not saved yet"
    tab.get_by_label("Your name").fill(" Ada L. ")
    before = datetime.now(UTC)
    path = saved(tab, tmp_path)
    assert path.name == "anchor-target-judged-Ada-L..json" and "not saved" not in status(tab)
    found = load_graph(path)
    new = present(found.region(3).judged)
    assert abs((present(new.at) - before).total_seconds()) < 600
    assert new.model_copy(update={"at": None}) == Judgement(
        by="Ada L.",
        anchor=NodeJudgement(distortion="saturate_dec", severity="severe"),
        target=NodeJudgement(distortion="clean", severity="clean"),
        comparison="significantly_worse",
    )
    assert judge(found, 3, None) == graph
    assert "/home" not in tab.content() and "/home" not in path.read_text("utf-8")


def test_the_command_reads_what_is_saved(open_page, tmp_path):
    sample, graph = rich_sample()
    hashes = {
        side: getattr(graph, side).model_copy(update={"sha256": sign * 64, "sha256_of": "rgb"})
        for side, sign in (("anchor", "a"), ("target", "b"))
    }
    graph = graph.model_copy(update=hashes)
    people = {"ada": ("severe", "severe"), "bob": ("severe", "minor")}
    for who, severities in people.items():
        tab, _ = opened(open_page, graph, sample, name=f"{who}.html")
        tab.get_by_label("Your name").fill(who)
        for position, severity in enumerate(severities):
            choose(tab, position)
            said(tab, "Severity of the anchor", severity)
        saved(tab, tmp_path / "judged")
    runner, program = CliRunner(), command_line()
    out = tmp_path / "agreement.json"
    done = runner.invoke(program, ["agreement", str(tmp_path / "judged"), "--json", str(out)])
    assert done.exit_code == 0, done.output
    rows = {(r["first"], r["second"]): r for r in json.loads(out.read_text())["raters"]}
    between = rows["ada", "bob"]["severity"]
    assert (between["items"], between["equal"]) == (2, 0.5)
    assert rows["ada", "bob"]["comparison"]["items"] == 0
    assert {second for first, second in rows if first == "people"} == {"the graph"}
    path = next((tmp_path / "judged").glob("*ada.json"))
    shown = runner.invoke(
        program, ["convert", str(path), "--to", "csv", "--out", str(tmp_path / "t")]
    )
    assert shown.exit_code == 0, shown.output
    assert str(load_graph(path)).count("judged by ada") == 2
    again = runner.invoke(program, ["report", str(path), "--out", str(tmp_path / "again.html")])
    assert again.exit_code == 0, again.output
    assert 'class="judged">judged by ada' in (tmp_path / "again.html").read_text("utf-8")


def test_it_is_shown_undone_and_taken_back(open_page):
    tab, graph = opened(open_page)
    choose(tab, 2)
    said(tab, "Distortion of the target", "rain")
    said(tab, "Severity of the target", "minor")
    row = tab.locator('#regions tr[data-region="2"] td.judged')
    assert row.inner_text().endswith("; target: rain, minor")
    entry = tab.locator("#judgements li")
    model = graph.text_of(graph.regions[2].target)
    assert entry.inner_text() == f"2 racket target: rain, minor (the model: target: {model})"
    assert "judged" in tab.locator('#drawing li[data-region="2"]').get_attribute("class")
    press(tab, "Undo")
    assert entry.inner_text().startswith("2 racket target: rain (")
    severity = tab.locator(".judgement").get_by_label("Severity of the target")
    assert severity.input_value() == ""
    said(tab, "Severity of the target", "clean")
    assert entry.inner_text().startswith("2 racket target: clean")
    press(tab, "Take it back")
    assert entry.count() == 0 and row.inner_text() == ""
    for _ in range(3):
        press(tab, "Undo")
    assert entry.count() == 0 and "0 of 12 regions judged" in status(tab)
    press(tab, "Undo")
    assert status(tab) == "There is nothing to undo."
    press(tab, "Save judged graph")
    assert status(tab) == "Nothing is judged yet."


def test_it_is_all_done_by_keyboard(open_page):
    tab, _ = opened(open_page)
    tab.get_by_role("button", name="Next region").focus()
    tab.keyboard.press("Enter")
    first = tab.locator("#panel h3").inner_text()
    assert tab.evaluate("document.activeElement.ariaLabel") == "Distortion of the anchor"
    tab.mouse.move(*centre(tab, '.marks .pane:first-child g[data-region="7"]'))
    assert tab.locator("#panel h3").inner_text() == first
    tab.keyboard.press("b")  # blur, by its first letter
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.ariaLabel") == "Distortion of the target"
    tab.mouse.move(5, 5)
    assert tab.locator("#judgements li").count() == 1
    tab.get_by_role("button", name="Next region").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#panel h3").inner_text() != first


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_next_region_shows_the_form_and_the_pictures_beside_it(open_page, width):
    tab, _ = opened(open_page, width=width, height=844)
    tab.get_by_role("button", name="Next region").scroll_into_view_if_needed()
    press(tab, "Next region")
    form, target = (
        tab.locator(part).bounding_box() for part in (".judgement", ".pictures .pane:nth-child(2)")
    )
    for box in (form, target):
        assert box["y"] > -1 and box["y"] + box["height"] < 845
    assert tab.evaluate("document.activeElement.ariaLabel") == "Distortion of the anchor"


def centre(tab, selector):
    box = tab.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_models_answers_can_be_hidden(open_page):
    sample, graph = rich_sample()
    graph = named(graph, *(r.anchor.distortion.label for r in graph.regions))
    tab, _ = opened(open_page, graph, sample)
    tab.get_by_label("Hide the model's answers").check()
    press(tab, "Next region")
    labels = {
        label for r in graph.regions for n in (r.anchor, r.target) for label in graph.in_words(n)
    }
    seen = tab.locator("body").inner_text() + " ".join(
        tab.locator(".marks g").evaluate_all("all => all.map((one) => one.ariaLabel)")
    )
    shown = seen
    for select in tab.locator(".judgement select").all_inner_texts():
        shown = shown.replace(select, "")
    assert [label for label in labels if label in shown] == []
    assert tab.locator("#panel h3").inner_text() == f"region {graph.regions[0].id}"
    fills = tab.locator(".marks .fill").evaluate_all(
        "all => [...new Set(all.map((one) => getComputedStyle(one).fillOpacity))]"
    )
    assert fills == ["0"]
    said(tab, "Severity of the anchor", "minor")
    assert "the model" not in tab.locator("#judgements").inner_text()
    tab.locator("#judging summary").click()
    tab.locator(".summary").wait_for()  # the browser tells of the toggle later
    assert tab.locator(".judgement").count() == 0
    tab.mouse.move(5, 5)
    assert "judged" in tab.locator("#panel").inner_text()


def test_leaving_with_unsaved_judgements_asks(open_page, tmp_path):
    tab, _ = opened(open_page)
    asked = []

    def leave(dialog):
        asked.append(dialog.type)
        dialog.accept()

    tab.on("dialog", leave)
    choose(tab, 1)
    said(tab, "Severity of the anchor", "minor")
    tab.reload()
    assert asked == ["beforeunload"]
    tab.locator("#judging summary").click()
    choose(tab, 1)
    said(tab, "Severity of the anchor", "minor")
    saved(tab, tmp_path)
    tab.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_is_accessible_and_fits(open_page, axe, width, scheme):
    tab, _ = opened(open_page, width=width, scheme=scheme)
    press(tab, "Next region")
    said(tab, "Severity of the anchor", "minor")
    for _ in range(2):
        tab.evaluate(axe)
        found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in serious] == []
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        tab.get_by_label("Hide the model's answers").check()


def test_a_graph_of_which_nobody_can_judge_a_region_has_no_such_part(open_page):
    sample, graph = rich_sample()
    empty = graph.model_copy(update={"regions": (), "relations": ()})
    tab = open_page(page(sample, empty))
    assert not tab.locator("#judging").is_visible()


def test_graphs_are_saved_in_their_own_vocabulary(open_page, tmp_path):
    words = Vocabulary(
        distortions=("ok", "blur", "noise"),
        severities=("ok", "10", "2"),
        comparisons=(
            {"label": "worse", "rank": -1, "min_abs_d": 0.1},
            {"label": "same", "rank": 0, "min_abs_d": 0},
            {"label": "better", "rank": 1, "min_abs_d": 0.1},
        ),
    )
    recipe = Recipe(vocabulary=words, severity_levels={"10": (1, 2), "2": (3, 4, 5)})
    regions = RegionSet.grid((48, 64), 1, 2)
    sample = make_pair(photo(), regions, tag="x", seed=0, recipe=recipe)
    tab, _ = opened(open_page, sample.graph, sample)
    choose(tab, 1)
    said(tab, "Severity of the target", "2")
    tab.locator(".judgement").get_by_label("The anchor is").select_option("2")
    found = load_graph(saved(tab, tmp_path))
    judged = present(found.region(1).judged)
    assert judged.target == NodeJudgement(severity="2") and judged.comparison == "better"
    assert judge(found, 1, None) == sample.graph
