"""Everything that reads what others wrote, each as a function of bytes.

Such a function returns where the input was read and what came of it is whole; the reader's own
refusal passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fuzz_base import CORPUS
from fuzz_mutations import (
    Mutate,
    changed_bytes,
    changed_json,
    changed_lines,
    changed_png,
    changed_text,
)
from fuzz_read_data import (
    read_baseline,
    read_bench_result,
    read_description,
    read_graph,
    read_journal,
    read_manifest,
    read_names,
    read_opinions,
    read_pair_lists,
    read_pairs,
    read_policy,
    read_predicates,
    read_settings,
    read_shard,
    read_shards_file,
    read_source,
    read_splits,
    read_stats,
    read_stats_stream,
    read_vocabulary,
)
from fuzz_read_pictures import (
    read_alpha,
    read_data_set_picture,
    read_label_map,
    read_named_label_map,
    read_panoptic_json,
    read_panoptic_png,
    read_picture,
    read_rle_runs,
    read_rle_text,
    read_table,
)
from fuzz_read_talk import (
    pooling,
    read_body,
    read_checkpoint_config,
    read_completion,
    read_kept_reply,
    read_model_manifest,
    read_network_config,
    read_onnx,
    read_reply,
    read_safetensors,
    read_video,
)

from distortion_graph.base.errors import (
    BatchError,
    DatasetError,
    DistortionGraphError,
    GraphError,
    ImageError,
    ModelError,
    PolicyError,
    RegionError,
    VideoError,
    VocabularyError,
    WorkError,
)


@dataclass(frozen=True)
class Reader:
    """A reader under its name.

    `read` takes an input and a folder to write to. `mutate` makes inputs of valid ones. `refusal`
    is the error that a reader may raise, `named` what its line must say. `memory_mb` and `seconds`
    of CPU are more than an input can need. `quick`: how many inputs the suite makes. `more` are
    valid files that are somewhere else. `needs` is a module that not everybody has.
    """

    name: str
    read: Callable[[bytes, Path], object]
    mutate: Mutate
    refusal: type[Exception] = DistortionGraphError
    named: str = ""
    memory_mb: int = 512
    seconds: float = 10.0
    quick: int = 100
    more: Callable[[], list[bytes]] = list
    needs: str | None = None

    def kept(self) -> list[Path]:
        """The files of its corpus."""
        return sorted(path for path in CORPUS.glob(f"{self.name}/*") if path.is_file())

    def seeds(self) -> list[bytes]:
        """Valid files beside those."""
        return self.more()


def _pictures() -> list[Reader]:
    kinds = {
        "jpeg": ("p.jpg", changed_bytes),
        "png": ("p.png", changed_png),
        "webp": ("p.webp", changed_bytes),
        "tiff": ("p.tif", changed_bytes),
        "bmp": ("p.bmp", changed_bytes),
        "gif": ("p.gif", changed_bytes),
        "avif": ("p.avif", changed_bytes),
        "heif": ("p.heic", changed_bytes),
        "jpeg-xl": ("p.jxl", changed_bytes),
    }
    needs = {"heif": "pillow_heif", "jpeg-xl": "pillow_jxl"}
    return [
        Reader(
            f"picture-{kind}",
            partial(read_picture, name),
            mutate,
            ImageError,
            name,
            needs=needs.get(kind),
        )
        for kind, (name, mutate) in kinds.items()
    ]


def _all() -> list[Reader]:
    region = partial(Reader, refusal=RegionError, named="m.")
    data_set = partial(Reader, refusal=DatasetError)
    return [
        *_pictures(),
        data_set("data-set-picture", read_data_set_picture, changed_png, named="p.png"),
        region("label-map", read_label_map, changed_png),
        region("label-map-names", read_named_label_map, changed_json, named=""),
        region("panoptic-json", read_panoptic_json, changed_json, named=""),
        region("panoptic-png", read_panoptic_png, changed_png, named=""),
        region("alpha", read_alpha, changed_png),
        region("rle-text", read_rle_text, changed_bytes, named="m: "),
        region("rle-runs", read_rle_runs, changed_json, named="m: "),
        region("coco", partial(read_table, "m.json"), changed_json),
        region("labelme", partial(read_table, "m.json"), changed_json),
        region("label-studio", partial(read_table, "m.json"), changed_json),
        region("geojson", partial(read_table, "m.json"), changed_json),
        region("graph-regions", partial(read_table, "m.json"), changed_json),
        region("cvat", partial(read_table, "m.xml"), changed_text),
        region("svg", partial(read_table, "m.svg"), changed_text),
        Reader("graph", read_graph, changed_json, GraphError, "g.json"),
        Reader("graph-published", read_graph, changed_json, GraphError, "g.json"),
        Reader("graph-node-link", read_graph, changed_json, GraphError, "g.json"),
        Reader("graph-json-ld", read_graph, changed_json, GraphError, "g.json"),
        Reader("graphml", read_graph, changed_text, GraphError, "g.json"),
        Reader("vocabulary", read_vocabulary, changed_json, VocabularyError, "v.json"),
        data_set("stats", read_stats, changed_json, named="s.json"),
        data_set("stats-stream", read_stats_stream, changed_json, named="s.json"),
        data_set("manifest", read_manifest, changed_lines, named="manifest.jsonl"),
        data_set("pair-lists", read_pair_lists, changed_text, named="i.py"),
        data_set("dataset-json", read_description, changed_json, named="dataset.json"),
        data_set("split-lists", read_splits, changed_json, named="splits.json"),
        Reader("held-out", read_names, changed_json, named="names.json"),
        data_set("predicates", read_predicates, changed_json, named="p.json"),
        Reader("source-coco", partial(read_source, "coco"), changed_json, named="coco.json"),
        Reader("source-psg", partial(read_source, "psg"), changed_json, named="psg.json"),
        data_set("shard", read_shard, changed_bytes, named="s.tar"),
        data_set("shards-json", read_shards_file, changed_json, named="shards.json"),
        data_set("opinions", read_opinions, changed_text, named="opinions.csv"),
        Reader("pairs-csv", partial(read_pairs, "p.csv"), changed_text, BatchError, "p.csv"),
        Reader("pairs-jsonl", partial(read_pairs, "p.jsonl"), changed_lines, BatchError, "p.jsonl"),
        Reader(
            "pairs-parquet",
            partial(read_pairs, "p.parquet"),
            changed_bytes,
            BatchError,
            "p.parquet",
            needs="pyarrow",
        ),
        Reader(
            "policy", read_policy, changed_text, PolicyError, "gate.yml", quick=40, needs="yaml"
        ),
        Reader("baseline", read_baseline, changed_json, PolicyError, "b.json"),
        Reader("settings", read_settings, changed_text, named="t.yaml", quick=40, needs="torch"),
        Reader("journal", read_journal, changed_lines, WorkError, "j.jsonl"),
        Reader("bench-result", read_bench_result, changed_json, named="b.json"),
        Reader("reply", read_reply, changed_json, needs="json_repair"),
        Reader("completion", read_completion, changed_json, named="127.0.0.1", needs="openai"),
        Reader("kept-reply", read_kept_reply, changed_json),
        Reader("model-json", read_model_manifest, changed_json, ModelError, "model"),
        Reader("model-onnx", read_onnx, changed_bytes, ModelError, more=pooling),
        Reader("safetensors", read_safetensors, changed_bytes, ModelError, needs="torch"),
        Reader("network-json", read_network_config, changed_json, ModelError, needs="torch"),
        Reader(
            "checkpoint-config", read_checkpoint_config, changed_json, ModelError, "config.json"
        ),
        Reader("video", read_video, changed_bytes, VideoError, "v.mp4", quick=60, needs="av"),
        Reader("http-compare", partial(read_body, "/v1/compare"), changed_text, needs="fastapi"),
        Reader("http-rank", partial(read_body, "/v1/rank"), changed_text, needs="fastapi"),
        Reader("http-jobs", partial(read_body, "/v1/jobs"), changed_text, needs="fastapi"),
    ]


READERS: Mapping[str, Reader] = {reader.name: reader for reader in _all()}
