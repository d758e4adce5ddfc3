"""Prompts are files with a version; a broken one is refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.ask.templates import FIELDS, PROMPTS, load_prompt, read_prompt
from distortion_graph.mllm.client.messages import Text

GOOD = "[system]\nYou see.\n\n[before]\nTwo pictures.\n[after]\nJudge $ids for $$1.\n"


@pytest.mark.parametrize("question", FIELDS)
def test_every_question_has_a_prompt_that_uses_all_it_may(question: str) -> None:
    prompt = load_prompt(question)  # type: ignore[arg-type]
    used = {name for name in FIELDS[question] if f"${name}" in prompt.before + prompt.after}  # type: ignore[index]
    assert used == FIELDS[question]  # type: ignore[index]
    assert prompt.system


def test_every_file_is_the_prompt_of_a_question() -> None:
    files = list(PROMPTS.iterdir())
    assert len(files) >= len(FIELDS)
    for path in files:
        name, version, suffix = path.name.split(".")
        assert name in FIELDS and version.isdecimal() and suffix == "txt"


def test_a_prompt_is_put_around_what_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "regions.3.txt"
    path.write_text(GOOD)
    prompt = load_prompt("regions", tmp_path)
    assert prompt.name == "regions.3"
    parts = prompt.parts((Text("picture"),), {"ids": "1, 2"})
    assert [part.text for part in parts] == ["Two pictures.", "picture", "Judge 1, 2 for $1."]  # type: ignore[union-attr]


def test_the_newest_version_counts_and_others_come_from_the_package(tmp_path: Path) -> None:
    for version in (2, 10):
        (tmp_path / f"regions.{version}.txt").write_text(GOOD)
    (tmp_path / "regions.draft.txt").write_text("anything")
    assert load_prompt("regions", tmp_path).name == "regions.10"
    assert load_prompt("whole", tmp_path) == load_prompt("whole")
    assert load_prompt("regions-hinted", tmp_path).name.startswith("regions-hinted.")


def test_another_text_is_another_prompt(tmp_path: Path) -> None:
    path = tmp_path / "regions.1.txt"
    path.write_text(GOOD)
    first = read_prompt(path, "regions")
    path.write_text(GOOD + "More.\n")
    assert read_prompt(path, "regions").sha256 != first.sha256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Just ask.", "its sections are none, expected the lines [system] [before] [after]"),
        (GOOD.replace("[before]", "[after]"), "its sections are system, after, after"),
        ("Hello\n" + GOOD, "nothing before them"),
        (GOOD.replace("$ids", "$hint"), "nothing fills in $hint, expected $clean, $comparisons"),
        (GOOD.replace("$$", "$"), "a $ that begins no name; write $$ for the sign itself"),
    ],
)
def test_a_broken_prompt_is_refused_with_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "regions.1.txt"
    path.write_text(text)
    with pytest.raises(DistortionGraphError) as caught:
        load_prompt("regions", tmp_path)
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DistortionGraphError, match="no such folder, expected one with prompts"):
        load_prompt("regions", tmp_path / "none")
