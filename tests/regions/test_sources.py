"""Every region source, laid on the picture, with ids, names and clear refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture, load_picture, orient
from distortion_graph.regions import RegionSet, resolve_regions

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "coco_panoptic_sample"
H, W = 6, 9
PLAIN = load_picture(np.zeros((H, W, 3), np.uint8))
LABELS = np.zeros((H, W), np.uint8)
LABELS[1:3, :4], LABELS[4:, 3:] = 2, 7


def resolve(spec, picture=PLAIN):
    return resolve_regions(spec, picture, picture)


def turned(orientation):
    """A picture stored 6×9 (h×w) and shown as its EXIF orientation asks."""
    rgb = orient(np.zeros((H, W, 3), np.uint8), orientation)
    return Picture(rgb, "p.jpg", "0" * 64, "rgb", (H, W), orientation)


def refusal(spec, picture=PLAIN):
    with pytest.raises(RegionError) as caught:
        resolve(spec, picture)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


# ---- arrays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ink", [True, np.uint8(1), np.uint8(255)])
def test_stacks_and_lists_of_masks(ink):
    masks = np.zeros((2, H, W), np.asarray(ink).dtype)
    masks[0, :3], masks[1, 2:, 4:] = ink, ink  # overlapping
    for spec in (masks, list(masks), tuple(masks)):
        regions = resolve(spec)
        assert regions.ids == (0, 1) and regions.names == ("region 0", "region 1")
        assert (regions.masks() == (masks != 0)).all()


def test_label_maps_and_single_masks():
    regions = resolve(LABELS.astype(np.int64))
    assert regions.ids == (2, 7) and (regions.label_map() == LABELS).all()
    one = resolve(LABELS == 7)
    assert one.ids == (0,) and (one.mask(0) == (LABELS == 7)).all()


def test_words():
    assert resolve("whole") == RegionSet.whole((H, W))
    assert resolve("grid:2x3") == RegionSet.grid((H, W), 2, 3)
    assert resolve("grid:2×3") == RegionSet.grid((H, W), 2, 3)
    assert resolve("auto").areas().sum() == H * W
    assert resolve(RegionSet.whole((H, W))) == RegionSet.whole((H, W))


# ---- label map files ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["L", "I;16", "P", "1", "tiff"])
def test_label_files(tmp_path, kind):
    values = LABELS.astype(np.uint16 if kind == "I;16" else np.uint8)
    if kind == "I;16":
        values = np.where(values == 7, 40_000, values).astype(np.uint16)
    image = Image.fromarray(values)
    if kind == "P":
        # Colours that repeat: only the index tells the labels apart.
        image = Image.frombytes("P", (W, H), values.tobytes())
        image.putpalette([9, 9, 9] * 8)
    if kind == "1":
        values = (values > 0).astype(np.uint8)  # type: ignore[operator]
        image = Image.fromarray(values.astype(bool))
    path = tmp_path / ("m.tif" if kind == "tiff" else "m.png")
    image.save(path)
    regions = resolve(path)
    assert (regions.label_map() == values).all()
    assert list(regions.ids) == np.unique(values)[1:].tolist()
    assert resolve(str(path)) == regions


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_pngs_of_few_bits_keep_their_numbers(tmp_path, bits):
    """A reader that spreads 4 bits over 0…255 would turn label 1 into 17."""
    import struct
    import zlib

    values = np.arange(H * W).reshape(H, W) % 2**bits
    planes = (values[..., None] >> np.arange(bits)[::-1]) & 1
    rows = b"".join(b"\0" + np.packbits(row.ravel()).tobytes() for row in planes)

    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    head = struct.pack(">IIBBBBB", W, H, bits, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
    (tmp_path / "m.png").write_bytes(data + chunk(b"IEND", b""))
    assert (resolve(tmp_path / "m.png").label_map() == values).all()


@pytest.mark.parametrize(
    "names",
    [
        {"2": "sky", "9": "unused"},
        [{"id": 2, "name": "sky"}],
        {"categories": [{"id": 2, "name": "sky"}]},
    ],
)
def test_label_files_with_names(tmp_path, names):
    Image.fromarray(LABELS).save(tmp_path / "m.png")
    write(tmp_path / "n.json", names)
    assert resolve(f"{tmp_path}/m.png,{tmp_path}/n.json").names == ("sky", "region 7")


def test_a_label_file_that_was_read_before_counts_as_it_is_now(tmp_path):
    for labels, names, read in (
        (LABELS, {"2": "sky"}, ("sky", "region 7")),
        (LABELS, {"2": "sea"}, ("sea", "region 7")),
        (LABELS.clip(max=5), {"2": "sea"}, ("sea", "region 5")),
    ):
        Image.fromarray(labels).save(tmp_path / "m.png")
        write(tmp_path / "n.json", names)
        found = resolve(f"{tmp_path}/m.png,{tmp_path}/n.json")
        assert found.names == read and (found.label_map() == labels).all()
    other = load_picture(np.zeros((W, H, 3), np.uint8))
    assert f"expected the picture's {H}×{W}" in refusal(tmp_path / "m.png", other)
    (tmp_path / "m.png").unlink()
    assert "no such file" in refusal(tmp_path / "m.png")


def test_a_comma_in_a_file_name(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "a,b.png")
    assert resolve(tmp_path / "a,b.png").ids == (2, 7)


# ---- EXIF orientation --------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_masks_of_the_stored_size_are_turned(tmp_path, orientation):
    picture = turned(orientation)
    shown = orient(LABELS, orientation)
    Image.fromarray(LABELS).save(tmp_path / "m.png")
    rle = coco.encode(np.asfortranarray(LABELS == 7))
    entry = {"size": [H, W], "counts": rle["counts"].decode()}
    both = np.stack([LABELS == 2, LABELS == 7])
    for spec in (LABELS, tmp_path / "m.png"):
        assert (resolve(spec, picture).label_map() == shown).all()
    for spec in (both, list(both), RegionSet.from_masks(both)):
        assert (resolve(spec, picture).masks() == [shown == 2, shown == 7]).all()
    json_file = write(tmp_path / "r.json", [entry])
    assert (resolve(json_file, picture).mask(0) == (shown == 7)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_of_the_displayed_size_are_taken_as_they_are(tmp_path, orientation):
    picture = turned(orientation)
    labels = np.arange(H * W).reshape(picture.size).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "m.png")
    assert (resolve(labels, picture).label_map() == labels).all()
    assert (resolve(tmp_path / "m.png", picture).label_map() == labels).all()


# ---- JSON lists --------------------------------------------------------------------------------


def test_every_form_of_mask_in_one_list(tmp_path):
    square = np.zeros((H, W), bool)
    square[1:4, 2:6] = True
    packed = coco.encode(np.asfortranarray(square))
    plain = {"size": [H, W], "counts": [2 * H + 1, 3, 3, 3, 3, 3, 3, 3, 2 + 3 * H]}
    ring = [2, 1, 6, 1, 6, 4, 2, 4]
    entries = [
        {"name": "packed", "segmentation": {"size": [H, W], "counts": packed["counts"].decode()}},
        {"name": "plain", "segmentation": plain},
        {**plain, "name": "itself"},
        {"name": "polygons", "segmentation": [ring]},
        {"name": "polygon", "polygon": ring},
        {"name": "points", "polygon": [[2, 1], [6, 1], [6, 4], [2, 4]]},
        {"name": "box", "bbox": [2, 1, 4, 3]},
        {"bbox": [1.6, 0.6, 4.0, 3.0], "segmentation": []},
    ]
    regions = resolve(write(tmp_path / "r.json", entries))
    assert regions.ids == tuple(range(8))
    assert regions.names[:2] == ("packed", "plain") and regions.names[7] == "region 7"
    for region in regions:
        assert (region.rle.decode() == square).all(), region.name


def test_several_polygons_are_joined_and_boxes_cut_at_the_edge(tmp_path):
    entries = [
        {"segmentation": [[0, 0, 2, 0, 2, 2, 0, 2], [5, 3, 9, 3, 9, 6, 5, 6]]},
        {"bbox": [7, -3, 100, 5]},
    ]
    regions = resolve(write(tmp_path / "r.json", entries))
    expected = np.zeros((H, W), bool)
    expected[:2, :2], expected[3:, 5:] = True, True
    assert (regions.mask(0) == expected).all()
    assert regions.boxes_xywh()[1].tolist() == [7, 0, 2, 2]


@pytest.mark.filterwarnings("ignore:__array__")  # pycocotools' own, against NumPy 2
def test_polygons_agree_with_the_coco_api(tmp_path):
    rng = np.random.default_rng(3)
    rings = [(rng.random(2 * n) * np.tile([W, H], n)).round(2).tolist() for n in (3, 5, 8)]
    regions = resolve(write(tmp_path / "r.json", [{"segmentation": [r]} for r in rings]))
    for k, ring in enumerate(rings):
        assert (regions.mask(k) == coco.decode(coco.frPyObjects([ring], H, W))[..., 0]).all()


def test_coco_annotations_of_one_picture(tmp_path):
    box = {"bbox": [0, 0, 2, 2]}
    value = {
        "images": [
            {"id": 5, "file_name": "x/a.jpg", "height": H, "width": W},
            {"id": 6, "file_name": "b.jpg", "height": H, "width": W},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 4, "name": "dog"}],
        "annotations": [
            {"image_id": 6, "category_id": 1, **box},
            {"image_id": 5, "category_id": 4, **box},
            {"image_id": 5, "category_id": 99, **box},
        ],
    }
    path = write(tmp_path / "c.json", value)
    mine = replace(load_picture(np.zeros((H, W, 3), np.uint8)), source="/else/where/a.png")
    assert resolve(path, mine).names == ("dog", "region 1")
    assert refusal(path) == (
        f"{path}: annotations of 2 pictures, and the one compared has no name: x/a.jpg (id 5), "
        f"b.jpg (id 6); choose one, as with --regions {path},image=x/a.jpg"
    )
    assert resolve(f"{path},image=b.jpg").names == ("cat",)
    value["annotations"] = value["annotations"][1:]
    assert resolve(write(tmp_path / "c.json", value)).names == ("dog", "region 1")


# ---- COCO panoptic -----------------------------------------------------------------------------


def panoptic(tmp_path, *, listed=(70_000, 5), categories=True):
    ids = np.zeros((H, W), int)
    ids[:2], ids[4:, :3] = 70_000, 5
    rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
    (tmp_path / "pan").mkdir(exist_ok=True)
    Image.fromarray(rgb).save(tmp_path / "pan" / "a.png")
    segments = [{"id": i, "category_id": k + 1} for k, i in enumerate(listed)]
    value = {"annotations": [{"file_name": "a.png", "image_id": 1, "segments_info": segments}]}
    names = [{"id": 1, "name": "sky"}, {"id": 2, "name": "sea"}]
    write(tmp_path / "names.json", names)
    if categories:
        value["categories"] = names
    write(tmp_path / "pan.json", value)
    return ids


def test_panoptic_by_every_spelling(tmp_path):
    ids = panoptic(tmp_path)
    picture = replace(load_picture(np.zeros((H, W, 3), np.uint8)), source="a.jpg")
    js, png = tmp_path / "pan.json", tmp_path / "pan" / "a.png"
    for spec in (f"panoptic:{js}", f"panoptic:{png},{js}", str(js), f"{png},{js}"):
        regions = resolve(spec, picture)
        assert regions.ids == (5, 70_000) and regions.names == ("sea", "sky")
        assert (regions.label_map() == ids).all()


def test_panoptic_names_from_a_categories_file(tmp_path):
    panoptic(tmp_path, categories=False)
    js = tmp_path / "pan.json"
    assert resolve(f"panoptic:{js}").names == ("region 5", "region 70000")
    assert resolve(f"panoptic:{js},{tmp_path}/names.json").names == ("sea", "sky")
    png = tmp_path / "pan" / "a.png"
    assert resolve(f"panoptic:{png},{js},{tmp_path}/names.json").names == ("sea", "sky")


def test_panoptic_files_that_disagree(tmp_path):
    panoptic(tmp_path, listed=(70_000,))
    assert "a.png: segment 5 is not listed in" in refusal(f"panoptic:{tmp_path}/pan.json")
    panoptic(tmp_path, listed=(70_000, 5, 6))
    assert "a.png: segment 6 (no name) of" in refusal(f"panoptic:{tmp_path}/pan.json")
    (tmp_path / "pan" / "a.png").unlink()
    assert "name the PNG: panoptic:FILE.png,FILE.json" in refusal(f"panoptic:{tmp_path}/pan.json")


@pytest.mark.skipif(
    not SAMPLE.exists(), reason="the COCO panoptic sample is not beside the project"
)
@pytest.mark.parametrize("tag", ["000000142238", "000000439180"])
def test_the_coco_sample_agrees_with_cocos_own_masks(tag):
    """COCO ships the same segments as a PNG and as RLE: both readers must give the same masks."""
    picture = load_picture(SAMPLE / "images" / f"{tag}.jpg")
    found = resolve(f"panoptic:{SAMPLE}/panoptic_examples.json", picture)
    detection = resolve(str(SAMPLE / "panoptic_coco_detection_format.json"), picture)
    assert len(found) == len(detection) > 5
    assert sorted((r.name, r.rle.counts) for r in found) == sorted(
        (r.name, r.rle.counts) for r in detection
    )
    listed = json.loads((SAMPLE / "panoptic_examples.json").read_text())
    (entry,) = [e for e in listed["annotations"] if e["file_name"] == f"{tag}.png"]
    truth = {s["id"]: (s["area"], s["bbox"]) for s in entry["segments_info"]}
    boxes, areas = found.boxes_xywh().tolist(), found.areas().tolist()
    assert {i: (a, b) for i, a, b in zip(found.ids, areas, boxes, strict=True)} == truth


# ---- refusals ----------------------------------------------------------------------------------


def test_arrays_that_do_not_fit():
    assert (
        refusal(np.ones((2, 4, 4), bool)) == "regions: masks must be (R, 6, 9) bool, got (2, 4, 4)"
    )
    assert refusal(np.ones((1, 2, H, W), bool)).endswith("got (1, 2, 6, 9)")
    assert refusal([np.ones((H, W), bool), np.ones((4, 5), bool)]) == (
        "regions: mask 1: found 5×4 pixels (width × height), expected the picture's 9×6"
    )
    assert refusal(np.ones((W, H), int)) == (
        "label map: found 6×9 pixels (width × height), expected the picture's 9×6"
    )
    assert "the mask is empty" in refusal(np.zeros((1, H, W), bool))
    assert "mask is not binary" in refusal(np.full((1, H, W), 3))
    assert "no region left" in refusal(np.zeros((0, H, W), bool))
    assert "no region left" in refusal([])
    assert "no region left" in refusal(np.zeros((H, W), int))
    assert "no region left" in refusal(RegionSet((H, W), ()))
    assert "got shape (6, 9) of float64" in refusal(np.ones((H, W)))
    assert refusal(3).startswith("regions: found int, expected masks, a label map or one of: auto")
    assert "expected the picture's 9×6" in refusal(RegionSet.whole((4, 4)))


def test_what_a_model_finds_needs_one():
    assert refusal("distortions") == (
        "regions 'distortions': they are found by a model in two pictures that are compared, "
        "expected another source here, such as auto"
    )


def test_words_and_files_that_do_not_exist(tmp_path):
    assert refusal("atuo").startswith("regions 'atuo': no file 'atuo', expected one of: auto")
    assert refusal("grid:2") == "regions 'grid:2': expected grid:ROWSxCOLS, for example grid:3x4"
    assert "expected 1…6 rows and 1…9 columns" in refusal("grid:7x1")
    assert "expected 1…6 rows" in refusal("grid:0x1")
    assert "no.png: no such file" in refusal(str(tmp_path / "no.png"))
    assert "no.json: no such file" in refusal(str(tmp_path / "no.json"))
    assert "unknown, expected one of" in refusal(write(tmp_path / "a.txt", "x"))
    assert "unknown, expected one of" in refusal("")


def test_label_files_that_do_not_serve(tmp_path):
    def saved(array, name, **options):
        Image.fromarray(array).save(tmp_path / name, **options)
        return str(tmp_path / name)

    assert refusal(saved(np.ones((4, 5), np.uint8), "small.png")).endswith(
        "small.png: found 5×4 pixels (width × height), expected the picture's 9×6"
    )
    assert "no region left, every pixel is 0" in refusal(saved(LABELS * 0, "zero.png"))
    assert "found RGB, expected one channel" in refusal(saved(np.dstack([LABELS] * 3), "rgb.png"))
    assert refusal(saved(np.dstack([LABELS] * 4), "rgba.png")).endswith(
        "rgba.png: found RGBA (4 channels of 8 bits, the last one transparency), expected one "
        "channel of label numbers (8 or 16 bits, or a palette), or COCO panoptic's RGB of 8 bits; "
        "save it again as one of these"
    )
    lossy = saved(LABELS, "lossy.png", format="JPEG")
    assert refusal(lossy).endswith("found JPEG, which blurs label numbers; expected a PNG")
    noise = np.random.default_rng(0).integers(0, 255, (H, W)).astype(np.uint8)
    whole = Path(saved(noise, "cut.png"))
    whole.write_bytes(whole.read_bytes()[:70])
    assert "cut.png: damaged or incomplete PNG" in refusal(str(whole))
    assert "not a picture" in refusal(write(tmp_path / "text.png", "hello"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("[1, ", "r.json: not JSON (Expecting value at line 1, column 5)"),
        ("\x00", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (
            3,
            "expected a list of regions or COCO's object with `annotations` (or what labelme, "
            "Label Studio or GeoJSON have, or a graph), got int",
        ),
        ({}, "or a graph), got an object without it"),
        ({"schema": "distortion-graph/1"}, "r.json: top level: the key 'vocabulary' is missing"),
        ([], "no region left, expected at least one"),
        ([7], "region 0: expected an object with a mask, got int"),
        ([{"name": "a"}], "region 0 (a): no mask, expected `counts` and `size`"),
        ([{"bbox": [1, 2, 3]}], "bbox is [1, 2, 3], expected [x, y, width, height] in pixels"),
        ('[{"bbox": [NaN, 0, 1, 1]}]', "bbox is [nan, 0, 1, 1], expected"),
        ([{"bbox": [20, 0, 3, 3]}], "region 0 (region 0): the mask is empty"),
        ([{"name": "x", "size": [H, W], "counts": [H * W]}], "region 0 (x): the mask is empty"),
        ([{"size": [H, W], "counts": [1, 2]}], "RLE counts sum to 3 pixels, expected 54"),
        ([{"size": [H, W], "counts": [1, -1, 54]}], "must be a list of whole numbers"),
        ([{"size": [H, W], "counts": "!!"}], "damaged RLE counts"),
        ([{"size": [4, 4], "counts": [0, 16]}], "found 4×4 pixels (width × height), expected"),
        ([{"size": [0, 4], "counts": [0]}], "RLE size is [0, 4], expected [height, width]"),
        ([{"segmentation": [[0, 0, 1]]}], "a polygon must be [x1, y1, x2, y2, x3, y3, …]"),
        ([{"segmentation": "abc"}], "a polygon must be"),
        ([{"polygon": 3.5}], "a polygon must be"),
        ({"annotations": [], "categories": [{"id": 1e999, "name": "a"}]}, "expected names as"),
        (
            {"annotations": [{"image_id": {}}], "images": [{"id": []}, {"id": 2}]},
            "None (id []), None (id 2)",
        ),
        ([{"segmentation": [[0, 0, 1e9, 0, 0, 5]]}], "a polygon reaches 1e+09, far out of"),
        ({"annotations": [], "categories": [{"id": 1}]}, "expected names as"),
        ({"annotations": [{}], "images": [3]}, "`images` must be a list of objects with an id"),
    ],
)
def test_json_that_does_not_serve(tmp_path, value, text):
    assert text in refusal(write(tmp_path / "r.json", value))


def test_importing_loads_no_segmentation():
    code = (
        "import sys, distortion_graph.regions\n"
        "print([m for m in ('skimage', 'scipy', 'torch', 'pycocotools') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
