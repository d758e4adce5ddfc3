"""`distortion-graph dataset export-sft`: a data set as conversations to fine-tune models on."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.cli.choice import AnyPairs, TrainSplit, chosen
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.options import DataRoot, Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk

if TYPE_CHECKING:
    from distortion_graph.mllm.ask.cues import Cue

VARIED = "varied"
_VARIED_CUES = ("marks", "boxes", "boxes-text", "marks+names", "names+boxes-text")


class Form(StrEnum):
    """Which files."""

    llava = "llava"
    messages = "messages"
    both = "both"


def dataset_export_sft(
    context: typer.Context,
    root: DataRoot,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Write the conversations to FOLDER, which must be new or empty."
        ),
    ],
    split: TrainSplit = None,
    pairs: AnyPairs = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Write N conversations, of pairs drawn at random."),
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            help="Write llava: llava.jsonl in ShareGPT's form, with LLaMA-Factory's "
            "dataset_info.json; messages: messages.jsonl in OpenAI's form, as TRL reads it; or "
            "both."
        ),
    ] = Form.both,
    cues: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CUES",
            help="Show regions by these cues, as in `mllm eval`; when repeated, one of them is "
            "drawn per conversation; varied draws from five kinds. By default marks.",
        ),
    ] = None,
    hint_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Give a hint with this share of the questions about all regions.",
        ),
    ] = 0.5,
    hint_graphs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Hint with the predicted graphs in DIR, as `bench --graphs` writes them; by "
            "default with the truth, a quarter of its regions made wrong.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed all draws.")] = 0,
    workers: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Use N threads to draw pictures; 0 means one per core."
        ),
    ] = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a data set as chat conversations, to fine-tune language models on.

    One conversation per pair: about all regions (with and without a hint), several short questions
    (distortion, severity, score, comparison, which regions, yes or no, the worst), a written
    assessment, or the pictures as wholes. All answers follow from the truth; short questions are
    chosen so that no answer dominates. The questions about regions are those of `mllm eval`.
    docs/fine-tuning.md has a recipe.

    \b
    Examples:
      distortion-graph dataset export-sft my-set --out my-sft --count 20000
      distortion-graph dataset export-sft PandaSet --out sft --cues varied
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.mllm.ask.cues import Cue
    from distortion_graph.mllm.eval.hint_graphs import FolderPredictions
    from distortion_graph.mllm.sft.export import ExportOptions, export_sft
    from distortion_graph.mllm.sft.forms import Form as FileForm
    from distortion_graph.mllm.sft.plan import PlanOptions
    from distortion_graph.work.executor import worker_count

    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(root)):
        raise OutputError(f"{out}: --out would write into the data set; choose another place")
    if hint_graphs is not None and not hint_graphs.is_dir():
        raise DistortionGraphError(f"{hint_graphs}: no such folder, expected predicted graphs")
    shown = _cues(cues)
    if any(Cue.marks in together for together in shown):
        need_extra("dataset export-sft --cues marks", "mllm", "scipy")
    reader = PandaSet(root)
    if reader.description is not None:
        reader.description.need_scores(root, "the texts tell of all labels and scores")
    plan = PlanOptions(
        chosen(split, ("train",)), chosen(pairs, ("all",)), count, shown, hint_share, seed
    )
    options = ExportOptions(
        plan,
        tuple(FileForm) if form is Form.both else (FileForm(form.value),),
        worker_count(workers or None),
        None if hint_graphs is None else FolderPredictions(hint_graphs, reader.vocabulary),
    )
    with WorkTalk(talk) as work:
        done = export_sft(reader, out, options, work.follow("writing", "conversations"))
    conversations = counted(done.conversations, "conversation")
    talk.say(f"{out}: {conversations}, {counted(done.images, 'picture')}")
    for name in ("kind", "hint", "cues", "order"):
        counts = ", ".join(f"{what} {number}" for what, number in done.counts[name].items())
        talk.detail(f"{name}: {counts}")


def _cues(given: list[str] | None) -> tuple[tuple[Cue, ...], ...]:
    from distortion_graph.mllm.ask.cues import parse_cues

    texts: list[str] = []
    for text in given or ["marks"]:
        texts += _VARIED_CUES if text == VARIED else (text,)
    return tuple(dict.fromkeys(parse_cues(text) for text in texts))
