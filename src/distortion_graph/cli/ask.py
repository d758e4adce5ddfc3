"""`distortion-graph ask`: what a language model says of one pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from json import dumps
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.cli.console import Talk, talk_of, terminal_width, write_json
from distortion_graph.cli.mllm_options import (
    MODEL_HELP,
    AskAgain,
    BaseUrl,
    CacheFolder,
    Connection,
    KeyVariable,
    MaxCost,
    MaxOutputTokens,
    MaxSide,
    MaxTokens,
    ModelSpec,
    Price,
    Prompts,
    Retries,
    Stream,
    Structured,
    Temperature,
    Timeout,
    need_mllm,
    open_clients,
)
from distortion_graph.cli.options import (
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    Fit,
    FitOption,
    MaxPixels,
    Quiet,
    Verbose,
    check_outputs,
)
from distortion_graph.cli.streams import is_standard, write_all

if TYPE_CHECKING:
    from distortion_graph.graph import DistortionGraph
    from distortion_graph.mllm.ask.asking import Manner
    from distortion_graph.mllm.ask.pair_view import PairView
    from distortion_graph.mllm.client.client import Client
    from distortion_graph.regions import RegionSpec


class Question(StrEnum):
    """What is asked."""

    assessment = "assessment"
    regions = "regions"
    whole = "whole"


class PairHint(StrEnum):
    """What is suggested with the question about regions."""

    none = "none"
    predicted = "predicted"


def ask(
    context: typer.Context,
    anchor: Annotated[str, typer.Argument(metavar="ANCHOR", help="The first picture.")],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The second picture, of the same scene.")
    ],
    model: Annotated[str, typer.Option(metavar="MODEL[@URL]", help=MODEL_HELP)],
    question: Annotated[
        Question,
        typer.Option(
            help="Ask for an assessment: a text whose sentences name their regions, from the "
            "predicted graph; "
            "regions: the model's own graph; whole: which picture is better, and why."
        ),
    ] = Question.assessment,
    about: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Say what you want to know from an assessment."),
    ] = None,
    sentences: Annotated[
        int, typer.Option(min=1, max=50, metavar="N", help="Write at most N sentences.")
    ] = 8,
    regions: Annotated[str, typer.Option(metavar="SPEC", help=REGIONS_HELP)] = "auto",
    cues: Annotated[
        str,
        typer.Option(
            metavar="CUES",
            help="Show regions by marks, boxes, boxes-text, outlines, crops, names or none; join "
            "several by +.",
        ),
    ] = "marks",
    hint: Annotated[
        PairHint,
        typer.Option(help="Suggest the predicted graph with --question regions, or nothing."),
    ] = PairHint.predicted,
    target_first: Annotated[
        bool, typer.Option("--target-first", help="Show the target first.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the answer to FILE as JSON; - is standard output."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    graph_model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Predict the graph by this model, as compare --model."),
    ] = None,
    fit: FitOption = Fit.error,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = "OPENAI_API_KEY",
    structured: Structured = True,
    stream: Stream = False,
    prompts: Prompts = None,
    max_side: MaxSide = None,
    max_output_tokens: MaxOutputTokens = None,
    temperature: Temperature = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed the language model.")] = 0,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price: Price = None,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    cache: CacheFolder = None,
    ask_again: AskAgain = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask a multimodal language model about two pictures.

    The graph is predicted first; the language model gets the pictures, the regions and what
    was measured, and is told to trust the pixels where they disagree. Answers are kept, so asking
    the same again costs nothing. The key comes from the environment and is written nowhere.

    \b
    Examples:
      distortion-graph ask a.jpg b.jpg --model gpt-5-mini
      distortion-graph ask a.jpg b.jpg --model gpt-5-mini --about "Is b sharper?"
      distortion-graph ask a.jpg b.jpg --model qwen@http://localhost:8000/v1 \\
        --question regions --regions masks.png --cues marks+names --json
      distortion-graph ask a.jpg b.jpg --model local:SmolVLM --question whole

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out,))
    need_mllm("ask")
    if about is not None and question is not Question.assessment:
        raise DistortionGraphError("--about goes into an assessment, expected no other --question")
    if target_first and question is Question.assessment:
        raise DistortionGraphError(
            "--target-first goes with --question regions or whole, expected no assessment"
        )
    if json and is_standard(out):
        raise OutputError("--json prints to standard output too; leave it out, or name a file")
    from distortion_graph.regions import RegionSpec

    # Whole pictures are judged without regions, so nothing is predicted for them.
    spec = RegionSpec.parse("whole" if question is Question.whole else regions)
    if out is not None:
        check_outputs([("--out", out, False)], [anchor, target, *spec.files])
    from distortion_graph.mllm.ask.asking import Manner
    from distortion_graph.mllm.ask.cues import parse_cues
    from distortion_graph.mllm.client.client import run_all

    manner = Manner(parse_cues(cues), prompts, max_side, max_output_tokens, temperature, seed)
    connection = Connection(
        base_url, key_variable, timeout, structured, stream, None, retries, price, max_cost,
        max_tokens, cache, ask_again,
    )  # fmt: skip
    stop = Event()
    (client,) = open_clients([ModelSpec.parse(model)], connection, stop, talk.warn)
    pair = _pair(anchor, target, spec, graph_model, max_pixels, fit, talk)

    def answered() -> Answer:
        if question is Question.assessment:
            return _assessment(client, pair, manner, about, sentences, talk)
        if question is Question.regions:
            return _regions(client, pair, manner, hint, target_first, talk)
        return _whole(client, pair, manner, target_first, talk)

    # So that Ctrl-C still lets a reply that is under way be received and kept.
    (answer,) = list(run_all([answered], 1, stop))
    if out is not None:
        write_all([(out, f"{answer.json}\n".encode())])
    if json:
        write_json(answer.json)
    else:
        answer.show(talk)


@dataclass(frozen=True)
class Pair:
    """The pictures with their regions, and the predicted graph."""

    view: PairView
    graph: DistortionGraph


@dataclass(frozen=True)
class Answer:
    """An answer as JSON, and how people read it."""

    json: str
    show: Callable[[Talk], None]


def _pair(
    anchor: str,
    target: str,
    regions: RegionSpec,
    model: str | None,
    max_pixels: int,
    fit: Fit,
    talk: Talk,
) -> Pair:
    from distortion_graph.mllm.ask.pair_view import PairView
    from distortion_graph.pictures.pairs import load_pair, pair_warnings
    from distortion_graph.pipeline import compare_pictures
    from distortion_graph.predict.session import load_model

    pictures = load_pair(anchor, target, max_pixels=max_pixels)
    for text in pair_warnings(*pictures):
        talk.warn(text)
    graph = compare_pictures(
        *pictures,
        regions=regions,
        model=load_model(model),
        align="none",  # both are shown to the language model pixel by pixel
        fit=fit.value,
        warn=talk.warn,
    )
    return Pair(PairView.of_graph(graph, pictures[0].rgb, pictures[1].rgb), graph)


def _assessment(
    client: Client, pair: Pair, manner: Manner, about: str | None, sentences: int, talk: Talk
) -> Answer:
    from distortion_graph.mllm.ask.assessment import Wish, ask_assessment
    from distortion_graph.report.wording import printable

    said = ask_assessment(client, pair.view, pair.graph, manner, Wish(sentences, about))
    if said.refused or not said.sentences:
        raise _no_answer(client, refused=said.refused)
    if said.cut_off:
        talk.warn("the answer was cut off; a larger --max-output-tokens gives it more room")
    if said.invented:
        numbers = ", ".join(map(str, said.invented))
        talk.warn(f"the answer named regions that are not there, left out: {numbers}")
    if said.unlinked:
        unlinked = counted(said.unlinked, "sentence")
        talk.warn(f"nothing bears out {unlinked} without a region")
    if said.regions_left_out:
        left_out = counted(said.regions_left_out, "region")
        talk.warn(f"{left_out} did not fit into the model's context")
    _tell_scaled(said.side_px, talk)
    names = {region.id: printable(region.name) for region in pair.graph.regions}

    def show(talk: Talk) -> None:
        for sentence in said.sentences:
            numbers = ", ".join(map(str, sentence.regions)) or "no region"
            talk.say(f"{printable(sentence.text)} [{numbers}]")
        used = dict.fromkeys(k for sentence in said.sentences for k in sentence.regions)
        if used:
            talk.say("")
            talk.say("Regions: " + ", ".join(f"{k} {names[k]}" for k in sorted(used)))

    return Answer(said.model_dump_json(indent=1), show)


def _regions(
    client: Client, pair: Pair, manner: Manner, hint: PairHint, target_first: bool, talk: Talk
) -> Answer:
    from distortion_graph.graph import ModelInfo
    from distortion_graph.mllm.ask.answers import answers_to_graph
    from distortion_graph.mllm.ask.asking import ask_regions

    graph = pair.graph
    asked = ask_regions(
        client,
        pair.view,
        graph.vocabulary,
        manner,
        hint=graph if hint is PairHint.predicted else None,
        swapped=target_first,
    )
    answer = asked.answer
    if not answer.regions:
        raise _no_answer(client, asked.texts, refused=bool(asked.refused))
    for number, why in answer.unusable.items():
        talk.warn(f"region {number}: {why}; left out")
    missing = answer.missing([region.id for region in graph.regions])
    if missing:
        talk.warn(f"no answer for the regions {', '.join(map(str, missing))}")
    if answer.invented:
        talk.warn(f"regions that are not there, left out: {', '.join(answer.invented)}")
    _tell_scaled(asked.side_px, talk)
    said = answers_to_graph(answer, graph, ModelInfo(name=client.backend.name))

    def show(talk: Talk) -> None:
        from distortion_graph.report.table import render

        talk.show(render(said, terminal_width()))

    return Answer(said.to_json(), show)


def _whole(client: Client, pair: Pair, manner: Manner, target_first: bool, talk: Talk) -> Answer:
    from distortion_graph.mllm.ask.whole import ask_whole
    from distortion_graph.report.wording import printable, score_text, words

    vocabulary = pair.graph.vocabulary
    said = ask_whole(client, pair.view, vocabulary, manner, swapped=target_first)
    if said is None:
        raise _no_answer(client)
    _tell_scaled(said.side_px, talk)
    unknown = dict.fromkeys((*said.anchor.unknown, *said.target.unknown))
    if unknown:
        talk.warn(f"no distortions of the vocabulary: {', '.join(map(printable, unknown))}")
    if target_first and said.reason:
        talk.warn("in the reason the target is the anchor, since it was shown first")

    def show(talk: Talk) -> None:
        talk.say(f"The anchor is {words(vocabulary, said.comparison)}.")
        for side, picture in (("Anchor", said.anchor), ("Target", said.target)):
            named = [words(vocabulary, label) for label in picture.distortions]
            wrong = ", ".join([*named, *map(printable, picture.unknown)]) or "nothing wrong"
            talk.say(f"{side}: {wrong}; score {score_text(picture.score)}.")
        if said.reason:
            talk.say(printable(said.reason))

    return Answer(dumps(asdict(said), indent=1, ensure_ascii=False), show)


def _no_answer(
    client: Client, texts: Sequence[str] = (), *, refused: bool = False
) -> DistortionGraphError:
    from distortion_graph.mllm.client.thinking import thinks_to_the_end

    name = client.backend.name
    if refused:
        return DistortionGraphError(f"{name} refused to answer; ask another model")
    if any(map(thinks_to_the_end, texts)):
        return DistortionGraphError(
            f"{name}: its reply ends before its thinking does, so there is no answer; give a "
            "larger --max-output-tokens"
        )
    return DistortionGraphError(
        f"{name}: its reply has no answer that can be used; ask again with another model, fewer "
        "--regions or a larger --max-output-tokens"
    )


def _tell_scaled(side_px: int | None, talk: Talk) -> None:
    if side_px is not None:
        talk.warn(
            f"the pictures were sent scaled down to {side_px} px, since no larger ones were taken; "
            "signs of distortion may be lost (--cues crops shows regions at their own size)"
        )
