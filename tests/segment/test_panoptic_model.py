"""Named regions by tiny randomly initialised checkpoints of every family, saved here."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optional import present

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from PIL import Image  # noqa: E402
from tiny_panoptic import FAMILIES, LABELS, save_checkpoint  # noqa: E402

from distortion_graph.base.errors import ModelError, RegionError  # noqa: E402
from distortion_graph.pictures.images import load_picture  # noqa: E402
from distortion_graph.regions import resolve_regions  # noqa: E402
from distortion_graph.segment import checkpoint as checkpoints  # noqa: E402
from distortion_graph.segment.panoptic_model import (  # noqa: E402
    PanopticSegmenter,
    panoptic_segmenter,
)
from distortion_graph.segment.segmenter import load_segmenter  # noqa: E402

# Random weights: every query counts, however small its share.
EASY: dict[str, Any] = {"threshold": 0.34, "overlap": 0.0, "min_pixels": 1}
EASY_TEXT = ",threshold=0.34,overlap=0,min_pixels=1"
SIZES = [(480, 320), (101, 333), (33, 50), (8, 8), (3, 90), (90, 3), (64, 640)]


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """One checkpoint's folder a family."""
    root = tmp_path_factory.mktemp("checkpoints")
    return {family: save_checkpoint(root / family, family, seed=3) for family in FAMILIES}


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """No network, and an empty cache of the hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def mine(saved, tmp_path):
    """A copy of a checkpoint, to spoil."""
    return Path(shutil.copytree(saved["mask2former"], tmp_path / "mine"))


def picture(h, w, seed=0):
    blocks = np.random.default_rng(seed).integers(0, 256, (h // 8 + 1, w // 8 + 1, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int))[:h, :w].astype(np.uint8)


def refusal(call, kind=ModelError):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    return str(caught.value)


# ---- regions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_named_regions_at_every_size(saved, family):
    segmenter = PanopticSegmenter(saved[family], **EASY)
    assert segmenter.name == f"panoptic:{family}"
    several = 0
    for h, w in SIZES:
        segments = segmenter.segment(picture(h, w))
        regions = segments.regions
        assert regions.size == (h, w)
        assert regions.ids == tuple(range(1, len(regions) + 1)) != ()
        assert set(regions.names) <= set(LABELS.values())
        assert all(0.34 < present(score) <= 1 for score in segments.scores)
        masks = regions.masks()
        assert masks.sum(0).max() == 1 and masks.any(axis=(1, 2)).all()
        firsts = [int(np.flatnonzero(mask)[0]) for mask in masks]
        assert firsts == sorted(firsts)
        several += len(regions) > 1
    assert several > 0
    assert "torchvision" not in sys.modules


@pytest.mark.parametrize("family", FAMILIES)
def test_the_regions_are_those_of_the_librarys_own_preparation_and_network(saved, family):
    """The whole way by the library's own classes, at the picture's size as the network sees it."""
    segmenter = PanopticSegmenter(saved[family], **EASY)
    rgb = picture(64, 64)  # what every family's preparation leaves at 64×64
    found = segmenter.segment(rgb)
    network = transformers.AutoModelForUniversalSegmentation.from_pretrained(saved[family]).eval()
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = torch.tensor(((rgb / 255 - mean) / std).transpose(2, 0, 1)[None], dtype=torch.float32)
    inputs = {"pixel_values": pixels}
    if family == "oneformer":
        # <|startoftext|>, the four words, <|endoftext|>, and zeros for padding
        inputs["task_inputs"] = torch.tensor([[0, 2, 3, 4, 5, 1, 0, 0]])
    with torch.inference_mode():
        out = network(**inputs)
    masks = out["pred_masks" if family == "detr" else "masks_queries_logits"]
    logits = out["logits" if family == "detr" else "class_queries_logits"][0]
    maps = torch.nn.functional.interpolate(masks, (64, 64), mode="bilinear")[0].sigmoid()
    scores, labels = logits.softmax(-1).max(-1)
    owner = (scores[:, None, None] * maps).argmax(0)
    expected = np.zeros((64, 64), int) - 1
    for k, label in enumerate(labels.tolist()):
        expected[((owner == k) & (maps[k] >= 0.5)).numpy()] = label
    names = {name: label for label, name in LABELS.items()}
    got = np.zeros((64, 64), int) - 1
    for region, mask in zip(found.regions, found.regions.masks(), strict=True):
        got[mask] = names[region.name]
    assert np.count_nonzero(got != expected) <= 8  # rounding, at edges
    expected_scores = scores.numpy()[np.unique(owner[owner >= 0])]
    assert all(np.abs(expected_scores - score).min() < 1e-5 for score in found.scores)


def test_two_things_of_one_name_are_two_regions_and_stuff_is_one(saved):
    rgb = picture(480, 320)
    apart = PanopticSegmenter(saved["mask2former"], **EASY).segment(rgb).regions
    assert len(set(apart.names)) < len(apart)
    joined = PanopticSegmenter(saved["mask2former"], stuff=LABELS.values(), **EASY)
    regions = joined.segment(rgb).regions
    assert sorted(regions.names) == sorted(set(apart.names))
    for region, mask in zip(regions, regions.masks(), strict=True):
        parts = [m for r, m in zip(apart, apart.masks(), strict=True) if r.name == region.name]
        assert (np.logical_or.reduce(parts) == mask).all()


def test_stuff_is_known_by_the_labels_of_a_data_set(mine):
    from distortion_graph.segment.stuff import CITYSCAPES

    assert PanopticSegmenter(mine).stuff == frozenset()
    labels = dict(enumerate([*sorted(CITYSCAPES), "person", "car"]))
    change(mine, id2label=labels)
    assert PanopticSegmenter(mine).stuff == CITYSCAPES
    assert PanopticSegmenter(mine, stuff=()).stuff == frozenset()


def test_grey_pictures_and_flat_ones(saved):
    segmenter = PanopticSegmenter(saved["eomt"], **EASY)
    grey = np.repeat(picture(60, 80)[..., :1], 3, axis=2)
    assert len(segmenter.segment(grey).regions) > 0
    assert len(segmenter.segment(np.zeros((60, 80, 3), np.uint8)).regions) > 0


@pytest.mark.parametrize(
    "wrong", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))]
)
def test_only_rgb_of_8_bits_is_taken(saved, wrong):
    segmenter = PanopticSegmenter(saved["eomt"])
    assert refusal(lambda: segmenter.segment(wrong), RegionError) == (
        f"panoptic:eomt: expected an (H, W, 3) uint8 RGB picture, got {wrong.shape} {wrong.dtype}"
    )


def test_a_picture_without_regions_says_what_came_nearest(saved):
    segmenter = PanopticSegmenter(saved["eomt"], threshold=1)
    line = refusal(lambda: segmenter.segment(picture(60, 80)), RegionError)
    assert re.fullmatch(
        r"panoptic:eomt: no region found above threshold=1 "
        r"\(surest: '(person|sky|grass)' with \d\.\d\d\)",
        line,
    )
    segmenter = PanopticSegmenter(saved["eomt"], threshold=0.3, min_pixels=10**6)
    line = refusal(lambda: segmenter.segment(picture(60, 80)), RegionError)
    assert "no region found of 1000000 pixels and more" in line


def test_a_picture_too_thin_for_the_network_is_one_line(saved):
    for family in FAMILIES:
        segmenter = PanopticSegmenter(saved[family], **EASY)
        line = refusal(lambda s=segmenter: s.segment(picture(1, 900)), RegionError)
        assert line.startswith(f"panoptic:{family}: cannot take a picture of 900×1 pixels (")
        assert len(line) < 200


# ---- exactness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_picture_gives_the_same_regions(saved, family):
    rgb = picture(160, 240)
    segmenter = PanopticSegmenter(saved[family], **EASY)
    first = segmenter.segment(rgb)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        segmenter.segment(picture(90, 60, seed=1))  # nothing is kept from other pictures
        assert segmenter.segment(rgb) == first
        assert PanopticSegmenter(saved[family], **EASY).segment(rgb) == first
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_pickled_segmenter_answers_alike_and_carries_no_weights(saved):
    segmenter = PanopticSegmenter(saved["eomt"], **EASY)
    first = segmenter.segment(picture(60, 80))
    packed = pickle.dumps(segmenter)
    assert len(packed) < 10_000
    copy = pickle.loads(packed)
    assert copy.segment(picture(60, 80)) == first
    assert (copy.name, copy.version) == (segmenter.name, segmenter.version)


def test_global_state_stays_as_it_was(saved):
    from transformers.utils import logging

    logging.set_verbosity_info()
    logging.enable_progress_bar()
    try:
        PanopticSegmenter(saved["eomt"], **EASY).segment(picture(60, 80))
        assert logging.get_verbosity() == logging.INFO and logging.is_progress_bar_enabled()  # type: ignore[attr-defined]
    finally:
        logging.set_verbosity_warning()
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("family", FAMILIES)
def test_loading_and_segmenting_say_nothing(saved, family, capfd):
    PanopticSegmenter(saved[family], **EASY).segment(picture(60, 80))
    assert capfd.readouterr() == ("", "")


def test_the_version_is_of_the_contents_and_the_settings(saved, mine):
    version = PanopticSegmenter(saved["mask2former"]).version
    assert re.fullmatch("[0-9a-f]{16}", version)
    assert PanopticSegmenter(mine).version == version  # wherever it lies
    (mine / "README.md").write_text("notes")
    assert PanopticSegmenter(mine).version == version
    others = {
        PanopticSegmenter(mine, **setting).version
        for setting in (
            {"threshold": 0.7}, {"overlap": 0.7}, {"min_pixels": 9},
            {"stuff": ["sky"]}, {"threads": 2},
        )
    }  # fmt: skip
    assert PanopticSegmenter(mine, stuff=()).version == version
    change(mine, id2label={"0": "man", "1": "sky", "2": "grass"})
    others.add(PanopticSegmenter(mine).version)
    with (mine / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x7f")
    others.add(PanopticSegmenter(mine).version)
    assert len(others | {version}) == 8


def test_importing_loads_neither_torch_nor_transformers():
    program = (
        "import sys\n"
        "import distortion_graph.segment.panoptic_model, distortion_graph.regions\n"
        "print({'torch', 'transformers', 'huggingface_hub', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr


# ---- what is refused ---------------------------------------------------------------------------


def change(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_the_families_are_those_of_the_library_that_take_one_picture():
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING_NAMES as KNOWN,
    )

    assert set(checkpoints.FAMILIES) == set(KNOWN) - {"videomt"}


def test_folders_that_are_no_panoptic_checkpoint(mine, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refusal(lambda: PanopticSegmenter(empty)) == (
        f"{empty}/config.json: no such file, expected a panoptic checkpoint's folder"
    )
    (mine / "preprocessor_config.json").rename(tmp_path / "kept.json")
    assert refusal(lambda: PanopticSegmenter(mine)) == (
        f"{mine}: no preprocessor_config.json, which says how a picture is scaled and normalised"
    )
    (tmp_path / "kept.json").rename(mine / "preprocessor_config.json")
    (mine / "model.safetensors").rename(mine / "pytorch_model.bin")
    assert refusal(lambda: PanopticSegmenter(mine)) == (
        f"{mine}: no weights in safetensors (model.safetensors); pickled weights are not read: "
        "load and save them once with transformers"
    )
    change(mine, model_type="bert")
    assert refusal(lambda: PanopticSegmenter(mine)) == (
        f"{mine}/config.json: model_type is 'bert', expected a panoptic checkpoint: "
        "detr, eomt, eomt_dinov3, mask2former, maskformer, oneformer"
    )
    (mine / "config.json").write_text("{")
    assert refusal(lambda: PanopticSegmenter(mine)).startswith(
        f"{mine}/config.json: cannot be read as JSON (Expecting property name"
    )
    (mine / "config.json").write_text("[]")
    assert "model_type is None" in refusal(lambda: PanopticSegmenter(mine))


def test_labels_that_do_not_name_the_classes(mine):
    change(mine, id2label={"1": "sky"})
    assert "id2label must name the classes 0, 1, 2" in refusal(lambda: PanopticSegmenter(mine))
    change(mine, id2label=["sky"])
    assert "id2label is no table of names" in refusal(lambda: PanopticSegmenter(mine))
    change(mine, id2label=None, num_labels="many")
    assert "id2label is no table of names" in refusal(lambda: PanopticSegmenter(mine))


def test_damaged_weights_and_weights_of_another_network(saved, mine, tmp_path):
    weights = mine / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    line = refusal(lambda: PanopticSegmenter(mine).segment(picture(8, 8)))
    assert line.startswith(f"{mine}: cannot be loaded (")
    weights.write_bytes((saved["eomt"] / "model.safetensors").read_bytes())
    line = refusal(lambda: PanopticSegmenter(mine).segment(picture(8, 8)))
    assert re.fullmatch(
        re.escape(str(mine)) + r": no weights for \S+ as config.json wants them \(and \d+ more\), "
        r"expected a checkpoint of a whole panoptic network",
        line,
    )


def test_a_checkpoint_of_detection_alone_is_refused(saved, tmp_path):
    """Its network has no masks; the library would make some up at random."""
    folder = Path(shutil.copytree(saved["detr"], tmp_path / "boxes"))
    config = transformers.AutoConfig.from_pretrained(folder)
    transformers.DetrForObjectDetection(config).save_pretrained(folder)
    line = refusal(lambda: PanopticSegmenter(folder).segment(picture(64, 64)))
    assert line.startswith(f"{folder}: no weights for ")


def test_a_network_with_another_number_of_classes(mine):
    change(mine, id2label={"0": "person", "1": "sky"}, label2id={"person": 0, "sky": 1})
    line = refusal(lambda: PanopticSegmenter(mine).segment(picture(64, 64)))
    assert line.startswith(f"{mine}: no weights for class_predictor.bias as config.json wants them")


def test_oneformer_without_its_tokenizer(saved, tmp_path):
    folder = Path(shutil.copytree(saved["oneformer"], tmp_path / "silent"))
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).unlink()
    line = refusal(lambda: PanopticSegmenter(folder))
    assert line == f"{folder}: no tokenizer.json, nor vocab.json and merges.txt"


def test_oneformer_with_a_strange_length_of_its_task(saved, tmp_path):
    folder = Path(shutil.copytree(saved["oneformer"], tmp_path / "strange"))
    change(folder, task_seq_len="long")
    line = refusal(lambda: PanopticSegmenter(folder).segment(picture(8, 8)))
    assert line.startswith(f"{folder}: cannot be loaded (")


def test_a_damaged_index_of_weights_is_an_incomplete_copy(mine):
    assert checkpoints._has_all(mine)
    for text in ("[]", '{"weight_map": []}', "[" * 100_000):
        (mine / "model.safetensors.index.json").write_text(text)
        assert not checkpoints._has_all(mine)


def test_a_device_that_is_not_there(saved):
    segmenter = PanopticSegmenter(saved["eomt"], device="cuda:77")
    line = refusal(lambda: segmenter.segment(picture(64, 64)))
    assert line.startswith("device 'cuda:77' cannot be used (")


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ({"threshold": 1.5}, "panoptic model: threshold is 1.5, expected 0 … 1"),
        ({"overlap": float("nan")}, "panoptic model: overlap is nan, expected 0 … 1"),
        ({"min_pixels": 0}, "panoptic model: min_pixels is 0, expected at least 1"),
        ({"threads": 0}, "panoptic model: threads is 0, expected at least 1"),
        ({"stuff": ["sky", "cheese"]}, "no label 'cheese' among its labels"),
    ],
)
def test_settings_out_of_range(saved, setting, line):
    assert refusal(lambda: PanopticSegmenter(saved["eomt"], **setting)).endswith(line)


def test_without_the_extra_the_line_says_what_to_install(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert refusal(lambda: PanopticSegmenter(saved["eomt"])) == (
        "regions by a panoptic model need transformers, not installed: "
        "pip install 'distortion-graph[segment]'"
    )


# ---- names on the hub --------------------------------------------------------------------------


def test_a_name_that_is_not_in_the_cache_offline():
    line = refusal(lambda: PanopticSegmenter("nobody/nothing-here@v2"))
    assert line.startswith(
        "panoptic model 'nobody/nothing-here@v2': no such folder, not in the local Hugging Face "
        "cache, and it cannot be fetched from the hub ("
    )
    assert line.endswith("; name a folder, or download it first: hf download nobody/nothing-here")
    assert refusal(lambda: PanopticSegmenter("no-such-folder")) == (
        "panoptic model 'no-such-folder': no such folder, expected a checkpoint's folder or its "
        "name on the Hugging Face hub (org/name or org/name@revision)"
    )


def test_a_name_in_the_cache_is_found_offline(saved, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "cache" / "models--some--model"
    shutil.copytree(saved["mask2former"], kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    segmenter = PanopticSegmenter("some/model", **EASY)
    plain = PanopticSegmenter(saved["mask2former"], **EASY)
    assert segmenter.name == "panoptic:some/model" and segmenter.version == plain.version
    assert segmenter.segment(picture(64, 96)) == plain.segment(picture(64, 96))
    assert PanopticSegmenter(f"some/model@{commit}", **EASY).version == plain.version
    (kept / "snapshots" / commit / "model.safetensors").unlink()  # a copy that is not whole
    assert "no weights in safetensors" in refusal(lambda: PanopticSegmenter("some/model"))


# ---- spellings ---------------------------------------------------------------------------------


def test_options_are_read_from_the_spelling(saved):
    segmenter = panoptic_segmenter(f"{saved['eomt']},threshold=0.25,overlap=0.5,device=cpu")
    assert (segmenter.threshold, segmenter.overlap, segmenter.device) == (0.25, 0.5, "cpu")
    assert refusal(lambda: panoptic_segmenter(f"{saved['eomt']},speed=9")) == (
        f"panoptic model {str(saved['eomt'])!r}: option 'speed=9', expected threshold=float, "
        "overlap=float, min_pixels=int, device=str"
    )
    assert "option 'threshold=x'" in refusal(lambda: panoptic_segmenter("a/b,threshold=x"))
    spec = f"panoptic:{saved['eomt']}"
    assert load_segmenter(spec) is load_segmenter(spec)


def test_a_region_spec_gives_the_same_regions_for_the_swapped_pair(saved):
    spec = f"panoptic:{saved['mask2former']}{EASY_TEXT}"
    one, other = load_picture(picture(96, 64)), load_picture(picture(96, 64, seed=5))
    regions = resolve_regions(spec, one, other)
    assert regions == resolve_regions(spec, other, one)
    assert set(regions.names) <= set(LABELS.values())
    mean = np.floor((one.rgb.astype(float) + other.rgb) / 2 + 0.5).astype(np.uint8)
    direct = PanopticSegmenter(saved["mask2former"], **EASY).segment(mean)
    assert regions == direct.regions
    alone = PanopticSegmenter(saved["mask2former"], **EASY).segment(one.rgb)
    assert resolve_regions(spec, one, one) == alone.regions


def test_panoptic_files_are_still_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = np.zeros((8, 8, 3), np.uint8)
    ids[:4, :, 0] = 5
    Image.fromarray(ids).save("a.png")
    Path("a.json").write_text(
        json.dumps(
            {
                "annotations": [
                    {"file_name": "a.png", "segments_info": [{"id": 5, "category_id": 1}]}
                ],
                "categories": [{"id": 1, "name": "sky"}],
            }
        )
    )
    flat = load_picture(np.zeros((8, 8, 3), np.uint8))
    for spec in ("panoptic:a.json", "panoptic:a.png,a.json", f"panoptic:{tmp_path}/a.json"):
        regions = resolve_regions(spec, flat, flat)
        assert (regions.ids, regions.names) == ((5,), ("sky",))
    line = refusal(lambda: resolve_regions("panoptic:typo.json", flat, flat), RegionError)
    assert line.startswith("typo.json: no such file")
    line = refusal(lambda: resolve_regions("panoptic:typo", flat, flat), RegionError)
    assert line.startswith("regions 'panoptic:typo': no file 'typo', expected one of: ")
