"""A written assessment of a pair, grounded in its graph: every sentence names its regions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from distortion_graph.graph import SIDES, DistortionGraph, RegionComparison
from distortion_graph.masks.container import default_name, is_default_name
from distortion_graph.mllm.ask.answers import json_in, line_of, region_number
from distortion_graph.mllm.ask.asking import Manner, Sender
from distortion_graph.mllm.ask.compact import DECIMALS, closed, compact_text
from distortion_graph.mllm.ask.cues import quoted
from distortion_graph.mllm.ask.pair_view import PairView
from distortion_graph.mllm.ask.templates import load_prompt
from distortion_graph.mllm.client.client import Client
from distortion_graph.mllm.client.messages import ContextTooLongError, Request
from distortion_graph.mllm.client.thinking import final_answer
from distortion_graph.report.wording import node_text, words, worst_first

SENTENCES = 8
"""The longest assessment, in sentences, unless another number is asked for."""

_FORM = '{"sentences": [{"text": "…", "regions": […]}, …]}'


class Sentence(BaseModel):
    """A sentence and the ids of the regions that it is about; none where it named none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    regions: tuple[int, ...]


class Assessment(BaseModel):
    """What was written. `unlinked` counts sentences without a region, `invented` are numbers of
    regions that sentences named and the pair does not have; they are not in the sentences.
    `cut_off` says that the last sentence may be unfinished, and more may be lacking.

    `regions_left_out` counts regions, the least impaired ones, that did not fit into the context;
    `side_px` is what the pictures had to be scaled down to, null where they were sent as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentences: tuple[Sentence, ...]
    unlinked: int = 0
    invented: tuple[int, ...] = ()
    refused: bool = False
    cut_off: bool = False
    regions_left_out: int = 0
    side_px: int | None = None

    @classmethod
    def of(cls, said: Sequence[tuple[str, Sequence[int]]], known: Sequence[int]) -> Assessment:
        """From sentences and the numbers they named."""
        kept = set(known)
        sentences = tuple(
            Sentence(text=text, regions=tuple(dict.fromkeys(k for k in ids if k in kept)))
            for text, ids in said
        )
        invented = dict.fromkeys(k for _, ids in said for k in ids if k not in kept)
        return cls(
            sentences=sentences,
            unlinked=sum(not sentence.regions for sentence in sentences),
            invented=tuple(invented),
        )


@dataclass(frozen=True)
class Wish:
    """What an assessment is to be: how long, and what the reader wants to know, if anything."""

    sentences: int = SENTENCES
    question: str | None = None


def ask_assessment(
    client: Client, pair: PairView, graph: DistortionGraph, manner: Manner, wish: Wish | None = None
) -> Assessment:
    """Let a model write about a pair whose graph is given to it.

    Where the context is too short for all regions, the graph's best ones are left out, half of
    them at a time. Raises as `ask_regions`.
    """
    wish = wish or Wish()
    ids = [region.id for region in worst_first(graph)]
    sender = Sender(client, manner)
    prompt = load_prompt("assessment", manner.prompts)

    def request(shown: PairView) -> Request:
        wanted = {region.id for region in shown.regions}
        values = assessment_values(graph, wanted, wish)
        return manner.request(prompt, shown, values, assessment_schema(sorted(wanted)))

    while True:
        try:
            reply = sender.send(pair.only(ids), request, last_resort=len(ids) < 2)
            break
        except ContextTooLongError:
            if len(ids) < 2:
                raise
            ids = ids[: (len(ids) + 1) // 2]
    known = [region.id for region in graph.regions]
    return parse_assessment(reply.text, known).model_copy(
        update={
            "refused": reply.finish == "refused",
            "cut_off": reply.finish == "length",
            "regions_left_out": len(known) - len(ids),
            "side_px": sender.side_px,
        }
    )


def assessment_values(graph: DistortionGraph, ids: set[int], wish: Wish) -> dict[str, str]:
    """What is filled into the prompt about these regions of a graph."""
    return {
        "hint": compact_text(_findings(graph, ids)),
        "names": _names(graph, ids),
        "question": _question(wish.question),
        "sentences": str(wish.sentences),
        "form": _FORM,
    }


def _findings(graph: DistortionGraph, ids: set[int]) -> dict[str, Any]:
    """These regions in words, since what is written from them is for people; no labels."""
    return {
        str(region.id): {
            **{
                side: {
                    "found": node_text(graph, node),
                    "score": None if node.score is None else round(node.score, DECIMALS),
                }
                for side in SIDES
                for node in (region.node(side),)
            },
            "comparison": words(graph.vocabulary, region.comparison.label),
        }
        for region in graph.regions
        if region.id in ids
    }


def assessment_schema(ids: Sequence[int]) -> dict[str, Any]:
    """The JSON Schema of an assessment that may name these regions."""
    number: dict[str, Any] = {"type": "integer"}
    if ids:
        number["enum"] = list(ids)
    sentence = {"text": {"type": "string"}, "regions": {"type": "array", "items": number}}
    return closed({"sentences": {"type": "array", "items": closed(sentence)}})


def parse_assessment(text: str, known: Sequence[int]) -> Assessment:
    """The sentences of a reply: its JSON, or plain text with references like [3] or [1, 4]."""
    value, text = json_in(text), final_answer(text)
    if isinstance(value, list):  # references in words before the answer look like lists
        value = next((v for v in value if isinstance(v, Mapping) and "sentences" in v), value)
    listed = value.get("sentences") if isinstance(value, Mapping) else value
    if isinstance(listed, list) and any(isinstance(entry, Mapping) for entry in listed):
        return Assessment.of(list(_listed(listed)), known)
    if isinstance(listed, list) and any(isinstance(entry, str) for entry in listed):
        text = " ".join(map(line_of, listed))
    elif isinstance(value, Mapping):
        return Assessment(sentences=())
    return Assessment.of(list(_plain(text)), known)


def _listed(entries: Sequence[Any]) -> Any:
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        text = line_of(entry.get("text"))
        said = entry.get("regions", [])
        if isinstance(said, str):
            said = re.split(r"[,;&]|\band\b", said)
        numbers = [region_number(k) for k in (said if isinstance(said, list) else [said])]
        if text:
            yield text, [k for k in numbers if k is not None]


_REFERENCE = re.compile(
    r"\s*[\[(](?:regions?\s*)?(\d{1,9}(?:\s*(?:,|and|&)\s*\d{1,9})*)[\])]", re.I
)


def _plain(text: str) -> Any:
    # A reference after the full stop belongs to the sentence before it.
    flat = re.sub(r"([.!?])((?:\s*[\[(][^\])]*\d[^\])]*[\])])+)", r"\2\1", " ".join(text.split()))
    for sentence in re.split(r"(?<=[.!?])\s+(?=\S)", flat):
        numbers = [
            int(n)
            for reference in _REFERENCE.findall(sentence)
            for n in re.findall(r"\d+", reference)
        ]
        bare = _REFERENCE.sub("", sentence).strip()
        if bare:
            yield bare, numbers


def _names(graph: DistortionGraph, wanted: set[int]) -> str:
    """`3 "cup", 4 "saucer"`."""
    return ", ".join(
        f"{region.id} {quoted(name_of(region))}" for region in graph.regions if region.id in wanted
    )


def name_of(region: RegionComparison) -> str:
    """What a region is called in sentences; one without a name by its number."""
    return default_name(region.id) if is_default_name(region.name) else region.name


def _question(text: str | None) -> str:
    return f"\nThe reader asks: {' '.join(text.split())}\n" if text else ""
