"""`distortion-graph calibrate`: probabilities that mean what they say, found on held-out pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.choice import ValSplit, chosen
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Labelled, MeasuredPictures, MeasuredRoot, Pictures, Quiet


def calibrate(
    context: typer.Context,
    network: Annotated[
        Path, typer.Argument(metavar="NETWORK", help="The folder of a run, or of a network in it.")
    ],
    out: Annotated[Path, typer.Option(help="Write the calibrated network to this folder.")],
    labelled: Labelled = None,
    pictures: Pictures = None,
    root: MeasuredRoot = None,
    split: ValSplit = None,
    held_out: MeasuredPictures = None,
    clean_pictures: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Fit `known` to clean photographs of other origin as well.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the pairs made of pictures.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Calibrate a network's probabilities before its export.

    Finds a temperature for the probabilities of distortion, severity and comparison, and the
    threshold of `known` below which tables say `uncertain`. Takes easy, medium and hard pairs of
    the pictures or the data set you name, or else of the run's own held-out ones. `known` is also
    fitted to pairs with the clean pictures themselves. Needs the train extra.

    \b
    Example:
      distortion-graph calibrate runs/first --out runs/first/calibrated
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("calibrate", "accelerate", "yaml")
    talk = talk_of(context)
    talk.set(quiet=quiet)
    from distortion_graph.bench.benchmark import LISTS
    from distortion_graph.report.wording import percent
    from distortion_graph.training.calibration import calibrate_network
    from distortion_graph.training.config import DataConfig
    from distortion_graph.training.evaluation import Request

    data = DataConfig(tuple(labelled or ()), tuple(pictures or ()), root, held_out)
    wanted = Request(data, LISTS, chosen(split, ("val",)), seed, 0)
    calibration = calibrate_network(network, out, wanted, clean_pictures or (), talk.warn)
    for kind, temperature in calibration.temperature.items():
        before, after = calibration.error_before[kind], calibration.error_after[kind]
        talk.show(
            f"{kind}: temperature {temperature:.3f}, calibration error {before:.3f} → {after:.3f}"
        )
    talk.show(
        f"uncertain where known is below {calibration.known_threshold:.3f}; of known regions:"
    )
    for kind, share in calibration.uncertain.items():
        talk.show(f"  {percent(share):>6} {kind}")
