"""`distortion-graph train`: make a network from clean pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
    """Train a network on clean pictures.

    Pairs are synthesised from them while it trains; needs the train extra.

    \b
    Example:
      distortion-graph train --labelled bsds500/train --pictures photos \\
          --minutes 60 --held-out benchmarks/dev.json --out runs/first
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("train")
    from distortion_graph.data.pictures import load_sources, read_names
    from distortion_graph.errors import DistortionGraphError
    from distortion_graph.training.held_out import HeldOutScore
    from distortion_graph.training.loop import Trainer, TrainingConfig

    config = TrainingConfig(
        minutes=minutes,
        max_steps=max_steps,
        seed=seed,
        learning_rate=learning_rate,
        workers=workers,
    )
    kept_out = read_names(held_out) if held_out else frozenset()
    sources = load_sources(labelled or [], pictures or [], cache=out / "regions")
    training = [p for p in sources if p.tag not in kept_out]
    choosing = [p for p in sources if p.tag in kept_out]
    if held_out and not choosing:
        raise DistortionGraphError(
            f"{held_out}: none of its {len(kept_out)} names is one of the {len(sources)} pictures"
        )
    typer.echo(f"{len(training)} pictures to train on, {len(choosing)} held out")
    trainer = Trainer(
        training,
        out,
        config,
        evaluate=HeldOutScore(choosing) if choosing else None,
        start_from=start_from,
        report=typer.echo,
    )
    done = trainer.run()
    typer.echo(
        f"{done.pairs} pairs in {done.seconds / 60:.1f} minutes, "
        f"{100 * done.waiting_seconds / max(done.seconds, 1e-9):.0f} % of it waiting for data; "
        f"best network in {out / 'best'}"
    )
