"""Valid graphs, data sets, lists, replies, models, videos and requests that fuzzing begins with."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from fuzz_base import H, W
from fuzz_seed_pictures import LABELS, PHOTO, Files, text


def graphs() -> Files:
    """A graph in every form that is read."""
    from graph_samples import native

    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
    from distortion_graph.formats.forms import graph_text
    from distortion_graph.graph import DistortionGraph

    value = native()
    graph = DistortionGraph.model_validate(value)
    yield "graph/full.json", graph.to_json().encode()
    yield "graph-published/full.json", graph_text(graph, "published").encode()
    yield "graph-node-link/full.json", graph_text(graph, "node-link").encode()
    yield "graph-json-ld/full.json", graph_text(graph, "json-ld").encode()
    yield "graphml/full.graphml", graph_text(graph, "graphml").encode()
    yield "vocabulary/default.json", text(DEFAULT_VOCABULARY.model_dump(mode="json"))
    from distortion_graph import compare
    from distortion_graph.regions import RegionSet

    regions = RegionSet.from_label_map(LABELS)
    blank = np.zeros((H, W, 3), np.uint8)
    made = compare(blank, PHOTO, regions=regions, evidence="none")
    made = made.model_copy(update={"anchor": made.anchor.model_copy(update={"source": "a.png"})})
    yield "graph-regions/masks.json", made.to_json().encode()
    yield "coco/written.json", graph_text(made, "coco").encode()
    yield "label-studio/written.json", graph_text(made, "label-studio").encode()


def data_sets() -> Files:
    """The files of a data set of one picture."""
    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
    from distortion_graph.datasets.shards.contents import json_name, picture_json, picture_key

    runs = {"size": [H, W], "counts": [13, 4, 8, 4, 163]}
    region = {
        "name": "a", "description": "d", "category_id": 3, "bbox": [1, 1, 2, 4], "severity": 1,
        "degradation": "blur", "score_fr": 0.7, "segmentation_mask": runs,
    }  # fmt: skip
    further = region | {"also": [{"degradation": "noise", "severity": 2}], "bbox": None}
    entry = {"score_fr": 0.8, "relations": [[[0, 1, 2]]], "regions": [region, further]}
    yield (
        "stats/one.json",
        text({"a.png": entry, "b.png": {"score_fr": 1, "relations": [], "regions": []}}),
    )
    yield (
        "stats-stream/one.json",
        text({"a.png": entry, "b.png": {"score_fr": 1, "relations": [[]], "regions": []}}),
    )
    sha = "0123456789abcdef" * 4
    line = {
        "file": "blur/test/a.png",
        "sha256": sha,
        "bytes": 3,
        "picture": "a.png",
        "split": "test",
        "version": "blur",
    }
    skipped = {"skipped": "c", "source": "s", "source_file": "c.png", "reason": "too small"}
    yield "manifest/lines.jsonl", text(line) + b"\n" + text(skipped) + b"\n"
    yield (
        "pair-lists/lists.txt",
        b"# lists\neasy = [('blur', 'noise', 'a.png')]\nmedium = [('mixed', 'snow', 'a.png'), ]\n",
    )
    yield "pair-lists/lists.json", text({"easy": [["blur", "noise", "a.png"]], "hard": []})
    yield "split-lists/lists.json", text({"train": ["a"], "test": ["b", "c"]})
    yield "held-out/lists.json", text({"val": ["a.png"], "n": 3})
    yield "predicates/psg.json", text({"predicate_classes": ["over", "beside"]})
    key = picture_key("test", "a.png")
    member = picture_json("test", "a.png", {"blur": entry}, "s")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (
            (json_name(key), member),
            (f"{key}.gt.png", b"\x89PNG"),
            (f"{key}.blur.png", b"x"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    yield "shard/one.tar", buffer.getvalue()[: buffer.getvalue().rfind(b"x\0") + 2048]
    shards = {
        "format": "distortion-graph shards 1",
        "splits": {"test": {"pictures": 1, "versions": ["blur"]}},
        "shards": [
            {"name": "test-000000.tar", "bytes": 9, "sha256": sha, "split": "test", "samples": 1}
        ],
        "files": [{"name": "dataset.json", "bytes": 9, "sha256": sha}],
    }
    yield "shards-json/one.json", text(shards)
    recipe = {
        "id": "0" * 12, "seed": 0, "types": ["blur"], "severity_levels": {"minor": [1, 2]},
        "clean_share": 0.2, "feather_px": 0, "min_share": 0.008, "max_regions": None,
    }  # fmt: skip
    described = {
        "vocabulary": DEFAULT_VOCABULARY.model_dump(mode="json"), "versions": ["blur", "mixed"],
        "metric": {"name": "haarpsi"}, "recipe": recipe, "image": {"format": "png", "quality": None},
        "splits": {"test": {"pictures": 1, "regions": 2}},
        "sources": [{"name": "s", "kind": "labels", "pictures": 1, "skipped": 0}],
        "software": {"numpy": "2"}, "build": {"options": {}, "listing": sha, "files": {}},
    }  # fmt: skip
    yield "dataset-json/one.json", text(described)
    yield (
        "opinions/list.csv",
        b"reference,distorted,score,kind\nr.png,d.png,6.2,blur\nr.png,e.png,3.1,\n",
    )


def settings() -> Files:
    """Lists of pairs, policies, settings, journals."""
    import pyarrow as pa
    from pyarrow import parquet

    yield (
        "pairs-csv/pairs.csv",
        b'id,anchor,target,reference,regions,note\n1,a.png,b.png,,auto,"x, y"\n2,c.png,d.png,r.png,m.json,\n',
    )
    rows = [
        {"id": "1", "anchor": "a.png", "target": "b.png", "n": 1.5},
        {"anchor": "c.png", "target": "d.png", "ok": True},
    ]
    yield "pairs-jsonl/pairs.jsonl", b"".join(text(row) + b"\n" for row in rows)
    table = pa.table(
        {"id": ["1", "2"], "anchor": ["a", "c"], "target": ["b", "d"], "n": [1.5, None]}
    )
    buffer = io.BytesIO()
    parquet.write_table(
        table,
        buffer,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    )
    yield "pairs-parquet/pairs.parquet", buffer.getvalue()
    yield (
        "policy/full.yml",
        (
            b"compare: {regions: 'grid:2x2', evidence: all}\ncomparison: {probability: 0.8}\n"
            b"loss: {region: 0.1, scene: 0.05}\ndiffers: {share: 0, outside: {boxes: [[1, 2, 3, 4]]}}\n"
            b"ignore: {boxes: [[0, 0, 4, 4]], antialiasing: edges}\ndistortions: {forbidden: [blur]}\n"
            b"folders:\n  'a/*': {loss: {region: 1e-1}}\n"
        ),
    )
    from distortion_graph.gate.policy_files import policy_of

    measured = json.loads(json.dumps(policy_of({"loss": {"region": 0.1}}).measured()))
    moved = {"values": {"loss:scene": 0.1}, "noise": {"loss": 0.01}}
    facts = {
        "schema": "distortion-graph baseline 1", "version": "1", "model": "m", "measured": measured,
        "noise": {"loss": 0.01}, "pairs": {"a": moved},
    }  # fmt: skip
    yield "baseline/one.json", text(facts)
    from result_samples import SMALL, bare, listed_of, result_of

    result = result_of(SMALL, bare(listed_of(SMALL, regions=4, names=("mine",))))
    yield "bench-result/one.json", result.to_json().encode()
    yield (
        "settings/some.yaml",
        (
            b"model: lite0\nbudget: {steps: 500}\noptimiser:\n  learning_rate: 1e-3\nseed: 3\n"
            b"recipe: {}\nlosses: {}\nnetwork: {width: 96}\n"
        ),
    )
    yield (
        "journal/run.jsonl",
        b'{"format":"fuzz 1","run":1}\n{"kind":"done","task":"a","n":1}\n{"kind":"done","task":"b"}\n',
    )


def replies() -> Files:
    """What language models say, and how it comes."""
    node = {"distortion": "blur", "severity": "minor", "score": 0.7}
    said = [
        {
            "id": k,
            "anchor": node,
            "target": node | {"distortion": "clean", "severity": "clean"},
            "comparison": "same",
        }
        for k in (0, 7)
    ]
    yield "reply/list.json", text({"regions": said})
    yield "reply/keyed.json", text({"1": said[0], "region 2": said[1]})
    yield (
        "reply/fenced.txt",
        b"<think>{1: 2}</think>Here it is:\n```json\n"
        + text({"regions": said})
        + b"\n``` done [1, 2].",
    )
    yield (
        "reply/sentences.json",
        text({"sentences": [{"text": "The cup is blurred.", "regions": [1, "2"]}]}),
    )
    yield "reply/plain.txt", b"The left is blurred [1]. The sky (2 and 7) is noisy. Both are fine."
    yield (
        "reply/whole.json",
        text(
            {
                "anchor": {"distortions": ["blur"], "score": 0.5},
                "target": {"distortions": "noise", "score": "70%"},
                "comparison": "better",
                "reason": "x",
            }
        ),
    )
    message = {"role": "assistant", "content": "{}", "refusal": None, "reasoning_content": "x"}
    answer = {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }  # fmt: skip
    yield "completion/answer.json", text(answer)
    yield (
        "completion/error.json",
        text({"error": {"message": "context length exceeded", "type": "x", "code": 400}}),
    )
    from distortion_graph.mllm.client.cache import ReplyCache
    from distortion_graph.mllm.client.messages import Reply

    with tempfile.TemporaryDirectory() as name:
        ReplyCache(Path(name)).put("ab" * 32, Reply("{}"))
        (file,) = Path(name).rglob("*.json")
        yield "kept-reply/reply.json", file.read_bytes()


def models() -> Files:
    """Descriptions of models, and weights."""
    from safetensors.numpy import save

    weights = Path(__file__).parents[2] / "src/distortion_graph/weights"
    yield "model-json/shipped.json", (weights / "model.json").read_bytes()
    yield (
        "safetensors/two.safetensors",
        save({"a": np.zeros((2, 3), np.float16), "b": np.ones(4, np.int64)}),
    )
    value = json.loads((weights / "model.json").read_text("utf-8"))
    yield (
        "network-json/config.json",
        text(
            {
                "vocabulary": value["vocabulary"],
                "width": 96,
                "layers": 2,
                "heads": 4,
                "dropout": 0.1,
            }
        ),
    )
    yield (
        "checkpoint-config/config.json",
        text({"model_type": "mask2former", "id2label": {"0": "a"}, "num_queries": 5}),
    )


def moving() -> Files:
    """Videos of a few frames."""
    import av
    from video_files import encode

    frames = [np.roll(np.kron(PHOTO, np.ones((4, 4, 1), np.uint8)), k, 1) for k in range(3)]
    with tempfile.TemporaryDirectory() as name:
        for codec, suffix in (("libx264", "mp4"), ("libvpx-vp9", "webm"), ("mjpeg", "avi")):
            if codec in av.codecs_available:
                pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                options = {"crf": "40"} if codec != "mjpeg" else {}
                path = encode(Path(name, f"v.{suffix}"), frames, codec, pixels, options=options)
                yield f"video/{codec}.{suffix}", path.read_bytes()


def bodies() -> Files:
    """Bodies of requests."""

    def body(*parts: tuple[str, bytes]) -> bytes:
        sent = b"".join(
            b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + rest + b"\r\n"
            for name, rest in parts
        )
        return sent + b"--b--\r\n"

    def field(name: str, value: str) -> tuple[str, bytes]:
        return name, b"\r\n\r\n" + value.encode()

    def file(name: str, called: str) -> tuple[str, bytes]:
        return (
            name,
            f'; filename="{called}"\r\nContent-Type: image/png\r\n\r\n'.encode() + b"\x89PNG\r\n",
        )

    options = [
        field("regions", "grid:2x2"),
        field("evidence", "fast"),
        field("strict", "true"),
        field("background", "#fff"),
    ]
    yield (
        "http-compare/form",
        body(file("anchor", "a.png"), file("target", "b.png"), file("regions", "m.json"), *options),
    )
    yield (
        "http-rank/form",
        body(
            file("candidates", "a.png"),
            file("candidates", "b.png"),
            field("tie", "0.01"),
            field("ladder", "a=a*"),
            *options,
        ),
    )
    pairs = json.dumps([{"id": "1", "anchor": "a.png", "target": "b.png", "regions": ["m.json"]}])
    yield (
        "http-jobs/form",
        body(
            field("pairs", pairs),
            file("files", "a.png"),
            file("files", "b.png"),
            file("files", "m.json"),
            *options,
        ),
    )
