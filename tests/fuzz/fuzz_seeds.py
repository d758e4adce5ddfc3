"""Writes the valid files that fuzzing begins with to `corpus/`: all small, all made here.

    python tests/fuzz/fuzz_seeds.py

Files of the corpus that are not made here, inputs that once broke something, stay.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_mutations import png_chunk
from fuzz_readers import CORPUS, H, W
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

Files = Iterator[tuple[str, bytes]]

RNG = np.random.default_rng(5)
PHOTO = np.clip(
    np.add.outer(np.arange(H) * 9, np.arange(W) * 7)[..., None] * [0.9, 0.7, 0.5]
    + RNG.normal(0, 9, (H, W, 3)),
    0,
    255,
).astype(np.uint8)
RGB = Image.fromarray(PHOTO)
RGBA = Image.fromarray(np.dstack([PHOTO, np.tile(np.linspace(0, 255, W).astype(np.uint8), (H, 1))]))
DEEP = Image.fromarray(PHOTO[..., 0].astype(np.uint16) * 257)
LABELS = np.zeros((H, W), np.uint8)
LABELS[1:5, 2:9], LABELS[6:11, 1:6], LABELS[6:11, 8:15] = 1, 2, 3


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def text(value: Any) -> bytes:
    """A value as JSON."""
    return json.dumps(value).encode()


def exif(orientation: int) -> bytes:
    """EXIF data that turn a picture."""
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def profile() -> bytes:
    """A colour profile as small as they are."""
    from picture_bytes import matrix_profile

    made: bytes = matrix_profile(1.8, swap=True)
    return made


def pictures() -> Files:
    """Every kind of picture file that is read."""
    yield "picture-jpeg/plain.jpg", saved(RGB, "JPEG", quality=60)
    yield "picture-jpeg/progressive.jpg", saved(RGB, "JPEG", quality=60, progressive=True)
    yield "picture-jpeg/grey-turned.jpg", saved(RGB.convert("L"), "JPEG", exif=exif(6))
    yield "picture-jpeg/cmyk.jpg", saved(RGB.convert("CMYK"), "JPEG", quality=40)
    yield (
        "picture-jpeg/restarts.jpg",
        saved(RGB, "JPEG", quality=40, restart_marker_rows=1, icc_profile=profile()),
    )
    yield "picture-png/plain.png", saved(RGB, "PNG")
    yield "picture-png/palette.png", saved(RGB.quantize(8), "PNG", transparency=1)
    yield "picture-png/deep.png", saved(DEEP, "PNG")
    yield "picture-png/alpha.png", saved(RGBA, "PNG", exif=exif(8), icc_profile=profile())
    yield "picture-png/bits.png", saved(RGB.convert("1"), "PNG")
    plain = saved(RGB, "PNG")
    gamma = png_chunk(b"gAMA", (55555).to_bytes(4, "big")) + png_chunk(
        b"cICP", bytes((12, 13, 0, 1))
    )
    yield "picture-png/colours.png", plain[:33] + gamma + plain[33:]
    yield "picture-png/film.png", saved(RGB, "PNG", save_all=True, append_images=[RGB.rotate(180)])
    yield "picture-webp/lossy.webp", saved(RGB, "WEBP", quality=50)
    yield "picture-webp/alpha.webp", saved(RGBA, "WEBP", lossless=True, exif=exif(3))
    yield (
        "picture-webp/film.webp",
        saved(RGB, "WEBP", save_all=True, append_images=[RGB.rotate(180)]),
    )
    small = RGB.crop((0, 0, 9, 7))
    yield "picture-tiff/plain.tif", saved(small, "TIFF")
    yield "picture-tiff/lzw.tif", saved(small, "TIFF", compression="tiff_lzw")
    yield "picture-tiff/deflate.tif", saved(small, "TIFF", compression="tiff_adobe_deflate")
    yield "picture-tiff/deep.tif", saved(DEEP, "TIFF")
    yield "picture-tiff/jpeg.tif", saved(small, "TIFF", compression="jpeg")
    yield (
        "picture-tiff/pages.tif",
        saved(small, "TIFF", save_all=True, append_images=[small.rotate(180)]),
    )
    yield "picture-tiff/alpha.tif", saved(RGBA.crop((0, 0, 9, 7)), "TIFF", compression="packbits")
    yield "picture-bmp/plain.bmp", saved(small, "BMP")
    yield "picture-bmp/palette.bmp", saved(small.quantize(4), "BMP")
    yield "picture-bmp/bits.bmp", saved(small.convert("1"), "BMP")
    yield "picture-gif/plain.gif", saved(RGB.quantize(8), "GIF")
    yield (
        "picture-gif/film.gif",
        saved(
            RGB.quantize(4),
            "GIF",
            save_all=True,
            append_images=[RGB.rotate(180).quantize(4)],
            transparency=0,
        ),
    )
    yield "picture-avif/plain.avif", saved(RGB, "AVIF", quality=50)
    yield "picture-avif/alpha.avif", saved(RGBA, "AVIF", quality=50)
    import pillow_heif
    import pillow_jxl  # noqa: F401  registers the format

    buffer = io.BytesIO()
    pillow_heif.from_pillow(RGB).save(buffer, quality=50)
    yield "picture-heif/plain.heic", buffer.getvalue()
    yield "picture-jpeg-xl/plain.jxl", saved(RGB, "JXL", quality=70)
    yield "picture-jpeg-xl/alpha.jxl", saved(RGBA, "JXL", lossless=True)
    yield "data-set-picture/plain.png", plain
    yield "data-set-picture/plain.jpg", saved(RGB, "JPEG", quality=60)


def masks() -> Files:
    """Masks in pictures and as runs."""
    yield "label-map/grey.png", saved(Image.fromarray(LABELS), "PNG")
    yield "label-map/palette.png", saved(Image.fromarray(LABELS).convert("P"), "PNG", bits=2)
    yield "label-map/deep.png", saved(Image.fromarray(LABELS.astype(np.uint16) * 300), "PNG")
    yield "label-map/grey.tif", saved(Image.fromarray(LABELS), "TIFF", compression="tiff_lzw")
    yield "label-map-names/names.json", text({"1": "sky", "2": "sea", "3": "sand"})
    yield (
        "label-map-names/categories.json",
        text([{"id": 1, "name": "sky"}, {"id": 2, "name": "sea"}]),
    )
    zero = LABELS * 0
    yield "panoptic-png/three.png", saved(Image.fromarray(np.dstack([LABELS, zero, zero])), "PNG")
    segments = [
        {"id": k, "category_id": k, "isthing": k % 2, "area": 9, "bbox": [1, 1, 3, 3]}
        for k in (1, 2, 3)
    ]
    categories = [{"id": k, "name": f"n{k}", "isthing": 1} for k in (1, 2, 3)]
    panoptic: dict[str, Any] = {
        "images": [{"id": 5, "file_name": "a.png", "width": W, "height": H}],
        "annotations": [{"image_id": 5, "file_name": "m.png", "segments_info": segments}],
        "categories": categories,
    }
    yield "panoptic-json/three.json", text(panoptic)
    of_picture = panoptic["annotations"][0] | {"file_name": "a.png"}
    yield "source-coco/three.json", text(panoptic | {"annotations": [of_picture]})
    psg = {
        "data": [
            {
                "file_name": "a.png", "image_id": "5", "pan_seg_file_name": "a.png", "width": W,
                "height": H, "segments_info": segments, "relations": [[0, 1, 0], [1, 2, 1]],
                "annotations": [{"bbox": [1, 1, 3, 3], "category_id": 0, "bbox_mode": 0}] * 3,
            }
        ],
        "thing_classes": ["a", "b"], "stuff_classes": ["c", "d"],
        "predicate_classes": ["over", "beside"], "test_image_ids": ["5"],
    }  # fmt: skip
    yield "source-psg/one.json", text(psg)
    yield "alpha/ramp.png", saved(RGBA, "PNG")
    yield "alpha/grey.png", saved(RGBA.convert("LA"), "PNG")
    from distortion_graph.masks.rle import rle_from_mask, unpack_counts

    for k in (1, 2, 3):
        rle = rle_from_mask(k == LABELS)
        yield f"rle-text/{k}", rle.counts.encode()
        yield f"rle-runs/{k}.json", text(unpack_counts(rle.counts).tolist())


def region_files() -> Files:
    """Files of annotation tools."""
    from distortion_graph.masks.rle import rle_from_mask, unpack_counts

    rle = rle_from_mask(np.equal(LABELS, 1))
    runs = unpack_counts(rle.counts).tolist()
    polygon = [2.0, 1.0, 9.0, 1.0, 9.0, 5.0, 2.5, 5.0]
    yield (
        "coco/list.json",
        text(
            [
                {"name": "a", "segmentation": [polygon]},
                {"name": "b", "bbox": [1, 6, 5, 5]},
                {"name": "c", "size": [H, W], "counts": rle.counts},
                {"segmentation": {"size": [H, W], "counts": runs}},
                {"polygon": [[8, 6], [15, 6], [15, 11]]},
            ]
        ),
    )
    entry = {"id": 1, "image_id": 5, "category_id": 2, "bbox": [2, 1, 7, 4], "iscrowd": 0}
    yield (
        "coco/annotations.json",
        text(
            {
                "images": [{"id": 5, "file_name": "a.png", "width": W, "height": H}],
                "annotations": [
                    entry | {"segmentation": [polygon], "attributes": {"region_id": 4, "name": "x"}}
                ],
                "categories": [{"id": 2, "name": "cup"}],
            }
        ),
    )
    points = [[2, 1], [9, 1], [9, 5], [2.5, 5]]
    mask = np.full((4, 7), 255, np.uint8)
    import base64

    packed = base64.b64encode(saved(Image.fromarray(mask), "PNG")).decode()
    shape: dict[str, Any] = {"label": "a", "group_id": None, "flags": {}}
    yield "labelme/shapes.json", text(
        {
            "version": "5.5.0", "flags": {}, "imagePath": "a.png", "imageData": None,
            "imageHeight": H, "imageWidth": W,
            "shapes": [
                shape | {"points": points, "shape_type": "polygon"},
                shape | {"label": "b", "points": [[1, 6], [6, 11]], "shape_type": "rectangle", "group_id": 1},
                shape | {"points": [[11, 8], [13, 8]], "shape_type": "circle"},
                shape | {"points": [[2, 1], [8, 4]], "shape_type": "mask", "mask": packed},
                shape | {"points": [[3, 3]], "shape_type": "point"},
                shape | {"points": [[3, 3], [5, 5]], "shape_type": "line"},
            ],
        }
    )  # fmt: skip
    size = {
        "original_width": W,
        "original_height": H,
        "image_rotation": 0,
        "from_name": "l",
        "to_name": "image",
    }
    results = [
        size
        | {
            "id": "1",
            "type": "rectanglelabels",
            "value": {
                "x": 10,
                "y": 10,
                "width": 30,
                "height": 40,
                "rotation": 15,
                "rectanglelabels": ["a"],
            },
        },
        size
        | {
            "id": "2",
            "type": "polygonlabels",
            "value": {
                "points": [[10, 10], [60, 10], [60, 50]],
                "closed": True,
                "polygonlabels": ["b"],
            },
        },
        size
        | {
            "id": "3",
            "type": "ellipselabels",
            "value": {
                "x": 50,
                "y": 50,
                "radiusX": 20,
                "radiusY": 30,
                "rotation": 0,
                "ellipselabels": ["c"],
            },
        },
    ]
    yield (
        "label-studio/task.json",
        text(
            [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": results}]}]
        ),
    )
    ring = [[2, 1], [9, 1], [9, 5], [2, 5], [2, 1]]
    hole = [[4, 2], [6, 2], [6, 4], [4, 2]]
    features = [
        {
            "type": "Feature",
            "id": 3,
            "properties": {"name": "a"},
            "geometry": {"type": "Polygon", "coordinates": [ring, hole]},
        },
        {
            "type": "Feature",
            "properties": {"label": "b"},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[ring], [[[1, 6], [6, 6], [6, 11], [1, 6]]]],
            },
        },
        {
            "type": "Feature",
            "properties": None,
            "geometry": {"type": "Point", "coordinates": [3, 3]},
        },
        {
            "type": "Feature",
            "properties": {},
            "geometry": {
                "type": "GeometryCollection",
                "geometries": [{"type": "Polygon", "coordinates": [ring]}],
            },
        },
    ]
    yield "geojson/features.json", text({"type": "FeatureCollection", "features": features})
    yield "cvat/shapes.xml", (
        '<?xml version="1.0"?><annotations><version>1.1</version>'
        f'<image id="0" name="a.png" width="{W}" height="{H}">'
        '<polygon label="a" points="2,1;9,1;9,5" occluded="0" z_order="0" group_id="1"><attribute name="n">1</attribute></polygon>'
        '<box label="b" xtl="1" ytl="6" xbr="6" ybr="11" rotation="10"/>'
        '<ellipse label="c" cx="11" cy="8" rx="3" ry="2"/>'
        '<mask label="d" rle="1, 2, 4, 2, 3" left="8" top="6" width="4" height="3"/>'
        '<points label="e" points="3,3"/><polyline label="f" points="1,1;3,3"/></image></annotations>'
    ).encode()  # fmt: skip
    yield (
        "svg/shapes.svg",
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{W}px" height="{H}" viewBox="0 0 {W} {H}">'
            '<g id="a" transform="translate(1 1) rotate(5) scale(1.1,.9)"><path d="M2 1h6v4l-6 .5zm1 1a2 1 10 0 1 2 1z" fill-rule="evenodd"/></g>'
            '<rect id="b" x="1" y="6" width="5" height="5" rx="1"/><circle cx="11" cy="8" r="3"/>'
            '<ellipse cx="11" cy="8" rx="3" ry="2" transform="matrix(1 0 0 1 0 0)"/><polygon points="2,1 9,1 9,5"/>'
            '<path d="M1 1C2 2 3 3 8 1S9 9 2 8Q1 1 3 9T1 2Z"/><line x1="1" x2="3"/><text>x</text></svg>'
        ).encode(),
    )


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
        "pair-lists/lists.py",
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


def main() -> None:
    """Write all of them."""
    for make in (
        pictures,
        masks,
        region_files,
        graphs,
        data_sets,
        settings,
        replies,
        models,
        moving,
        bodies,
    ):
        for name, data in make():
            path = CORPUS / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(sizes)} files, {sum(sizes)} bytes")


if __name__ == "__main__":
    main()
