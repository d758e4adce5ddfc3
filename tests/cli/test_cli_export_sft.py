"""`dataset export-sft` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_roots import write_root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_root(tmp_path_factory.mktemp("export") / "set")  # type: ignore[no-any-return]


def test_a_folder_of_conversations_is_written(cli, root, tmp_path) -> None:
    out = tmp_path / "sft"
    ended = cli("dataset", "export-sft", root, "--out", out, "--split", "test", "--count", 7,
                "--cues", "varied", "-v")  # fmt: skip
    assert (ended.code, ended.err.count("kind: ")) == (0, 1)
    assert ended.out.startswith(f"{out}: 7 conversations, ")
    assert sorted(path.name for path in out.iterdir()) == [
        "dataset_info.json",
        "images",
        "llava.jsonl",
        "messages.jsonl",
        "sft.json",
    ]
    assert len((out / "llava.jsonl").read_text().splitlines()) == 7


def test_one_form_alone(cli, root, tmp_path) -> None:
    out = tmp_path / "sft"
    cli("dataset", "export-sft", root, "--out", out, "--split", "test", "--form", "messages",
        "--count", 2)  # fmt: skip
    assert not (out / "llava.jsonl").exists() and not (out / "dataset_info.json").exists()
    assert len((out / "messages.jsonl").read_text().splitlines()) == 2


def test_predicted_graphs_are_hints(cli, root, tmp_path) -> None:
    graphs = tmp_path / "graphs"
    assert cli("bench", root, "--pairs", "all", "--graphs", graphs, "--no-baselines").code == 0
    out = tmp_path / "sft"
    ended = cli("dataset", "export-sft", root, "--out", out, "--split", "test", "--hint-graphs",
                graphs, "--hint-share", 1)  # fmt: skip
    assert ended.code == 0, ended.err
    manifest = json.loads((out / "sft.json").read_text())
    assert manifest["hints"] == "predicted" and "without" not in manifest["counts"]["hint"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cues", "marsk"), "did you mean 'marks'?"),
        (("--hint-graphs", "nowhere"), "nowhere: no such folder"),
        (("--split", "val"), "val"),
        (("--hint-share", "2"), "hint-share"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(cli, root, tmp_path, arguments, said) -> None:
    out = tmp_path / "sft"
    ended = cli("dataset", "export-sft", root, "--out", out, *arguments)
    assert said in ended.refusal and not out.exists()


def test_nothing_is_written_into_the_data_set(cli, root) -> None:
    ended = cli("dataset", "export-sft", root, "--out", root / "sft", "--split", "test")
    assert "would write into the data set" in ended.refusal
