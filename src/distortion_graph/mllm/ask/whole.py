"""The question about whole pictures: what is wrong in each, and which one is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    ModelInfo,
    Scene,
    SceneNode,
    score_margin,
)
from distortion_graph.mllm.ask.answers import brief, json_in, line_of, score_in
from distortion_graph.mllm.ask.asking import Manner, Sender
from distortion_graph.mllm.ask.compact import closed
from distortion_graph.mllm.ask.pair_view import PairView
from distortion_graph.mllm.ask.templates import load_prompt
from distortion_graph.mllm.ask.wording import comparison_lines, distortion_lines, label_of
from distortion_graph.mllm.client.client import Client
from distortion_graph.mllm.client.messages import EndpointError, Request

_FORM = (
    '{"anchor": {"distortions": ["…", …], "score": …}, '
    '"target": {"distortions": ["…", …], "score": …}, "comparison": "…", "reason": "…"}'
)


@dataclass(frozen=True)
class PictureAnswer:
    """What is wrong anywhere in a picture, the worst first, and its score in [0, 1] or none.

    `unknown` are words that were said to be wrong and are no distortions of the vocabulary.
    """

    distortions: tuple[str, ...]
    score: float | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class WholeAnswer:
    """Both pictures as wholes; `comparison` is of the anchor against the target.

    `side_px` is what the pictures had to be scaled down to because the endpoint or the context took
    no larger ones, else None.
    """

    anchor: PictureAnswer
    target: PictureAnswer
    comparison: str
    reason: str
    side_px: int | None = None

    def mirrored(self, vocabulary: Vocabulary) -> WholeAnswer:
        """The answer to the same question with anchor and target exchanged."""
        labels = vocabulary.comparison_labels
        mirror = dict(zip(labels, labels[::-1], strict=True))
        return replace(
            self, anchor=self.target, target=self.anchor, comparison=mirror[self.comparison]
        )


def ask_whole(
    client: Client,
    pair: PairView,
    vocabulary: Vocabulary,
    manner: Manner,
    *,
    swapped: bool = False,
) -> WholeAnswer | None:
    """Ask about the pictures as wholes; None where no usable answer came.

    With `swapped` the target is shown first and the answer turned round again; its reason then
    calls the pictures as they were shown. Raises as `ask_regions`, and EndpointError for a refusal.
    """
    prompt = load_prompt("whole", manner.prompts)
    values = whole_values(vocabulary)

    def request(shown: PairView) -> Request:
        return manner.request(prompt, shown, values, whole_schema(vocabulary))

    shown = (pair.swapped() if swapped else pair).only(())
    sender = Sender(client, manner)
    reply = sender.send(shown, request, last_resort=True)
    if reply.finish == "refused":
        raise EndpointError(f"{client.backend.name} refused to answer; ask another model")
    answer = parse_whole(reply.text, vocabulary)
    if answer is None:
        return None
    answer = replace(answer, side_px=sender.side_px)
    return answer.mirrored(vocabulary) if swapped else answer


def whole_values(vocabulary: Vocabulary) -> dict[str, str]:
    """What is filled into the prompt."""
    return {
        "distortions": distortion_lines(vocabulary, clean=False),
        "comparisons": comparison_lines(vocabulary),
        "form": _FORM,
    }


def whole_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The JSON Schema of an answer."""
    labels = [label for label in vocabulary.distortions if label != vocabulary.clean]
    picture = {
        "distortions": {"type": "array", "items": {"type": "string", "enum": labels}},
        "score": {"type": "number"},
    }
    return {
        **closed(
            {
                "anchor": {"$ref": "#/$defs/picture"},
                "target": {"$ref": "#/$defs/picture"},
                "comparison": {
                    "type": "string",
                    "enum": list(reversed(vocabulary.comparison_labels)),
                },
                "reason": {"type": "string"},
            }
        ),
        "$defs": {"picture": closed(picture)},
    }


def parse_whole(text: str, vocabulary: Vocabulary) -> WholeAnswer | None:
    """What a text says of the pictures as wholes; None where it says no comparison.

    Words that are no distortion of the vocabulary are kept apart.
    """
    value = json_in(text)
    if isinstance(value, list) and value:
        value = value[-1]  # references in words before the answer look like lists
    if not isinstance(value, Mapping):
        return None
    comparison = label_of(value.get("comparison"), vocabulary.comparison_labels)
    if comparison is None:
        return None
    anchor, target = (_picture(value.get(side), vocabulary) for side in ("anchor", "target"))
    return WholeAnswer(anchor, target, comparison, line_of(value.get("reason")))


def _picture(value: Any, vocabulary: Vocabulary) -> PictureAnswer:
    if not isinstance(value, Mapping):
        return PictureAnswer((), None)
    said = value.get("distortions")
    words = said if isinstance(said, list) else [said]
    labels, unknown = dict[str, None](), dict[str, None]()
    for word in words:
        label = label_of(word, vocabulary.distortions)
        if label is not None:
            labels[label] = None
        elif word not in (None, ""):
            unknown[word if isinstance(word, str) else brief(word)] = None
    labels.pop(vocabulary.clean, None)
    return PictureAnswer(tuple(labels), score_in(value.get("score")), tuple(unknown))


def whole_to_graph(
    answer: WholeAnswer, frame: DistortionGraph, model: ModelInfo | None = None
) -> DistortionGraph:
    """A graph with a scene and no regions, of the pictures of `frame`."""
    margin = score_margin(answer.anchor.score, answer.target.score)
    return DistortionGraph(
        vocabulary=frame.vocabulary,
        anchor=frame.anchor,
        target=frame.target,
        model=model,
        regions=(),
        scene=Scene(
            anchor=SceneNode(score=answer.anchor.score),
            target=SceneNode(score=answer.target.score),
            comparison=ComparisonBelief(label=answer.comparison, margin=margin),
        ),
    )
