"""Asking a model about the regions of a pair so that it fits, whatever the model can take.

- A context that is too long: the regions are asked about in two halves, and so on down to one; then
  the pictures are made smaller.
- Pictures too large for the endpoint: made smaller, which may lose what there is to see; crops stay
  as they are, and where they are too many, the regions are asked about in halves.
- An answer that was cut off: what it lacks is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distortion_graph.graph import DistortionGraph
from distortion_graph.mllm.answers import Answer, parse_answer
from distortion_graph.mllm.client import Client
from distortion_graph.mllm.compact import answer_schema, compact, compact_text, form_text
from distortion_graph.mllm.cues import Cue, cue_parts
from distortion_graph.mllm.messages import (
    ContextTooLongError,
    ImageTooLargeError,
    Reply,
    Request,
    Usage,
)
from distortion_graph.mllm.pair_view import PairView
from distortion_graph.mllm.templates import Prompt, load_prompt
from distortion_graph.mllm.wording import comparison_lines, distortion_lines, severity_words
from distortion_graph.report.wording import uncertain_places
from distortion_graph.vocabulary import Vocabulary

SMALLEST_SIDE_PX = 256
"""Pictures are not made smaller than this along their longer side."""

_TOKENS_A_REGION, _TOKENS_BESIDE = 100, 2048


@dataclass(frozen=True)
class Manner:
    """How questions are put.

    `cues` tell which regions are meant, `prompts` is a folder with prompts of one's own,
    `max_side_px` what pictures are scaled down to before they are sent, `max_output_tokens` the
    longest answer (None: by the number of regions); temperature and seed are the model's.
    """

    cues: tuple[Cue, ...]
    prompts: Path | None = None
    max_side_px: int | None = None
    max_output_tokens: int | None = None
    temperature: float | None = 0.0
    seed: int | None = 0

    def request(
        self, prompt: Prompt, pair: PairView, values: Mapping[str, str], schema: Mapping[str, Any]
    ) -> Request:
        """A prompt filled in and put around the pair's pictures and cues."""
        regions = len(pair.regions)
        return Request(
            system=prompt.system,
            parts=prompt.parts(cue_parts(self.cues, pair), values),
            schema=schema,
            schema_name=prompt.name.replace(".", "-"),
            max_output_tokens=self.max_output_tokens or _TOKENS_BESIDE + _TOKENS_A_REGION * regions,
            temperature=self.temperature,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Asked:
    """What came of asking about the regions of one pair.

    `answer` is in the pair's own order, whatever was shown first. `texts` are the replies as they
    came, `refused` how many of them were none, `missing` the number of regions without any entry;
    `side_px` is what the pictures had to be scaled down to because the endpoint or the context took
    no larger ones, else None.
    """

    answer: Answer
    texts: tuple[str, ...]
    refused: int
    missing: int
    usage: Usage
    side_px: int | None


class Sender:
    """Sends requests about one pair, with smaller pictures where the endpoint takes no larger."""

    def __init__(self, client: Client, manner: Manner) -> None:
        self.client = client
        self.texts: list[str] = []
        self.refused = 0
        self.usage = Usage()
        self.shrunk = False
        self._side_px = manner.max_side_px

    @property
    def side_px(self) -> int | None:
        """What pictures had to be scaled down to; None where they did not have to."""
        return self._side_px if self.shrunk else None

    def send(
        self, pair: PairView, request: Callable[[PairView], Request], *, last_resort: bool = False
    ) -> Reply:
        """The reply to `request` of the pair as it is shown; raises what `Client.ask` raises.

        As the last resort pictures are made smaller also where the context is too long.
        """
        while True:
            shown = pair if self._side_px is None else pair.at_most(self._side_px)
            question = request(shown)
            try:
                reply = self.client.ask(question)
            except ImageTooLargeError as error:
                if self._shrink(pair):
                    continue
                if any(image.role == "crop" for image in question.images):
                    raise ImageTooLargeError(
                        f"{error}; crops are never made smaller, so take cues without them"
                    ) from None
                raise
            except ContextTooLongError:
                if not last_resort or not self._shrink(pair):
                    raise
                continue
            self.texts.append(reply.text)
            self.refused += reply.finish == "refused"
            self.usage += reply.usage
            return reply

    def _shrink(self, pair: PairView) -> bool:
        """Halve the longer side of the pictures; False where they are as small as may be."""
        longest = max(*pair.anchor.shape[:2], *pair.target.shape[:2])
        now = longest if self._side_px is None else min(longest, self._side_px)
        if now <= SMALLEST_SIDE_PX:
            return False
        self._side_px, self.shrunk = max(SMALLEST_SIDE_PX, now // 2), True
        return True


def ask_regions(
    client: Client,
    pair: PairView,
    vocabulary: Vocabulary,
    manner: Manner,
    *,
    hint: DistortionGraph | None = None,
    swapped: bool = False,
) -> Asked:
    """Ask about every region of a pair.

    Args:
        client: who is asked.
        pair: pictures and regions.
        vocabulary: the words to answer in.
        manner: how it is asked.
        hint: a graph that is given as a suggestion, in the pair's own order.
        swapped: show the target first; the answer is turned round again.

    Raises EndpointError and BudgetError where nothing can be asked. Regions that do not fit even
    alone are unusable in the answer.
    """
    sender = Sender(client, manner)
    shown = pair.swapped() if swapped else pair
    said = _Regions(sender, shown, vocabulary, manner, hint.swapped() if hint and swapped else hint)
    ids = [region.id for region in pair.regions]
    answer = said.ask(ids).known(ids)
    return Asked(
        answer=answer.mirrored(vocabulary) if swapped else answer,
        texts=tuple(sender.texts),
        refused=sender.refused,
        missing=len(answer.missing(ids)),
        usage=sender.usage,
        side_px=sender.side_px,
    )


class _Regions:
    """Asks about regions of a pair that is shown in one order."""

    def __init__(
        self,
        sender: Sender,
        pair: PairView,
        vocabulary: Vocabulary,
        manner: Manner,
        hint: DistortionGraph | None,
    ) -> None:
        self.sender, self.pair, self.vocabulary = sender, pair, vocabulary
        self.manner, self.hint = manner, hint
        self._crops = bool({Cue.crops, Cue.outlines} & set(manner.cues))
        self.prompt = load_prompt("regions-hinted" if hint else "regions", manner.prompts)

    def ask(self, ids: list[int]) -> Answer:
        """The answer for these regions, put together from as many replies as it takes."""
        if not ids:
            return Answer()
        try:
            last_resort = len(ids) == 1
            reply = self.sender.send(self.pair.only(ids), self._request, last_resort=last_resort)
        except (ContextTooLongError, ImageTooLargeError) as error:
            too_long = isinstance(error, ContextTooLongError)
            if len(ids) > 1 and (too_long or self._crops):
                return self._halves(ids)
            if not too_long:
                raise
            return Answer(unusable={ids[0]: "even one region is too long for the model's context"})
        answer = parse_answer(reply.text, ids, self.vocabulary)
        if reply.finish != "length":
            return answer
        lacking = [k for k in ids if k not in answer.regions]
        if len(lacking) < len(ids):
            return answer.merged(self.ask(lacking))
        return self._halves(ids) if len(ids) > 1 else answer

    def _halves(self, ids: list[int]) -> Answer:
        middle = len(ids) // 2
        return self.ask(ids[:middle]).merged(self.ask(ids[middle:]))

    def _request(self, pair: PairView) -> Request:
        ids = [region.id for region in pair.regions]
        values = region_values(ids, self.vocabulary, self.hint)
        return self.manner.request(self.prompt, pair, values, answer_schema(ids, self.vocabulary))


def region_values(
    ids: Sequence[int], vocabulary: Vocabulary, hint: DistortionGraph | None = None
) -> dict[str, str]:
    """What is filled into the prompts about regions."""
    return {
        "ids": ", ".join(map(str, ids)),
        "distortions": distortion_lines(vocabulary),
        "severities": severity_words(vocabulary),
        "clean": vocabulary.clean,
        "comparisons": comparison_lines(vocabulary),
        "form": form_text(ids),
        "hint": _suggested(hint, set(ids)) if hint else "",
    }


def _suggested(hint: DistortionGraph, ids: set[int]) -> str:
    """The hint in the form of an answer, and what of it its own model does not believe."""
    asked = tuple(region for region in hint.regions if region.id in ids)
    unsure = uncertain_places(hint.model_copy(update={"regions": asked}))
    line = f"\nThe program itself is uncertain about {', '.join(unsure)}." if unsure else ""
    return compact_text(compact(hint, ids)) + line
