"""`distortion-graph export`: a trained network as a model folder for `compare --model`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet


def export(
    context: typer.Context,
    network: Annotated[
        Path, typer.Argument(metavar="NETWORK", help="The folder of a run, or of a network in it.")
    ],
    out: Annotated[Path, typer.Option(help="Write the model to this folder.")],
    name: Annotated[str, typer.Option(help="Name the model so in graphs.")] = "custom",
    version: Annotated[str, typer.Option(help="Give the model this version in graphs.")] = "1",
    card: Annotated[
        Path | None,
        typer.Option(
            help="Keep the JSON object of this file in the manifest, beside the chain of runs."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Export a trained network for compare --model.

    Writes a folder with the network in ONNX; needs the train extra.

    \b
    Example:
      distortion-graph export runs/first --out my-model --name my-model
    """
    talk = talk_of(context)
    talk.set(quiet=quiet)
    from distortion_graph.cli.extras import need_torch

    need_torch("export")
    from distortion_graph.base.errors import ModelError
    from distortion_graph.graph import parse_json
    from distortion_graph.training.chain import CHAIN_FILE, plain_chain, read_chain
    from distortion_graph.training.checkpoint import load_network, network_folder
    from distortion_graph.training.export import export_onnx
    from distortion_graph.training.opinion import read_network_opinions

    facts = parse_json(card.read_bytes(), str(card)) if card else {}
    if not isinstance(facts, dict):
        raise ModelError(f"{card}: expected a JSON object, found {type(facts).__name__}")
    folder = network_folder(network)
    loaded = load_network(folder)
    if (folder / CHAIN_FILE).is_file():
        facts = {"chain": plain_chain(read_chain(folder))} | facts
    maps = read_network_opinions(folder)
    export_onnx(loaded, out, name=name, version=version, card=facts, opinion=maps)
    talk.say(f"{out}")
