"""Names and commands that people use: none may get lost.

The names of the package itself are in `test_import.py`; these are the ones of its rooms that the
pages import.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main

from distortion_graph.cli.main import command_line

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
NAMES = {
    "base.errors": "DistortionGraphError GraphError ImageError RecipeError RegionError",
    "base.files": "save_image",
    "base.vocabulary": "DEFAULT_VOCABULARY Vocabulary",
    "batch.folders": "Matching match_folders",
    "batch.manifests": "read_manifest",
    "batch.many": "compare_many",
    "batch.roots": "pairs_of_root",
    "batch.rows": "PAIR_COLUMNS REGION_COLUMNS",
    "batch.run": "BatchOptions run_batch",
    "batch.worker": "Comparing",
    "bench.benchmark": "BenchOptions benchmark",
    "bench.evaluate": "ModelRun",
    "bench.panda_run": "PandaRun",
    "datasets.pictures": "load_sources",
    "datasets.reader": "PandaSet",
    "formats": "coco json_ld network published",
    "formats.flat": "EDGE_FACTS NODE_FACTS",
    "formats.forms": "graph_text",
    "formats.label_studio": "labelling_config",
    "formats.losses": "lost_parts",
    "formats.network": "from_networkx to_networkx",
    "gate.amounts": "Finding",
    "gate.asserting": "QualityError assert_same_quality",
    "gate.policy_files": "load_policy policy_of",
    "gate.run": "run_check",
    "graph": "DistortionGraph Judgement NodeJudgement json_schema judge load_graph",
    "graph.build": "assemble",
    "measure.differences": "find_differences",
    "measure.evidence": "measure_evidence",
    "measure.metrics.measuring": "measure_metrics",
    "measure.metrics.metric": "MapMetric PixelMap",
    "measure.metrics.registry": "map_metrics",
    "measure.quality": "FullReferenceMetric get_metric haarpsi region_scores register_metric "
    "scene_score",
    "mllm.ask.asking": "Manner ask_regions",
    "mllm.ask.cues": "parse_cues",
    "mllm.ask.pair_view": "PairView",
    "mllm.client.cache": "ReplyCache",
    "mllm.client.client": "Client",
    "mllm.client.endpoint": "OpenAIEndpoint",
    "model": "panda",
    "pictures.align": "align",
    "pictures.images": "load_picture",
    "predict.decode": "decode",
    "predict.opinion": "OpinionMaps",
    "predict.session": "Model",
    "ranking": "load_candidates rank rank_loaded",
    "ranking.bd_rate": "Point bd_rate",
    "ranking.chart": "chart",
    "ranking.page": "RankedPictures ranking_page",
    "ranking.strengths": "bradley_terry",
    "ranking.tables": "table_of",
    "regions": "REGION_SPECS_HELP Region RegionSet RegionSpec Rle resolve_regions",
    "regions.matched": "joint_regions match_regions",
    "report.alignment": "alignment_detail alignment_notes",
    "report.graph_drawing": "draw_graph",
    "report.html.page": "ReportPicture report_page",
    "report.overlay": "overlay",
    "report.sheet": "sheet",
    "report.sources": "find_picture",
    "report.wording": "summary",
    "segment.panoptic_model": "PanopticSegmenter",
    "synth.distort": "Box Frames apply apply_in_box",
    "synth.distort.level_losses": "level_losses",
    "synth.keys": "generator",
    "synth.looks": "apply_look draw_look",
    "synth.pairs": "make_pair",
    "synth.recipes": "WILD_RECIPE Draw",
    "synth.shots": "WILD_SHOTS",
    "synth.synthesis": "Recipe make_version make_versions",
    "synth.warps": "Warp apply_warp draw_warp",
    "synth.whole_frames": "labelled_frame",
    "training.config": "BudgetConfig TrainingConfig",
    "training.loop": "Trainer",
    "training.panda_batch": "make_panda_batch",
    "video": "Comparing VideoOptions VideoReport compare_videos",
    "video.comparing": "TIME_COLUMNS",
    "work.executor": "Executor worker_count",
    "work.journal": "Journal",
    "work.local": "CallingThread LocalThreads",
    "work.processes": "LocalProcesses local_processes",
    "work.ray_actors": "RayActors",
    "work.threads": "allowed_threads parallel_map thread_budget",
}
COMMANDS = """
agreement / ask / batch / bench compare / bench figures / bench human / bench run / calibrate /
check / compare / convert / dataset build / dataset check / dataset export-sft /
dataset import-judged / dataset info / dataset pack / dataset pull / dataset push / dataset unpack /
distort / draw / evaluate / export /
import-checkpoint / mcp / mllm eval / rank / report / schema / serve / serve-token / train /
version / video
"""
SHOWN = re.compile(r"^from distortion_graph\.([\w.]+) import (\([^)]*\)|[^\n#]*)", re.MULTILINE)


def commands(group: Any, before: str = "") -> set[str]:
    """The full names of every command below a group."""
    found: set[str] = set()
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= commands(command, f"{before}{name} ") if inner else {before + name}
    return found


def has(module: str, name: str) -> bool:
    """Whether `from module import name` works."""
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("room", NAMES)
def test_the_names_of_a_room_are_there(room: str) -> None:
    if room.startswith(("model", "training", "bench.panda")):
        pytest.importorskip("torch")
    module = f"distortion_graph.{room}"
    assert [name for name in NAMES[room].split() if not has(module, name)] == []


def test_the_names_that_the_pages_import_are_all_in_the_list() -> None:
    shown = [found for page in PAGES for found in SHOWN.findall(page.read_text("utf-8"))]
    assert len(shown) > 30
    for room, names in shown:
        listed = set(re.sub(r" as \w+", "", names).strip("()").replace(",", " ").split())
        assert listed <= set(NAMES.get(room, "").split()), room


def test_every_command_is_there() -> None:
    words = {" ".join(name.split()) for name in COMMANDS.split("/")}
    assert commands(typer.main.get_command(command_line())) == words
