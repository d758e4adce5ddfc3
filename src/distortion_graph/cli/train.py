"""`distortion-graph train`: make a network from clean pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.errors import DistortionGraphError

if TYPE_CHECKING:
    from distortion_graph.data.pictures import CleanPicture
    from distortion_graph.data.reader import PandaSet
    from distortion_graph.training.loop import Evaluate


def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; an unfinished run in it goes on.")],
    labelled: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with images/ and label maps regions/<name>_<annotator>.png."),
    ] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of pictures without masks; regions are found automatically."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="Data set of `dataset build`: its pairs are used, none are made."),
    ] = None,
    held_out: Annotated[
        Path | None,
        typer.Option(help="JSON lists of picture names kept from training, to choose on."),
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="Network folder whose weights the run begins with.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Training time, evaluation included.")] = 60.0,
    max_steps: Annotated[int, typer.Option(help="Stop after this many batches.")] = 10**9,
    workers: Annotated[int, typer.Option(help="Processes that synthesise pairs.")] = 1,
    learning_rate: Annotated[float, typer.Option(help="Peak of the cosine schedule.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="Of every random draw.")] = 0,
) -> None:
    """Train a network on clean pictures, or on a data set.

    Pairs are synthesised from clean pictures while it trains. Of a data set, the pairs of the
    split train are used, and the network is chosen on val where there is one. Needs the train
    extra.

    \b
    Example:
      distortion-graph train --labelled bsds500/train --pictures photos \\
          --minutes 60 --held-out benchmarks/dev.json --out runs/first
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("train")
    from distortion_graph.training.loop import Trainer, TrainingConfig

    config = TrainingConfig(
        minutes=minutes,
        max_steps=max_steps,
        seed=seed,
        learning_rate=learning_rate,
        workers=workers,
    )
    material: list[CleanPicture] | PandaSet
    if root is None:
        material, evaluate = _pictures(labelled or [], pictures or [], held_out, out / "regions")
    elif labelled or pictures or held_out:
        raise DistortionGraphError("--root is a whole data set: give no pictures beside it")
    else:
        data, evaluate = _data_set(root)
        material, network = data, replace(config.network, vocabulary=data.vocabulary)
        config = replace(config, network=network)
    trainer = Trainer(
        material, out, config, evaluate=evaluate, start_from=start_from, report=typer.echo
    )
    done = trainer.run()
    typer.echo(
        f"{done.pairs} pairs in {done.seconds / 60:.1f} minutes, "
        f"{100 * done.waiting_seconds / max(done.seconds, 1e-9):.0f} % of it waiting for data; "
        f"best network in {out / 'best'}"
    )


def _pictures(
    labelled: list[Path], alone: list[Path], held_out: Path | None, cache: Path
) -> tuple[list[CleanPicture], Evaluate | None]:
    """The pictures to train on, and the score on the held-out ones."""
    from distortion_graph.data.pictures import load_sources, read_names
    from distortion_graph.training.held_out import HeldOutScore

    kept_out = read_names(held_out) if held_out else frozenset()
    sources = load_sources(labelled, alone, cache=cache)
    training = [p for p in sources if p.tag not in kept_out]
    choosing = [p for p in sources if p.tag in kept_out]
    if held_out and not choosing:
        raise DistortionGraphError(
            f"{held_out}: none of its {len(kept_out)} names is one of the {len(sources)} pictures"
        )
    typer.echo(f"{len(training)} pictures to train on, {len(choosing)} held out")
    return training, HeldOutScore(choosing) if choosing else None


def _data_set(root: Path) -> tuple[PandaSet, Evaluate | None]:
    """The data set, and the score on its split val."""
    from distortion_graph.data.reader import PandaSet
    from distortion_graph.training.held_out import RootScore

    data = PandaSet(root)
    pairs = len(data.keys("train", "all"))
    choosing = RootScore(data) if "val" in data.splits() else None
    there = f"{len(choosing.keys)} of val to choose on" if choosing else "no val to choose on"
    typer.echo(f"{pairs} pairs to train on, {there}")
    return data, choosing
