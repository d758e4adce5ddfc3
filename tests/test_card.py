"""The figures of the model card are those that were measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from result_samples import listed_of, result_of
from scripts import loaded

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.bench.results import BenchResult

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "card.py"
NAMES = ("lite", "lite + reference", "majority", "metric oracle")


@pytest.fixture(scope="module")
def script() -> Any:
    return loaded(SCRIPT)


def result() -> BenchResult:
    """Easy, medium and hard with a model, the same told the original, and two baselines."""
    lists = []
    for seed, name in enumerate(("easy", "medium", "hard")):
        listed = listed_of(DEFAULT_VOCABULARY, names=NAMES, seed=seed)
        kinds = ["model", "model", "baseline", "baseline"]
        runs = [
            run.model_copy(update={"kind": kind})
            for run, kind in zip(listed.runs, kinds, strict=True)
        ]
        lists.append(listed.model_copy(update={"pairs": name, "runs": runs}))
    made: BenchResult = result_of(DEFAULT_VOCABULARY, *lists)
    return made


def written(script: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    card = folder / "CARD.md"
    card.write_text(f"before\n\n{script.FIRST}\n\nold figures\n\n{script.LAST}\n\nafter\n")
    readme = folder / "README.md"
    readme.write_text(card.read_text("utf-8"))
    arguments = ["card.py", str(folder), "--card", str(card), "--readme", str(readme)]
    monkeypatch.setattr(sys, "argv", arguments)
    script.main()
    text = card.read_text("utf-8")
    assert text.startswith(f"before\n\n{script.FIRST}\n") and text.endswith("\n\nafter\n")
    assert "old figures" not in text
    script.main()
    assert card.read_text("utf-8") == text
    return text


def test_the_tables_have_the_figures_of_the_result(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = result()
    for name in ("protocol", "wild"):
        (tmp_path / f"{name}.json").write_text(made.model_dump_json())
    text = written(script, monkeypatch, tmp_path)
    for listed in made.pairs:
        row = next(line for line in text.splitlines() if line.startswith(f"| {listed.pairs} |"))
        figures = listed.runs[0].figures
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == str(figures.pairs)
        for cell, value in zip(
            cells[2:], (figures.value(name) for name in script.HEADLINES), strict=False
        ):
            assert cell.split()[0] == script.shown(value) and "[" in cell
        short = next(
            line
            for line in (tmp_path / "README.md").read_text("utf-8").splitlines()
            if line.startswith(f"| {listed.pairs} |")
        )
        assert short.split(" | ")[1] == script.shown(figures.value("distortion.accuracy"))
    told = next(line for line in text.splitlines() if line.startswith("| given the original"))
    hard = made.pairs[-1].runs[1].figures
    assert told.split(" | ")[-1].startswith(script.shown(hard.value("distortion.accuracy")))


def test_shares_and_opinions_are_shown_and_missing_parts_are_told(
    script: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cell = {"share": 0.8125, "interval": [0.7, 0.9], "regions": 16, "pictures": 3}
    alone = {"share": 1.0, "interval": None, "regions": 9, "pictures": 1}
    agreement = {"srcc": 0.768, "srcc_interval": [0.74, 0.8], "plcc": 0.8, "accuracy": 0.81}
    parts: dict[str, Any] = {
        "real": {"pairs": {"noise": {"named": cell}, "cc15": {}},
                 "unpaired": {"rain": {"named": alone}}},
        "opinion": {"overall": {"pairs": 477, "contents": 12, "reference_lower": 0.147,
                                "agreement": {"score": agreement}}},
        "robustness": {"masks shifted by 3 px": 0.9284},
        "bound": {"with clean": {"accuracy": 0.849, "interval": [0.83, 0.867], "regions": 1}},
        "large": {"6 to 12 MP": {"clean": 0.867, "pictures": 12.0}},
    }  # fmt: skip
    for name, value in parts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    (tmp_path / "panda_speed.txt").write_text("28 ms\n")
    text = written(script, monkeypatch, tmp_path)
    assert "| noise | .812 [.700, .900] (16) | – | – | – |" in text and "cc15" not in text
    assert "| rain | 1.000 (9) |" in text
    assert "| sensor noise | .812 | – | – |" in (tmp_path / "README.md").read_text("utf-8")
    assert "| score | .768 [.740, .800] | .800 | .810 |" in text and "In .147 of the pairs" in text
    assert "| masks shifted by 3 px | .928 |" in text and ".849 [.830, .867]" in text
    assert "| 6 to 12 MP | .867 |" in text and "```\n28 ms\n```" in text
    missing = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in missing[:2]] == [
        str(tmp_path / "protocol.json"),
        str(tmp_path / "wild.json"),
    ]


def test_a_card_without_marks_is_refused(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "CARD.md").write_text("nothing")
    arguments = ["card.py", str(tmp_path), "--card", str(tmp_path / "CARD.md")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match="has no lines <!-- figures"):
        script.main()


def test_the_pages_have_their_marks(script: Any) -> None:
    for page in (script.CARD, script.README):
        text = page.read_text("utf-8")
        assert text.count(script.FIRST) == text.count(script.LAST) == 1
