"""`distortion-graph import-checkpoint`: a published checkpoint as safetensors and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_checkpoint(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="A published checkpoint, such as panda.pt.")
    ],
    out: Annotated[
        Path, typer.Option(help="Write the network to this folder, which must be new or empty.")
    ],
    backbone: Annotated[
        str | None,
        typer.Option(
            help="Take this encoder for a checkpoint that holds none: a folder or a name on the "
            "Hugging Face Hub, such as facebook/dinov2-small."
        ),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the backbone if it is not on disk.")
    ] = False,
    heads: Annotated[
        int,
        typer.Option(
            min=1, help="Give its decoders N attention heads; the weights do not tell how many."
        ),
    ] = 4,
) -> None:
    """Convert a published Panda checkpoint to safetensors.

    Writes a folder with the network and its frozen encoder. Nothing in the checkpoint is run: one
    that holds more than tensors and plain values is refused, and so is one whose weights do not
    fit. Needs the train and segment extras.

    \b
    Example:
      distortion-graph import-checkpoint panda.pt --out panda
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("import-checkpoint")
    from distortion_graph.base.files import new_folder
    from distortion_graph.model.panda import import_published, read_published, save_panda

    with new_folder(out) as folder:
        network = import_published(
            read_published(checkpoint),
            where=str(checkpoint),
            backbone=backbone,
            heads=heads,
            fetch=fetch,
        )
        save_panda(folder, network)
    config = network.config
    trained = sum(p.numel() for p in network.trainable_parameters())
    frozen = sum(p.numel() for p in network.backbone.parameters())
    typer.echo(
        f"{out}: {trained:,} trained weights, {frozen:,} of the frozen encoder; {config.blocks} "
        f"blocks, {config.pool} pool entries, {config.side_px} px"
    )
