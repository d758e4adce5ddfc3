"""Conversations say what is true, in balance, and in the forms that trainers read."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_roots import write_root
from PIL import Image

from distortion_graph.data.layout import PairKey
from distortion_graph.data.reader import PandaSet
from distortion_graph.data.truth import true_graph
from distortion_graph.errors import DatasetError, OutputError
from distortion_graph.graph import DistortionGraph
from distortion_graph.mllm.answers import parse_answer
from distortion_graph.mllm.assessment import parse_assessment
from distortion_graph.mllm.compact import compact
from distortion_graph.mllm.cues import parse_cues
from distortion_graph.mllm.sft.export import ExportOptions, export_sft
from distortion_graph.mllm.sft.forms import IMAGE
from distortion_graph.mllm.sft.plan import SHARES, PlanOptions, planned
from distortion_graph.mllm.sft.questions import (
    NONE,
    SHORT_KINDS,
    graph_of_labels,
    phrases,
)
from distortion_graph.mllm.whole import parse_whole

PLAN = PlanOptions(part="test", cues=(parse_cues("marks"), parse_cues("names+boxes-text")))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> PandaSet:
    return PandaSet(write_root(tmp_path_factory.mktemp("sft") / "set"))


@pytest.fixture(scope="module")
def folder(reader: PandaSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sft") / "out"
    export_sft(reader, out, ExportOptions(PLAN))
    return out


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_labels_alone_give_the_true_graph(reader: PandaSet) -> None:
    for key in reader.keys("test", "hard"):
        sample = reader.sample("test", key)
        true, bare = (
            true_graph(sample, reader.vocabulary),
            graph_of_labels(sample, reader.vocabulary),
        )
        assert compact(bare) == compact(true)
        assert bare.scene is not None and true.scene is not None
        assert bare.scene.comparison == true.scene.comparison


def shown_graph(reader: PandaSet, entry: dict[str, Any]) -> DistortionGraph:
    """The true graph of a conversation's pair; which picture is first is read off its pictures."""
    _, anchor, target, tag = re.fullmatch(r"(\d+)-(\w+)-(\w+)-(\w+)", entry["id"]).groups()
    key = PairKey(anchor, target, f"{tag}.png")
    return true_graph(reader.sample("test", key), reader.vocabulary)


def test_every_answer_is_what_is_true(reader: PandaSet, folder: Path) -> None:
    """Answers about all regions, read as `mllm eval` reads them, and short ones by hand."""
    seen: Counter[str] = Counter()
    plans = {plan.number: plan for plan in planned(reader, PLAN)}
    for number, entry in enumerate(lines(folder / "llava.jsonl")):
        graph = shown_graph(reader, entry)
        graph = graph.swapped() if plans[number].swapped else graph
        ids = [region.id for region in graph.regions]
        for human, said in zip(
            entry["conversations"][::2], entry["conversations"][1::2], strict=True
        ):
            question, answer = human["value"].split("\n")[-1], said["value"]
            if "Answer with one JSON object that has one entry" in human["value"]:
                read = parse_answer(answer, ids, graph.vocabulary)
                assert not read.unusable and not read.invented and not read.reworded
                assert json.loads(answer) == compact(graph)
                seen["regions"] += 1
            elif '"sentences"' in human["value"]:
                assessment = parse_assessment(answer, ids)
                assert assessment.sentences and not assessment.unlinked and not assessment.invented
                seen["assessment"] += 1
            elif '"reason"' in human["value"]:
                whole = parse_whole(answer, graph.vocabulary)
                assert whole is not None and graph.scene is not None
                assert whole.comparison == graph.scene.comparison.label
                seen["whole"] += 1
            else:
                seen[check_short(graph, question, answer)] += 1
    assert set(seen) == {"regions", "assessment", "whole", *SHORT_KINDS}


def check_short(graph: DistortionGraph, question: str, answer: str) -> str:
    """Which kind a short question is of; its answer is checked against the graph."""
    kind = next(k for k in SHORT_KINDS if any(matches(p, question) for p in phrases()[k]))
    side = "target" if re.search(r"\btarget\b", question) and kind != "comparison" else "anchor"
    number = re.search(r"[Rr]egion (\d+)", question)
    node = graph.region(int(number[1])).node(side) if number else None
    if kind == "distortion":
        assert answer == node.distortion.label
    elif kind == "severity":
        assert answer == node.severity.label
    elif kind == "score":
        assert float(answer) == pytest.approx(node.score, abs=0.006)
    elif kind == "comparison":
        assert answer == graph.region(int(number[1])).comparison.label
    elif kind == "check":
        asked = node.distortion.label.replace("_", " ") in question
        assert answer == ("yes" if asked else "no")
    elif kind == "worst":
        scores = {region.id: region.node(side).score for region in graph.regions}
        assert scores[int(answer)] == min(scores.values())
    else:
        said = {int(k) for k in answer.split(", ")} if answer != NONE else set()
        labels = {r.id: r.node(side).distortion.label.replace("_", " ") for r in graph.regions}
        found = {label for label in labels.values() if label in question}
        assert said == {k for k, label in labels.items() if label in found and k in said}
        assert bool(said) == bool(found)
    return kind


def matches(phrase: str, question: str) -> bool:
    pattern = re.sub(r"\\\$\w+", ".+?", re.escape(phrase))
    return re.fullmatch(pattern, question) is not None


def test_hints_are_given_to_half_and_wrong_in_a_quarter(reader: PandaSet, folder: Path) -> None:
    hinted = wrong = regions = total = 0
    plans = {plan.number: plan for plan in planned(reader, PLAN)}
    for number, entry in enumerate(lines(folder / "llava.jsonl")):
        text = entry["conversations"][0]["value"]
        if "Answer with one JSON object that has one entry" not in text:
            continue
        total += 1
        found = re.search(r"keyed by region number:\n(\{.*?\})\n\nThe suggestion", text, re.S)
        if not found:
            continue
        hinted += 1
        hint, true = json.loads(found[1]), compact(plans[number].graph)
        wrong += sum(hint[k]["comparison"] != true[k]["comparison"] for k in true)
        regions += len(true)
    assert abs(hinted - total / 2) <= 1
    assert wrong == hinted  # one of three regions: a quarter, rounded up
    assert regions == 3 * hinted


def test_kinds_and_answers_are_in_balance(reader: PandaSet, folder: Path) -> None:
    counts = json.loads((folder / "sft.json").read_text())["counts"]
    total = sum(counts["kind"].values())
    assert total == 40
    for kind, share in SHARES.items():
        assert abs(counts["kind"][kind] - share * total) <= 1
    assert 0.3 < counts["order"]["target first"] / total < 0.7
    answers = {kind: {} for kind in SHORT_KINDS}
    for name, count in counts["answer"].items():
        kind, label = name.split(": ")
        answers[kind][label] = count
    asked = {kind: sum(found.values()) for kind, found in answers.items()}
    assert max(asked.values()) - min(asked.values()) <= 2
    assert abs(answers["check"].get("yes", 0) - answers["check"].get("no", 0)) <= 2
    assert max(answers["comparison"].values()) <= asked["comparison"] / 2 + 1


def test_pictures_are_there_each_once_and_in_their_places(folder: Path) -> None:
    llava, messages = lines(folder / "llava.jsonl"), lines(folder / "messages.jsonl")
    assert [entry["id"] for entry in llava] == [entry["id"] for entry in messages]
    used = set()
    for one, other in zip(llava, messages, strict=True):
        places = sum(turn["value"].count(IMAGE) for turn in one["conversations"])
        parts = [p for m in other["messages"] for p in m["content"]]
        assert places == len(one["image"]) == sum(p["type"] == "image" for p in parts) == 2
        assert one["image"] == other["images"]
        assert [turn["from"] for turn in one["conversations"][:2]] == ["human", "gpt"]
        assert [m["role"] for m in other["messages"][:3]] == ["system", "user", "assistant"]
        used |= set(one["image"])
    files = {f"images/{path.name}" for path in (folder / "images").iterdir()}
    assert used == files
    pixels = {np.asarray(Image.open(folder / name)).tobytes() for name in files}
    assert len(pixels) == len(files)


def test_the_same_bytes_on_any_number_of_threads(reader: PandaSet, tmp_path: Path) -> None:
    few = PlanOptions(**{**vars(PLAN), "count": 12})
    for name, workers in (("one", 1), ("four", 4)):
        export_sft(reader, tmp_path / name, ExportOptions(few, workers=workers))
    one, four = (
        {str(p.relative_to(tmp_path / n)): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in ("one", "four")
    )
    assert one == four and len(one) > 12
    other = PlanOptions(**{**vars(few), "seed": 1})
    export_sft(reader, tmp_path / "other", ExportOptions(other))
    assert (tmp_path / "other" / "llava.jsonl").read_bytes() != one["llava.jsonl"]


def test_a_failure_leaves_nothing(reader: PandaSet, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(OutputError, match="is there already"):
        export_sft(reader, tmp_path / "full", ExportOptions(PLAN))

    def fails(sample: object) -> DistortionGraph:
        raise DatasetError("no hint")

    with pytest.raises(DatasetError, match="no hint"):
        export_sft(reader, tmp_path / "new", ExportOptions(PLAN, predict=fails))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]


def test_llama_factory_finds_every_column_it_is_told_of(folder: Path) -> None:
    (entry,) = json.loads((folder / "dataset_info.json").read_text()).values()
    first = lines(folder / entry["file_name"])[0]
    assert entry["formatting"] == "sharegpt"
    assert set(entry["columns"].values()) <= set(first)
    tags = entry["tags"]
    turn = first[entry["columns"]["messages"]][0]
    assert set(turn) == {tags["role_tag"], tags["content_tag"]}
    assert turn[tags["role_tag"]] == tags["user_tag"]
