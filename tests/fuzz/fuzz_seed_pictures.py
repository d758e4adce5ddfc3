"""Valid pictures, masks and files of regions that fuzzing begins with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from fuzz_base import H, W
from fuzz_mutations import png_chunk
from PIL import Image

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
        rle = rle_from_mask(np.equal(LABELS, k))
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
