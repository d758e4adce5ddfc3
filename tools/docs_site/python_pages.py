"""Pages of the Python interface: mkdocstrings fills each name from its docstring."""

from __future__ import annotations

FOLDER = "python"

# A page per task: its title and what it shows.
PAGES: dict[str, tuple[str, str]] = {
    "comparing": (
        "Comparing",
        "pipeline.compare batch.many.compare_many predict.session.Model "
        "pictures.images.load_picture pictures.align.align base.errors",
    ),
    "graphs": (
        "Graphs",
        "graph.DistortionGraph graph.RegionComparison graph.Node graph.LabelBelief "
        "graph.ComparisonBelief graph.Evidence graph.Difference graph.Scene graph.load_graph "
        "graph.judge graph.Judgement graph.NodeJudgement "
        "graph.json_schema graph.build.assemble base.vocabulary.Vocabulary",
    ),
    "regions": (
        "Regions",
        "masks.container.RegionSet regions.Region regions.RegionSpec regions.resolve_regions "
        "regions.matched.match_regions regions.matched.joint_regions "
        "segment.panoptic_model.PanopticSegmenter",
    ),
    "measuring": (
        "Measuring",
        "measure.quality.FullReferenceMetric measure.quality.haarpsi "
        "measure.quality.region_scores measure.quality.scene_score "
        "measure.quality.register_metric measure.evidence.measure_evidence "
        "measure.differences.find_differences measure.metrics.metric.MapMetric "
        "measure.metrics.measuring.measure_metrics",
    ),
    "many": (
        "Ranking, batches, gates and videos",
        "ranking.rank ranking.Ranking batch.run.run_batch batch.run.BatchOptions "
        "batch.folders.match_folders batch.manifests.read_manifest "
        "gate.asserting.assert_same_quality gate.policy_files.load_policy gate.run.run_check "
        "video.compare_videos video.VideoOptions",
    ),
    "showing": (
        "Reports, pictures and formats",
        "report.wording.summary report.html.page.report_page report.overlay.overlay "
        "report.sheet.sheet report.graph_drawing.draw_graph formats.forms.graph_text "
        "formats.network.to_networkx formats.network.from_networkx formats.losses.lost_parts",
    ),
    "data": (
        "Distortions and data sets",
        "synth.distort.apply synth.distort.apply_in_box synth.keys.generator "
        "synth.synthesis.Recipe synth.synthesis.make_version synth.synthesis.make_versions "
        "synth.pairs.make_pair synth.looks.apply_look synth.warps.apply_warp "
        "datasets.reader.PandaSet datasets.pictures.load_sources",
    ),
    "training": (
        "Training and benchmarks",
        "training.config.TrainingConfig training.loop.Trainer bench.benchmark.benchmark "
        "bench.benchmark.BenchOptions bench.evaluate.ModelRun",
    ),
    "language": (
        "Language models",
        "mllm.ask.asking.ask_regions mllm.ask.asking.Manner mllm.ask.pair_view.PairView "
        "mllm.client.client.Client mllm.client.endpoint.OpenAIEndpoint "
        "mllm.client.cache.ReplyCache",
    ),
}


def python_page(name: str) -> str:
    """The Markdown of one page."""
    title, names = PAGES[name]
    entries = [f"::: distortion_graph.{name}" for name in names.split()]
    return "\n\n".join([f"# {title}", *entries]) + "\n"
