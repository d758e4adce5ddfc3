"""Every photograph of the shipped model has an author and a licence that allows every use."""

from __future__ import annotations

import csv
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from scripts import loaded

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "attributions.py"
WEIGHTS = files("distortion_graph") / "weights"
FORBIDDEN = re.compile(r"\bNC\b|\bND\b|\bSA\b|noncommercial|non-commercial|sharealike", re.I)

ROW = {
    "file": "00000.jpg",
    "source": "github:somebody/pictures",
    "version": "0123456789ab",
    "path": "media/A cup.jpg",
    "author": "Somebody",
    "licence": "CC-BY-4.0",
    "licence_evidence": "LICENSE",
    "processing": "crop 0,0,400,300 at native scale",
}


@pytest.fixture(scope="module")
def script() -> Any:
    return loaded(SCRIPT)


def shipped() -> list[dict[str, str]]:
    text = (WEIGHTS / "ATTRIBUTIONS.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def run(script: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, *rows: dict[str, str]) -> Path:
    with (folder / "index.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(ROW))
        table.writeheader()
        table.writerows(rows)
    out = folder / "out.csv"
    monkeypatch.setattr(sys, "argv", ["attributions.py", str(folder / "index.csv"), str(out)])
    script.main()
    return out


def test_every_photograph_is_attributed_and_free_for_every_use() -> None:
    rows = shipped()
    assert len(rows) == 821
    for row in rows:
        assert all(row.values())
        assert not FORBIDDEN.search(row["licence"]), row


def test_the_card_counts_them_all() -> None:
    card = (WEIGHTS / "MODEL_CARD.md").read_text("utf-8")
    tables = [part.split("\n\n")[0] for part in card.split("| photographs |\n")[1:]]
    assert len(tables) == 2
    for table in tables:
        counts = [line.rstrip(" |").rpartition("| ")[2] for line in table.splitlines()[1:]]
        assert sum(int(n) for cell in counts for n in cell.split(", ")) == len(shipped())


def test_a_row_says_where_who_and_what_was_done(
    script: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packaged = {**ROW, "source": "debian:pictures", "version": "1.2-3", "licence": "CC0-1.0"}
    out = run(script, monkeypatch, tmp_path, ROW, packaged, ROW)
    first, second, _ = csv.DictReader(out.read_text("utf-8").splitlines())
    assert first == {
        "picture": "https://github.com/somebody/pictures/blob/0123456789ab/media/A%20cup.jpg",
        "author": "Somebody",
        "licence": "CC-BY-4.0",
        "stated_in": "LICENSE",
        "changes": "crop 0,0,400,300 at native scale",
    }
    assert second["picture"] == "debian:pictures 1.2-3: media/A cup.jpg"
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["| CC-BY-4.0 | 2 |", "| CC0-1.0 | 1 |"]
    assert lines[-2:] == ["| github:somebody/pictures | 2 |", "| debian:pictures | 1 |"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"licence": "CC-BY-NC-4.0"},
        {"licence": "CC-BY-SA-4.0"},
        {"licence": "GPL-2"},
        {"licence": ""},
        {"author": " "},
    ],
)
def test_a_picture_that_may_not_train_ends_the_script(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(SystemExit, match=r"00000\.jpg: author .*, licence .*; expected an author"):
        run(script, monkeypatch, tmp_path, ROW | wrong)
    assert not (tmp_path / "out.csv").exists()
