"""Conversations say what is true, in balance, and in the forms that trainers read."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_roots import write_root
from optional import present
from PIL import Image

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.truth import true_graph
from distortion_graph.graph import SIDES, DistortionGraph, LabelBelief, Node
from distortion_graph.graph.parts import Side
from distortion_graph.graph.truth import SufferedDistortions
from distortion_graph.mllm.ask.answers import parse_answer
from distortion_graph.mllm.ask.asking import Manner, region_values
from distortion_graph.mllm.ask.assessment import parse_assessment
from distortion_graph.mllm.ask.compact import compact
from distortion_graph.mllm.ask.cues import parse_cues
from distortion_graph.mllm.ask.pair_view import PairView
from distortion_graph.mllm.ask.templates import load_prompt
from distortion_graph.mllm.ask.whole import parse_whole, whole_values
from distortion_graph.mllm.ask.wording import label_of
from distortion_graph.mllm.client.messages import Image as ShownImage
from distortion_graph.mllm.sft.export import ExportOptions, export_sft
from distortion_graph.mllm.sft.forms import IMAGE
from distortion_graph.mllm.sft.plan import SHARES, PlanOptions, planned
from distortion_graph.mllm.sft.prose import assessment_answer
from distortion_graph.mllm.sft.questions import (
    NEITHER,
    NONE,
    SHORT_KINDS,
    graph_of_labels,
    noun,
    phrases,
    short_turn,
)

PLAN = PlanOptions(splits=("test",), cues=(parse_cues("marks"), parse_cues("names+boxes-text")))


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
    keys = reader.keys("test", "hard")
    assert keys
    for key in keys:
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
    _, anchor, target, tag = present(re.fullmatch(r"(\d+)-(\w+)-(\w+)-(\w+)", entry["id"])).groups()
    key = PairKey(anchor, target, f"{tag}.png")
    return true_graph(reader.sample("test", key), reader.vocabulary)


def test_every_answer_is_what_is_true(reader: PandaSet, folder: Path) -> None:
    """Answers about all regions, read as `mllm eval` reads them, and short ones by hand."""
    seen: Counter[str] = Counter()
    plans = {plan.number: plan for plan in planned(ChosenPairs(reader, PLAN.splits), PLAN)}
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
                assert whole.comparison == present(graph.scene.comparison).label
                seen["whole"] += 1
            else:
                seen[check_short(graph, question, answer)] += 1
    assert set(seen) == {"regions", "assessment", "whole", *SHORT_KINDS}


def check_short(graph: DistortionGraph, question: str, answer: str) -> str:
    """Which kind a short question is of; its answer is checked against the graph."""
    kind = next(k for k in SHORT_KINDS if any(matches(p, question) for p in phrases()[k]))
    side: Side = "target" if re.search(r"\btarget\b", question) else "anchor"
    number = re.search(r"[Rr]egion (\d+)", question)
    # A question about all regions names none, and none alone is looked at below.
    region = graph.region(int(number[1])) if number else graph.regions[0]
    node = region.node(side)
    if kind == "distortion":
        assert answer == node.distortion.label
    elif kind == "severity":
        assert answer == node.severity.label
    elif kind == "score":
        assert float(answer) == pytest.approx(node.score, abs=0.006)
    elif kind == "comparison":
        assert answer == region.comparison.label
    elif kind == "check":
        asked = noun(graph.vocabulary, node.distortion.label) in question
        assert answer == ("yes" if asked else "no")
    elif kind == "better":
        one, other = (present(region.node(name).score) for name in SIDES)
        rank = graph.vocabulary.compare_scores(one, other).rank
        assert answer == (NEITHER if rank == 0 else SIDES[0] if rank > 0 else SIDES[1])
    elif kind == "worst":
        scores = {r.id: present(r.node(side).score) for r in graph.regions}
        assert {int(k) for k in answer.split(", ")} == {
            k for k, score in scores.items() if score == min(scores.values())
        }
    else:
        said = {int(k) for k in answer.split(", ")} if answer != NONE else set()
        labels = {
            r.id: noun(graph.vocabulary, r.node(side).distortion.label) for r in graph.regions
        }
        found = {label for label in labels.values() if label in question}
        assert said == {k for k, label in labels.items() if label in found and k in said}
        assert bool(said) == bool(found)
    return kind


def matches(phrase: str, question: str) -> bool:
    pattern = re.sub(r"\\\$\w+", ".+?", re.escape(phrase))
    return re.fullmatch(pattern, question) is not None


def test_hints_are_given_to_half_and_up_to_half_wrong(reader: PandaSet, folder: Path) -> None:
    hinted = regions = total = 0
    wrong: Counter[int] = Counter()
    plans = {plan.number: plan for plan in planned(ChosenPairs(reader, PLAN.splits), PLAN)}
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
        wrong[sum(hint[k]["comparison"] != true[k]["comparison"] for k in true)] += 1
        regions += len(true)
    assert abs(hinted - total / 2) <= 1
    assert set(wrong) == {0, 1, 2}  # of three regions
    assert regions == 3 * hinted


def test_kinds_and_answers_are_in_balance(reader: PandaSet, folder: Path) -> None:
    counts = json.loads((folder / "sft.json").read_text())["counts"]
    total = sum(counts["kind"].values())
    assert total == 40
    for kind, share in SHARES.items():
        assert abs(counts["kind"][kind] - share * total) <= 1
    assert counts["order"]["target first"] == total / 2
    assert sum(counts["cues"].values()) == total - counts["kind"]["whole"]
    nodes = [n for name, n in counts["region"].items() if name.startswith("distortion: ")]
    assert sum(nodes) == 2 * 3 * counts["kind"]["regions"]
    answers: dict[str, dict[Any, Any]] = {kind: {} for kind in SHORT_KINDS}
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


def described_root(place: Path) -> PandaSet:
    """A root whose regions have names and descriptions, as PandaSet's have."""
    root = write_root(place)
    for path in (root / "stats").iterdir():
        entries = json.loads(path.read_text())
        for entry in entries.values():
            for k, region in enumerate(entry["regions"]):
                region |= {"name": f"thing {k}", "description": "made of <image> wood"}
        path.write_text(json.dumps(entries))
    return PandaSet(root)


def test_questions_are_those_of_mllm_eval(tmp_path: Path) -> None:
    """Texts and pictures of a conversation are those that `mllm eval` would send for the pair."""
    reader = described_root(tmp_path / "set")
    plan = PlanOptions(splits=("test",), cues=(parse_cues("marks+names"),), hint_share=0)
    export_sft(reader, tmp_path / "out", ExportOptions(plan))
    plans = {p.number: p for p in planned(ChosenPairs(reader, PLAN.splits), plan)}
    seen = 0
    for number, entry in enumerate(lines(tmp_path / "out" / "messages.jsonl")):
        kind = plans[number].kind
        if kind not in ("regions", "whole"):
            continue
        sample = reader.sample("test", plans[number].key)
        told = {k: "made of <image> wood" for k in sample.regions.ids}
        pair = PairView.of_regions(sample.anchor, sample.target, sample.regions, told)
        pair = pair.swapped() if plans[number].swapped else pair
        ids = list(sample.regions.ids)
        values = region_values(ids, reader.vocabulary)
        if kind == "whole":
            pair, values = pair.only(()), whole_values(reader.vocabulary)
        request = Manner(plan.cues[0]).request(load_prompt(kind), pair, values, {})  # type: ignore[arg-type]
        system, user, _ = entry["messages"]
        assert system["content"] == [{"type": "text", "text": request.system}]
        assert len(user["content"]) == len(request.parts)
        files = iter(entry["images"])
        for part, sent in zip(user["content"], request.parts, strict=True):
            if isinstance(sent, ShownImage):
                shown = np.asarray(Image.open(tmp_path / "out" / next(files)))
                assert part["type"] == "image" and np.array_equal(shown, sent.rgb)
            else:
                assert part == {"type": "text", "text": sent.text}
        seen += 1
    assert seen > 10
    for entry in lines(tmp_path / "out" / "llava.jsonl"):  # words of the data mark no picture
        said = "".join(turn["value"] for turn in entry["conversations"])
        assert said.count(IMAGE) == len(entry["image"])


def test_the_hint_on_a_single_region_is_as_often_right_as_wrong(tmp_path: Path) -> None:
    root = write_root(tmp_path / "set")
    for path in (root / "stats").iterdir():
        entries = json.loads(path.read_text())
        for entry in entries.values():
            del entry["regions"][1:]
        path.write_text(json.dumps(entries))
    plan = PlanOptions(splits=("test",), hint_share=1)
    export_sft(PandaSet(root), tmp_path / "out", ExportOptions(plan))
    right: Counter[bool] = Counter()
    for entry in lines(tmp_path / "out" / "llava.jsonl"):
        human, said = (turn["value"] for turn in entry["conversations"][:2])
        found = re.search(r"keyed by region number:\n(\{.*?\})\n\nThe suggestion", human, re.S)
        if found:
            right[json.loads(found[1]) == json.loads(said)] += 1
    assert min(right[True], right[False]) > 0.2 * right.total()


def test_a_picture_in_two_splits_is_refused(tmp_path: Path) -> None:
    root = write_root(tmp_path / "set")
    for folder in [path for path in root.iterdir() if (path / "test").is_dir()]:
        shutil.copytree(folder / "test", folder / "train")
    for path in list((root / "stats").iterdir()):
        shutil.copy(path, path.with_name(path.name.replace("test_", "train_")))
    with pytest.raises(DatasetError, match=r"one\.png: the same picture as in the split train"):
        export_sft(PandaSet(root), tmp_path / "out", ExportOptions(PlanOptions()))
    assert not (tmp_path / "out").exists()
    for picture in (root / "gt" / "test").iterdir():  # other pictures of the same names are none
        Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    done = export_sft(PandaSet(root), tmp_path / "out", ExportOptions(PlanOptions(count=2)))
    assert done.conversations == 2


def test_an_unimpaired_picture_has_no_worst_region(reader: PandaSet) -> None:
    graph = graph_of_labels(
        reader.sample("test", reader.keys("test", "hard")[0]), reader.vocabulary
    )
    belief = LabelBelief(label=reader.vocabulary.clean)
    clean = Node(distortion=belief, severity=belief, score=1.0)
    regions = tuple(r.model_copy(update={"anchor": clean, "target": clean}) for r in graph.regions)
    whole = graph.model_copy(update={"regions": regions})
    assert short_turn("worst", whole, Counter(), np.random.default_rng(0)).answer == NONE


def test_nouns_name_their_own_label_and_every_label_has_one() -> None:
    vocabulary = DEFAULT_VOCABULARY
    labels = vocabulary.distortions
    nouns = {label: noun(vocabulary, label) for label in labels}
    for label in labels:
        if label != vocabulary.clean:
            assert "_" not in nouns[label] and label_of(nouns[label], labels) in (label, None)
    assert len(set(nouns.values())) == len(labels)
    assert (nouns["darken"], nouns["saturate_dec"]) == ("underexposure", "washed-out colours")
    assert noun(vocabulary, "my_own") == "my own"
    own = vocabulary.model_copy(update={"words": {"darken": "shadow"}})
    assert noun(own, "darken") == "shadow"


def test_a_further_distortion_is_found_and_never_denied(reader: PandaSet) -> None:
    [key, *_] = reader.keys("test", "hard")
    sample, words = reader.sample("test", key), reader.vocabulary
    each = np.zeros((2, len(sample.regions), len(words.distortions)), np.int64)
    each[:, :, words.distortion_index("rain")] = 1
    each[:, :, words.distortion_index("haze")] = 2
    sample = replace(
        sample,
        labels=replace(
            sample.labels,
            distortion=np.full_like(sample.labels.distortion, words.distortion_index("rain")),
            severity=np.ones_like(sample.labels.severity),
        ),
        suffered=SufferedDistortions(each > 0, each),
    )
    graph = graph_of_labels(sample, words)
    every = ", ".join(map(str, sorted(sample.regions.ids)))
    found = set()
    for seed in range(120):
        rng = np.random.default_rng(seed)
        turn = short_turn("find", graph, Counter({NONE: 99}), rng)
        assert turn.label in ("rain", "haze") and turn.answer == every
        found.add(turn.label)
        denied = short_turn("check", graph, Counter(yes=99), rng)
        assert denied.answer == "no"
        for label in ("rain", "haze"):
            assert noun(words, label) not in denied.question
    assert found == {"rain", "haze"}
    said = " ".join(s["text"] for s in json.loads(assessment_answer(graph))["sentences"])
    assert f"suffers from {noun(words, 'rain')} and {noun(words, 'haze')}" in said
