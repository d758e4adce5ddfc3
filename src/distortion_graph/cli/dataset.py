"""`distortion-graph dataset`: make, read, check and move data sets. One file per command."""

from __future__ import annotations

import typer

from distortion_graph.cli.dataset_build import dataset_build
from distortion_graph.cli.dataset_check import dataset_check
from distortion_graph.cli.dataset_export_sft import dataset_export_sft
from distortion_graph.cli.dataset_hub import dataset_pull, dataset_push
from distortion_graph.cli.dataset_import_judged import dataset_import_judged
from distortion_graph.cli.dataset_info import dataset_info
from distortion_graph.cli.dataset_pack import dataset_pack, dataset_unpack

dataset_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make, check, describe, pack, move and export data sets.",
)
dataset_app.command("build")(dataset_build)
dataset_app.command("import-judged")(dataset_import_judged)
dataset_app.command("check")(dataset_check)
dataset_app.command("info")(dataset_info)
dataset_app.command("pack")(dataset_pack)
dataset_app.command("unpack")(dataset_unpack)
dataset_app.command("push")(dataset_push)
dataset_app.command("pull")(dataset_pull)
dataset_app.command("export-sft")(dataset_export_sft)
