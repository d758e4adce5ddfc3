"""`distortion-graph train`: make a network from clean pictures or from a data set."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import RecipeError
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Labelled, Pictures, Quiet

if TYPE_CHECKING:
    from distortion_graph.training.config import TrainingConfig
    from distortion_graph.training.held_out import HeldOutScore, RootScore
    from distortion_graph.training.material import Material


def train(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="Write the run to this folder, or resume the unfinished run in it.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read settings from FILE, YAML (docs/training.md); options override them.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set one setting; may be repeated."),
    ] = None,
    labelled: Labelled = None,
    pictures: Pictures = None,
    root: Annotated[
        Path | None,
        typer.Option(
            help="Train on the pairs of this data set (`dataset build`); none are synthesised."
        ),
    ] = None,
    held_out: Annotated[
        Path | None,
        typer.Option(
            help="Choose the network on the pictures that this JSON file lists, not train on them."
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Read the network's vocabulary from FILE, JSON; a data set has its own.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Train this architecture: lite0 (default) or panda.")
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option("--start-from", "--init", help="Begin with the weights of this network."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Train for so many minutes, evaluation included; 60 unless --steps is given."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", "--max-steps", help="Stop after this many steps.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Synthesise pairs in N processes; by default 1.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak at this learning rate; by default 0.002.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed every random draw; by default 0.")] = None,
    device: Annotated[
        str | None, typer.Option(help="Train on auto (default), cpu or cuda.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a network on clean pictures, or on a data set.

    From clean pictures, pairs are synthesised during training. Of a data set, the split train is
    trained on, and the network is chosen on the split val where there is one. To resume a run that
    was stopped, give its folder again. Needs the train extra.

    \b
    Examples:
      distortion-graph train --labelled labelled --pictures photos \\
          --minutes 60 --held-out held_out.json --out runs/first
      distortion-graph train --config run.yaml --set optimiser.accumulation=2 \\
          --out runs/second
      distortion-graph train --out runs/first --minutes 120
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("train", "accelerate", "yaml")
    from distortion_graph.training.config_files import Override, parse_setting

    options = {
        "data.labelled": [str(p) for p in labelled or ()] or None,
        "data.pictures": [str(p) for p in pictures or ()] or None,
        "data.root": root and str(root),
        "data.held_out": held_out and str(held_out),
        "data.workers": workers,
        "recipe.vocabulary": vocabulary and str(vocabulary),
        "model": model,
        "start_from": start_from and str(start_from),
        "budget.minutes": minutes,
        "budget.steps": steps,
        "optimiser.learning_rate": learning_rate,
        "seed": seed,
        "device": device,
    }
    given = [parse_setting(text) for text in settings or ()]
    given += [
        Override(key, value, "--" + key.split(".")[-1].replace("_", "-"))
        for key, value in options.items()
        if value is not None
    ]
    talk = talk_of(context)
    # Of several processes the first one speaks.
    talk.set(quiet=quiet or os.environ.get("RANK", "0") != "0")
    _run(context, out, config, given)


def _run(context: typer.Context, out: Path, file: Path | None, given: list[Any]) -> None:
    from distortion_graph.cli.train_progress import TrainingTalk
    from distortion_graph.training.checkpoint import BEST_FOLDER, SETTINGS_FILE
    from distortion_graph.training.config_files import read_config
    from distortion_graph.training.loop import Trainer
    from distortion_graph.training.material import data_identity, open_material

    talk, saved = talk_of(context), out / SETTINGS_FILE
    config = read_config(file or (saved if saved.is_file() else None), given)
    material = open_material(config.data, cache=out / "regions")
    for note in material.notes:
        talk.warn(note)
    talk.say(material.summary)
    config = _with_its_words(config, material)
    with TrainingTalk(talk) as progress:
        trainer = Trainer(
            material.training,
            out,
            config,
            evaluate=_evaluate(config, material),
            identity=data_identity(material),
            report=progress.line,
            watch=progress.watch,
        )
        done = trainer.run()
    share = done.waiting_seconds / max(done.seconds, 1e-9)
    talk.say(
        f"{counted(done.pairs, 'pair')} in {done.seconds / 60:.1f} minutes, {100 * share:.0f} % of "
        f"it waiting for data; best network in {out / BEST_FOLDER}"
    )


def _with_its_words(config: TrainingConfig, material: Material) -> TrainingConfig:
    """A network for a data set speaks the data set's vocabulary."""
    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
    from distortion_graph.datasets.reader import PandaSet

    if not isinstance(material.training, PandaSet):
        return config
    words, asked = material.training.vocabulary, config.recipe.vocabulary
    if asked not in (DEFAULT_VOCABULARY, words):
        raise RecipeError(
            f"{material.training.root}: has another vocabulary than recipe.vocabulary; leave that "
            "out, a network for a data set speaks the data set's"
        )
    return replace(config, network=replace(config.network, vocabulary=words))


def _evaluate(config: TrainingConfig, material: Material) -> Any:
    """What networks are chosen by: the held-out pictures, or the split val of a data set."""
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.training.architectures import architecture
    from distortion_graph.training.held_out import HeldOutScore, RootScore

    pairs, predictor = config.evaluation.pairs, architecture(config.model).predictor
    score: HeldOutScore | RootScore
    if isinstance(material.training, PandaSet):
        if "val" not in material.training.splits():
            return None
        score = RootScore(material.training, pairs=pairs, predictor=predictor)
    elif material.held_out:
        pictures, recipe = material.held_out, config.recipe
        score = HeldOutScore(pictures, recipe=recipe, pairs=pairs, predictor=predictor)
    else:
        return None
    return score.measure
