"""`distortion-graph calibrate`: probabilities and opinions that mean what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.choice import ValSplit, chosen
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.human_options import Higher, HigherOption, Layout, opinion_pairs
from distortion_graph.cli.options import Labelled, MeasuredPictures, MeasuredRoot, Pictures, Quiet

if TYPE_CHECKING:
    from distortion_graph.bench.human.fitting import OpinionFit


def calibrate(
    context: typer.Context,
    network: Annotated[
        Path,
        typer.Argument(
            metavar="NETWORK",
            help="The folder of a run, or of a network in it; with --human also that of an "
            "exported model, or `shipped`.",
        ),
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
    human: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Fit maps from score to opinion to people's opinions in this folder, and nothing "
            "else.",
        ),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(help="Read the folder of --human in this layout; see `bench human`."),
    ] = None,
    higher_is: HigherOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the pairs made of pictures.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Calibrate a network, or fit its opinions.

    Finds a temperature for the probabilities of distortion, severity and comparison, the threshold
    of `known` below which tables say `uncertain`, and for a network that names several distortions
    of a region the probability from which on further ones are listed. Takes easy, medium and hard
    pairs of the pictures or the data set you name, or else of the run's own held-out ones. `known`
    is also fitted to pairs with the clean pictures themselves. Needs the train extra.

    With --human the command fits opinions instead: for each distortion a rising map from score to
    people's mean opinion, kept beside the network or in the model's manifest, and measured on
    contents that were left out. An exported model needs no extra.

    \b
    Examples:
      distortion-graph calibrate runs/first --out runs/first/calibrated
      distortion-graph calibrate my-model --out my-model \\
        --human tid2013 --layout tid2013
    """
    talk = talk_of(context)
    talk.set(quiet=quiet)
    if human is not None:
        if labelled or pictures or root or split or held_out or clean_pictures:
            raise typer.BadParameter("--human fits opinions alone; leave out what is not for it")
        _fit_opinions(network, out, human, layout, higher_is, talk)
        return
    if layout is not None or higher_is is not None:
        raise typer.BadParameter("--layout and --higher-is are for --human FOLDER; name one")
    from distortion_graph.cli.extras import need_torch

    need_torch("calibrate", "accelerate", "yaml")
    from distortion_graph.bench.benchmark import lists_of
    from distortion_graph.datasets.description import read_description
    from distortion_graph.report.wording import percent
    from distortion_graph.training.calibration import calibrate_network
    from distortion_graph.training.config import DataConfig
    from distortion_graph.training.evaluation import Request

    data = DataConfig(tuple(labelled or ()), tuple(pictures or ()), root, held_out)
    lists = lists_of(read_description(root) if root else None)
    wanted = Request(data, lists, chosen(split, ("val",)), seed, 0)
    calibration = calibrate_network(network, out, wanted, clean_pictures or (), talk.warn)
    for kind, temperature in calibration.temperature.items():
        before, after = calibration.error_before[kind], calibration.error_after[kind]
        if before is None or after is None:
            talk.show(f"{kind}: nobody said any, so its temperature stays 1")
            continue
        talk.show(
            f"{kind}: temperature {temperature:.3f}, calibration error {before:.3f} → {after:.3f}"
        )
    talk.show(
        f"uncertain where known is below {calibration.known_threshold:.3f}; of known regions:"
    )
    for kind, share in calibration.uncertain.items():
        talk.show(f"  {percent(share):>6} {kind}")
    if calibration.also_threshold is not None:
        talk.show(
            f"further distortions listed from the probability {calibration.also_threshold:.2f} on, "
            f"F1 {calibration.also_f1:.3f}"
        )


def _fit_opinions(
    network: Path, out: Path, human: Path, layout: Layout | None, higher: Higher | None, talk: Talk
) -> None:
    from distortion_graph.bench.human.fitting import fit_opinions
    from distortion_graph.bench.human.manifest import write_with_maps
    from distortion_graph.bench.human.measuring import judge
    from distortion_graph.cli.extras import need_extra, need_torch
    from distortion_graph.cli.progress import WorkTalk
    from distortion_graph.predict.names import MANIFEST_FILE
    from distortion_graph.predict.registry import find_model
    from distortion_graph.predict.session import load_model

    if layout is None:
        raise typer.BadParameter("--human needs --layout, which says how the set is laid out")
    need_extra("calibrate --human", "human", "scipy")
    pairs = opinion_pairs(human, layout, higher)
    with WorkTalk(talk) as work:
        told = work.follow("opinions", "pairs")
        model = find_model(network)
        if (model / MANIFEST_FILE).is_file():
            fit = fit_opinions(judge(load_model(model), pairs, told))
            write_with_maps(model, out, fit.maps)
        else:
            need_torch("calibrate")
            from distortion_graph.training.opinion import fit_network_opinions

            fit = fit_network_opinions(network, out, pairs, told)
    _show_opinions(fit, talk)


def _show_opinions(fit: OpinionFit, talk: Talk) -> None:
    from distortion_graph.bench.tables import shown, shown_interval

    before, after = fit.before, fit.after
    talk.show(
        f"{counted(fit.pairs, 'pair')} of {counted(fit.contents, 'content')}, maps of "
        f"{counted(len(fit.maps.by_distortion), 'distortion')}; on contents left out:"
    )
    rows = (
        ("SRCC", before.srcc, before.srcc_interval, after.srcc, after.srcc_interval),
        ("the better of two", before.accuracy, before.accuracy_interval,
         after.accuracy, after.accuracy_interval),
    )  # fmt: skip
    for name, first, first_interval, second, second_interval in rows:
        score = f"{shown(first)} {shown_interval(first_interval)}"
        opinion = f"{shown(second)} {shown_interval(second_interval)}"
        talk.show(f"  {name}: score {score} → opinion {opinion}")
    talk.show(f"  SRCC gained: {shown_interval(fit.srcc_gain)}")
    if before.srcc is not None and after.srcc is not None and after.srcc < before.srcc:
        talk.warn("opinions by these maps agree less than the score does on contents left out")
