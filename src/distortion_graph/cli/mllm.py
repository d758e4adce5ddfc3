"""`distortion-graph mllm eval`: what language models see in the regions of pairs."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.cli.choice import EasyPairs, TestSplit, chosen
from distortion_graph.cli.console import talk_of, terminal_width
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
    RequestsPerMinute,
    Retries,
    Stream,
    Structured,
    Temperature,
    Timeout,
    need_mllm,
    open_clients,
)
from distortion_graph.cli.options import (
    DataRoot,
    LatexTables,
    MarkdownTables,
    OnlyPictures,
    PairsIndex,
    PairsLimit,
    Quiet,
    Verbose,
)
from distortion_graph.cli.result_tables import Outputs

if TYPE_CHECKING:
    from distortion_graph.cli.console import Talk
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.mllm.ask.asking import Manner
    from distortion_graph.mllm.client.client import Client
    from distortion_graph.mllm.eval.conditions import Condition, EvalOptions
    from distortion_graph.mllm.eval.hint_graphs import HintGraphs
    from distortion_graph.mllm.eval.hints import Hint
    from distortion_graph.mllm.eval.results import MllmResult

mllm_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure multimodal language models on pairs and regions.",
)

RESULTS_FILE = "results.json"


class Order(StrEnum):
    """Which picture is shown first."""

    varied = "varied"
    as_is = "as-is"


@mllm_app.callback()
def _group() -> None:
    """Measure multimodal language models on pairs and regions."""


@mllm_app.command("eval")
def evaluate(
    context: typer.Context,
    root: DataRoot,
    model: Annotated[
        list[str],
        typer.Option(metavar="[LABEL=]MODEL[@URL]", help=MODEL_HELP + " May be repeated."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Write graphs, answers and results.json to DIR.")
    ],
    pairs: EasyPairs = None,
    split: TestSplit = None,
    cues: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CUES",
            help="Show regions by marks, boxes, boxes-text, outlines, crops, names or none; join "
            "several by +. May be repeated; by default marks.",
        ),
    ] = None,
    hint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HINT",
            help="Suggest a graph: none, predicted, true, shuffled or corrupted. May be repeated; "
            "by default none.",
        ),
    ] = None,
    hint_model: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Predict the hints by this model, as compare --model."),
    ] = "shipped",
    hint_graphs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Hint with the predicted graphs in DIR, as `bench --graphs` writes them.",
        ),
    ] = None,
    order: Annotated[
        Order,
        typer.Option(help="Show either picture first (varied), or always the anchor (as-is)."),
    ] = Order.varied,
    both_orders: Annotated[
        bool, typer.Option("--both-orders", help="Ask about every pair in both orders.")
    ] = False,
    index: PairsIndex = None,
    only: OnlyPictures = None,
    limit: PairsLimit = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Send up to N requests at once.")
    ] = 8,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = "OPENAI_API_KEY",
    structured: Structured = True,
    stream: Stream = False,
    prompts: Prompts = None,
    max_side: MaxSide = None,
    max_output_tokens: MaxOutputTokens = None,
    temperature: Temperature = 0.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed orders, controls, intervals and the language model.")
    ] = 0,
    requests_per_minute: RequestsPerMinute = None,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price: Price = None,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    cache: CacheFolder = None,
    ask_again: AskAgain = False,
    markdown: MarkdownTables = None,
    latex: LatexTables = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask language models about the regions of pairs, and measure their answers.

    Every model is asked with every cue and every hint about every pair; `bench` scores the answers,
    and three tables say how good they are, how they come about (repeated templates, a preference
    for the picture shown first) and, with hints, whether a model reasons or copies. Answers are
    kept: a rerun costs nothing, and a run that was stopped resumes. docs/mllm.md has the details.

    \b
    Examples:
      distortion-graph mllm eval my-set --model gpt-5-mini --limit 20 --out runs/a
      distortion-graph mllm eval my-set --model qwen@http://localhost:8000/v1 \\
        --pairs hard --cues marks --cues names+boxes-text --both-orders \\
        --hint none --hint predicted --hint shuffled --out runs/b
      distortion-graph mllm eval my-set --model gpt-5-mini --price 0.25,2 \\
        --max-cost 5 --out runs/c

    The key comes from the environment and is written nowhere.

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(markdown, latex))
    need_mllm("mllm eval")
    outputs = Outputs(None, markdown, latex)
    outputs.check([str(p) for p in (only, index) if p], root)
    _check_place(out, root)
    from distortion_graph.bench.benchmark import BenchOptions
    from distortion_graph.datasets.pictures import read_names
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.mllm.ask.asking import Manner
    from distortion_graph.mllm.ask.cues import cues_text, parse_cues
    from distortion_graph.mllm.eval.conditions import EvalOptions
    from distortion_graph.mllm.eval.hints import Hint

    reader = PandaSet(root, index=index)
    if reader.description is not None:
        reader.description.need_scores(root, "language models are asked for all labels and scores")
    options = EvalOptions(
        BenchOptions(
            chosen(pairs, ("easy",)),
            chosen(split, ("test",)),
            read_names(only) if only else None,
            limit,
            seed,
        ),
        order.value,
        both_orders,
        concurrency,
    )
    stop = threading.Event()
    connection = Connection(
        base_url, key_variable, timeout, structured, stream, requests_per_minute, retries, price,
        max_cost, max_tokens, cache, ask_again,
    )  # fmt: skip
    specs = [ModelSpec.parse(text) for text in model]
    clients = open_clients(specs, connection, stop, talk.detail)
    shown = dict.fromkeys(parse_cues(text) for text in _several(cues, "marks", "--cues"))
    manners = {
        cues_text(cue): Manner(cue, prompts, max_side, max_output_tokens, temperature, seed)
        for cue in shown
    }
    hints = [_hint(text, Hint) for text in _several(hint, "none", "--hint")]
    conditions = _conditions(specs, clients, manners, hints)
    made = _hints(reader, hints, hint_model, hint_graphs, out, seed)
    result = _evaluated(reader, conditions, made, out, options, talk, stop)
    _finish(result, out, outputs, talk)


def _several(given: Sequence[str] | None, default: str, option: str) -> list[str]:
    """Values of an option that may be repeated, each once, also separated by commas."""
    words = [word.strip() for text in given or [default] for word in text.split(",")]
    kept = list(dict.fromkeys(word for word in words if word))
    if not kept:
        raise DistortionGraphError(f"{option}: is empty, expected a word such as {default}")
    return kept


def _hint(text: str, hints: type[Hint]) -> Hint:
    try:
        return hints(text)
    except ValueError:
        known = ", ".join(hint.value for hint in hints)
        raise DistortionGraphError(f"--hint {text!r}: expected one of {known}") from None


def _conditions(
    specs: Sequence[ModelSpec],
    clients: Sequence[Client],
    manners: dict[str, Manner],
    hints: Sequence[Hint],
) -> list[Condition]:
    """Models × cues × hints, named by what differs among them."""
    from distortion_graph.mllm.eval.conditions import Condition

    conditions: list[Condition] = []
    for spec, client in zip(specs, clients, strict=True):
        for cue, manner in manners.items():
            for hint in hints:
                words = [spec.label]
                words += [cue] if len(manners) > 1 else []
                words += [hint.value] if len(hints) > 1 else []
                folder = re.sub(r"[^\w.+-]+", "-", " ".join((spec.label, cue, hint.value)))
                conditions.append(Condition(", ".join(words), folder, client, manner, hint))
    for k, condition in enumerate(conditions):
        if any(condition.folder.casefold() == other.folder.casefold() for other in conditions[:k]):
            raise DistortionGraphError(
                f"two rows would be called {condition.name!r}; name one: --model LABEL=MODEL"
            )
    return conditions


def _hints(
    reader: PandaSet,
    hints: Sequence[Hint],
    model: str,
    graphs: Path | None,
    out: Path,
    seed: int,
) -> HintGraphs:
    from distortion_graph.bench.evaluate import check_vocabularies
    from distortion_graph.mllm.eval.hint_graphs import (
        FolderPredictions,
        HintGraphs,
        ModelPredictions,
        Predict,
    )
    from distortion_graph.mllm.eval.hints import Hint
    from distortion_graph.predict.session import load_model

    folder = out / "hints"
    predict: Predict | None = None
    if graphs is not None:
        if not graphs.is_dir():
            raise DistortionGraphError(f"{graphs}: no such folder, expected predicted graphs")
        predict = FolderPredictions(graphs, reader.vocabulary)
    elif {Hint.predicted, Hint.shuffled} & set(hints):
        loaded = load_model(model)
        check_vocabularies(loaded.vocabulary, reader.vocabulary, loaded.identity.name)
        predict = ModelPredictions(loaded, folder / Hint.predicted.value)
    return HintGraphs(folder, seed, predict)


def _evaluated(
    reader: PandaSet,
    conditions: Sequence[Condition],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    talk: Talk,
    stop: threading.Event,
) -> MllmResult:
    from distortion_graph.bench.benchmark import Progress
    from distortion_graph.cli.progress import WorkTalk
    from distortion_graph.mllm.eval.evaluation import evaluate_models

    with WorkTalk(talk) as work:
        progress = Progress(work.begin, work.advance)
        return evaluate_models(
            reader, conditions, hints, out, options, progress=progress, stop=stop
        )


def _finish(result: MllmResult, out: Path, outputs: Outputs, talk: Talk) -> None:
    from distortion_graph.base.files import atomic_write_text
    from distortion_graph.bench.tables import rich_table
    from distortion_graph.mllm.eval.results import tables_of

    tables = tables_of(result)
    atomic_write_text(out / RESULTS_FILE, result.to_json())
    outputs.write("", tables)
    for k, table in enumerate(tables):
        if k:
            talk.say("")
        talk.show(rich_table(table, terminal_width()))
    shrunk = sum(counts.shrunk for counts in result.counts.values())
    if shrunk:
        talk.warn(
            f"{counted(shrunk, 'pair')} sent with pictures scaled down, since no larger ones were "
            "taken; signs of distortion may be lost (--cues crops shows regions at their own size)"
        )
    unasked = sum(counts.unasked for counts in result.counts.values())
    if unasked:
        talk.warn(
            f"{counted(unasked, 'pair')} not asked: the requests were under way when an earlier "
            "run stopped, and may have been paid; --ask-again sends them again"
        )


def _check_place(out: Path, root: Path) -> None:
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(root)):
        raise OutputError(f"{out}: --out would write into the data set; choose another place")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file, expected a folder for --out")
