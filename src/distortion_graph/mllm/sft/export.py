"""Writing conversations and their pictures into a folder."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from distortion_graph.base.files import atomic_write_bytes, atomic_write_text, new_folder
from distortion_graph.bench.benchmark import root_identity
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph import DistortionGraph
from distortion_graph.mllm.ask.asking import region_values
from distortion_graph.mllm.ask.assessment import SENTENCES, Wish, assessment_values
from distortion_graph.mllm.ask.compact import compact, compact_text
from distortion_graph.mllm.ask.cues import cue_parts, cues_text
from distortion_graph.mllm.ask.pair_view import PairView, view_of
from distortion_graph.mllm.ask.templates import Question, load_prompt
from distortion_graph.mllm.ask.whole import whole_values
from distortion_graph.mllm.client.messages import Image, Part
from distortion_graph.mllm.eval.hint_graphs import Predict
from distortion_graph.mllm.eval.hints import corrupted
from distortion_graph.mllm.sft.forms import (
    WRITERS,
    Conversation,
    Form,
    Shown,
    Spoken,
    llama_factory_info,
)
from distortion_graph.mllm.sft.plan import MOST_WRONG, Planned, PlanOptions, drawn_keys, planned
from distortion_graph.mllm.sft.prose import assessment_answer
from distortion_graph.mllm.sft.questions import whole_answer
from distortion_graph.synth.keys import generator
from distortion_graph.work.local import LocalThreads

IMAGES, MANIFEST, LLAMA_FACTORY = "images", "sft.json", "dataset_info.json"
_SYSTEM = "You are an expert in image quality. You look at pixels, not at what a scene means."
_INTRODUCTION = (
    "Below are two pictures of the same scene: the anchor, shown first, and the target, shown "
    "second. Regions are numbered; a region has the same number in both pictures."
)
_NAME_LETTERS = 20


@dataclass(frozen=True)
class ExportOptions:
    """What is written: forms, how conversations are planned, and threads that draw pictures.

    `predict` gives graphs as hints; without it hints are true but for a number of their regions,
    drawn from none to half.
    """

    plan: PlanOptions
    forms: tuple[Form, ...] = tuple(Form)
    workers: int = 2
    predict: Predict | None = None


@dataclass(frozen=True)
class Exported:
    """How many conversations and pictures were written, and what was counted."""

    conversations: int
    images: int
    counts: dict[str, dict[str, int]]


def export_sft(
    reader: PandaSet,
    out: Path,
    options: ExportOptions,
    after: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write a new folder; the same bytes for the same data set and options.

    `after` is told how many of about how many conversations are written.

    Raises DatasetError for the data set's faults and OutputError where `out` cannot be made.
    """
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("kind", "order", "cues", "hint", "answer", "region")
    }
    chosen = ChosenPairs(reader, options.plan.splits)
    keys = drawn_keys(chosen, options.plan)
    with new_folder(out) as folder, ExitStack() as opened:
        (folder / IMAGES).mkdir()
        writer = _ConversationWriter(reader, chosen, folder, options)
        files = {
            form: opened.enter_context((folder / f"{form}.jsonl").open("wb"))
            for form in options.forms
        }
        done = 0
        plans = planned(chosen, options.plan, keys)
        with LocalThreads(writer, max(1, options.workers)) as executor:
            for plan, conversation in executor.run(_ConversationWriter.write, plans, ordered=True):
                for form in options.forms:
                    value = WRITERS[form](conversation)
                    files[form].write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
                _count(counts, plan)
                done += 1
                after(done, len(keys))
        opened.close()
        if Form.llava in options.forms:
            _write_json(folder / LLAMA_FACTORY, llama_factory_info())
        sorted_counts = {name: dict(sorted(count.items())) for name, count in counts.items()}
        images = len(list((folder / IMAGES).iterdir()))
        _write_json(folder / MANIFEST, _manifest(reader, options, sorted_counts, done, images))
    return Exported(done, images, sorted_counts)


class _ConversationWriter:
    """Turns plans into conversations; pictures are written as they are shown, each once."""

    def __init__(
        self, reader: PandaSet, chosen: ChosenPairs, folder: Path, options: ExportOptions
    ) -> None:
        self.reader, self.chosen, self.folder, self.options = reader, chosen, folder, options
        self._lock = Lock()

    def write(self, plan: Planned) -> Conversation:
        """The conversation of a plan, its pictures written."""
        with self._lock:  # readers have caches, and are not made for several threads
            sample = self.chosen.sample(plan.key)
            pair = view_of(self.reader, self.chosen.split_of(plan.key.tag), sample)
            hint = self._hint(plan, sample) if plan.hinted else None
        pair = pair.swapped() if plan.swapped else pair
        system, turns = self._turns(plan, pair, hint)
        anchor, target, tag = plan.key
        name = f"{plan.number:07d}-{anchor}-{target}-{Path(tag).stem}"
        return Conversation(name, system, turns)

    def _hint(self, plan: Planned, sample: Sample) -> DistortionGraph:
        """In the order shown."""
        if self.options.predict is None:
            key, total = (self.options.plan.seed, *plan.key), len(plan.graph.regions)
            most = math.ceil(MOST_WRONG * total)
            wrong = int(generator("sft hint", *key).integers(most + 1))
            return corrupted(plan.graph, *key, wrong=wrong)
        graph = self.options.predict(sample)
        return graph.swapped() if plan.swapped else graph

    def _turns(
        self, plan: Planned, pair: PairView, hint: DistortionGraph | None
    ) -> tuple[str, tuple[Spoken, ...]]:
        """The system's words and the exchanges."""
        graph, vocabulary = plan.graph, plan.graph.vocabulary
        ids = [region.id for region in graph.regions]
        if plan.kind == "short":
            shown = self._shown(cue_parts(plan.cues, pair))
            first, *rest = plan.turns
            turns = [Spoken((_INTRODUCTION, *shown, first.question), first.answer)]
            turns += [Spoken((turn.question,), turn.answer) for turn in rest]
            return _SYSTEM, tuple(turns)
        if plan.kind == "regions":
            question: Question = "regions-hinted" if hint else "regions"
            values = region_values(ids, vocabulary, hint)
            answer = compact_text(compact(graph))
        elif plan.kind == "whole":
            question, values = "whole", whole_values(vocabulary)
            answer, pair = whole_answer(graph), pair.only(())
        else:
            question = "assessment"
            values = assessment_values(graph, set(ids), Wish(SENTENCES))
            answer = assessment_answer(graph)
        prompt = load_prompt(question)
        said = self._shown(prompt.parts(cue_parts(plan.cues, pair), values))
        return prompt.system, (Spoken(said, answer),)

    def _shown(self, parts: Sequence[Part]) -> tuple[str | Shown, ...]:
        return tuple(
            Shown(self._written(part)) if isinstance(part, Image) else part.text for part in parts
        )

    def _written(self, image: Image) -> str:
        """Path of a picture's file, relative to the folder."""
        name = f"{IMAGES}/{image.sha256[:_NAME_LETTERS]}.png"
        path = self.folder / name
        if not path.is_file():
            atomic_write_bytes(path, image.png)
        return name


def _count(counts: dict[str, Counter[str]], plan: Planned) -> None:
    counts["kind"][plan.kind] += 1
    counts["order"]["target first" if plan.swapped else "anchor first"] += 1
    if plan.cues:
        counts["cues"][cues_text(plan.cues)] += 1
    if plan.kind == "regions":
        counts["hint"]["with" if plan.hinted else "without"] += 1
        for region in plan.graph.regions:
            counts["region"][f"comparison: {region.comparison.label}"] += 1
            for node in (region.anchor, region.target):
                counts["region"][f"distortion: {node.distortion.label}"] += 1
                counts["region"][f"severity: {node.severity.label}"] += 1
    for turn in plan.turns:
        counts["answer"][f"{turn.kind}: {turn.label}"] += 1


def _manifest(
    reader: PandaSet,
    options: ExportOptions,
    counts: dict[str, dict[str, int]],
    conversations: int,
    images: int,
) -> dict[str, Any]:
    questions: tuple[Question, ...] = ("regions", "regions-hinted", "whole", "assessment")
    prompts = [load_prompt(question) for question in questions]
    plan = options.plan
    return {
        "format": "distortion-graph sft 1",
        "dataset": root_identity(reader.root).model_dump(mode="json"),
        "splits": list(plan.splits),
        "pairs": list(plan.pairs),
        "seed": plan.seed,
        "hint_share": plan.hint_share,
        "hints": "true, none to half of the regions wrong"
        if options.predict is None
        else "predicted",
        "prompts": {prompt.name: prompt.sha256 for prompt in prompts},
        "wordings": {name: _sha256(name) for name in ("phrases.json", "nouns.json")},
        "conversations": conversations,
        "images": images,
        "counts": counts,
        "vocabulary": reader.vocabulary.model_dump(mode="json"),
        "terms": "The pictures keep the terms of the data set they come from.",
    }


def _write_json(path: Path, value: Any) -> None:
    atomic_write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _sha256(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / name).read_bytes()).hexdigest()
