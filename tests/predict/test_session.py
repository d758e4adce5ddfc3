"""The exported model: parity with torch, tiles, any size, any number of regions, clear errors."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from optional import present
from skimage import data as pictures

from distortion_graph import compare
from distortion_graph.base.errors import ImageError, ModelError, RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.names import HEAD_FILE, MANIFEST_FILE, MODEL_FILES, READER_FILE
from distortion_graph.predict.plan import Limits
from distortion_graph.predict.session import Model

SMALL_TILES = Limits(one_piece_px=1, tile_px=120_000)
FIELDS = (
    "distortion",
    "severity_given",
    "score",
    "comparison",
    "scene_score",
    "scene_comparison",
    "known",
    "present",
)


def pair(height, width):
    anchor = np.ascontiguousarray(cv2.resize(pictures.coffee(), (width, height)))
    return anchor, np.asarray(cv2.GaussianBlur(anchor, (0, 0), 2.0))


def grid_masks(height, width, rows, columns):
    y, x = np.mgrid[:height, :width]
    labels = y * rows // height * columns + x * columns // width
    return labels[None] == np.arange(rows * columns)[:, None, None]


def largest_difference(p, q):
    there = [f for f in FIELDS if getattr(p, f) is not None]  # not every model says all
    return max(np.abs(getattr(p, f) - getattr(q, f)).max(initial=0) for f in there)


@pytest.fixture(scope="module")
def shipped():
    return Model.load()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A random network with 16-bit weights, and its export."""
    return _exported(tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def exported_with_reference(tmp_path_factory):
    """The same, of a network that is told of the original and names further distortions."""
    return _exported(tmp_path_factory.mktemp("reference"), reference=True, also=True)


def _exported(folder, **more):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from distortion_graph.model.config import NetworkConfig
    from distortion_graph.model.network import DistortionGraphNet
    from distortion_graph.training.export import export_onnx

    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=64, layers=1, heads=2, **more)).eval()
    # As calibration leaves it: P(known) depends on distances too.
    familiarity = network.head.nodes.familiarity
    familiarity.weights.copy_(torch.tensor([1.0, 0.5, -0.8, 0.6]))
    for name in ("centres", "whitening"):
        getattr(familiarity, name).normal_()
    if network.head.original is not None:
        torch.nn.init.normal_(network.head.original)  # it begins at zero
    if network.head.nodes.present is not None:
        network.head.nodes.distortion.bias.data[0] = -9  # nothing is listed beside clean
    export_onnx(network, folder, name="random", version="0", card={"note": "untrained"})
    return network, folder


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(321, 481, 2, 5), (64, 64, 1, 1), (17, 90, 1, 3), (5, 3, 1, 1), (128, 96, 8, 8)],
)
def test_export_agrees_with_torch(exported, height, width, rows, columns):
    from distortion_graph.model.predict import TorchPredictor

    network, folder = exported
    arguments = (*pair(height, width), grid_masks(height, width, rows, columns))
    ours, theirs = (
        Model.load(folder).predict(*arguments),
        TorchPredictor(network).predict(*arguments),
    )
    # Weights are rounded to 16 bits in the export.
    assert largest_difference(ours, theirs) < 3e-3


def test_an_export_leaves_the_network_as_it_was(tmp_path):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from distortion_graph.model.config import NetworkConfig
    from distortion_graph.model.network import DistortionGraphNet
    from distortion_graph.training.export import export_onnx

    network = DistortionGraphNet(NetworkConfig(width=64, layers=1, heads=2)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    export_onnx(network, tmp_path, name="random", version="0", card={})
    assert not any(module.training for module in network.modules())
    after = network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("original", [None, 0, 1])
def test_a_model_that_takes_a_reference_agrees_with_torch(exported_with_reference, original):
    from distortion_graph.model.predict import TorchPredictor

    network, folder = exported_with_reference
    model = Model.load(folder)
    anchor, target = pair(64, 96)
    masks = grid_masks(64, 96, 1, 3)
    ours = model.predict(anchor, target, masks, original)
    theirs = TorchPredictor(network).predict(anchor, target, masks, original)
    assert ours.present is not None and ours.present.shape == ours.distortion.shape
    assert largest_difference(ours, theirs) < 3e-3
    told = largest_difference(ours, model.predict(anchor, target, masks))
    assert (told == 0) == (original is None)


def test_who_is_the_original_goes_with_the_pictures_to_the_bit(exported_with_reference):
    model = Model.load(exported_with_reference[1])
    anchor, target = (load_picture(picture) for picture in pair(64, 96))
    regions = RegionSet.grid((64, 96), 1, 3)
    forth = predict_canonically(model, anchor, target, regions, original=0)
    back = predict_canonically(model, target, anchor, regions, original=1)
    assert largest_difference(forth, back.swapped()) == 0


def test_a_model_without_the_condition_refuses_a_reference(exported):
    model = Model.load(exported[1])
    assert not model.takes_reference
    with pytest.raises(ModelError, match="takes no reference"):
        anchor, target = pair(64, 96)
        model.predict(anchor, target, grid_masks(64, 96, 1, 3), original=0)


def test_manifest_carries_identity_vocabulary_and_card(exported):
    _, folder = exported
    model = Model.load(folder)
    assert model.identity.name == "random" and len(model.identity.sha256) == 64
    assert model.card == {"note": "untrained"}
    assert model.vocabulary.clean == "clean"


def _changed(folder, into, **keys):
    """A copy of a model whose manifest has other keys."""
    shutil.copytree(folder, into)
    manifest = json.loads((into / MANIFEST_FILE).read_text())
    (into / MANIFEST_FILE).write_text(json.dumps(manifest | keys))
    return into


def test_the_manifest_says_from_when_on_further_distortions_are_listed(
    exported_with_reference, tmp_path
):
    _, folder = exported_with_reference

    def listed(model):
        anchor, target = pair(64, 96)
        graph = compare(anchor, target, regions="grid:2x3", model=model, evidence="none")
        back = compare(target, anchor, regions="grid:2x3", model=model, evidence="none")
        assert back == graph.swapped()
        return [n.also for region in graph.regions for n in (region.anchor, region.target)]

    assert Model.load(folder).decoding.also_threshold == 0.5
    every = listed(_changed(folder, tmp_path / "all", also_threshold=0.0))
    assert max(map(len, every)) == 13  # all but clean and its own
    few = listed(_changed(folder, tmp_path / "half", also_threshold=None))
    assert few == [tuple(f for f in also if f.probability >= 0.5) for also in every]
    assert few == listed(folder)


def test_the_manifest_has_the_map_from_score_to_opinion(exported, tmp_path):
    _, folder = exported
    maps = {"common": [[0, 0.25], [1, 0.75]], "by_distortion": {"clean": [[0, 0], [1, 1]]}}
    model = Model.load(_changed(folder, tmp_path / "rated", opinion=maps))
    graph = compare(*pair(64, 96), regions="grid:2x3", model=model, evidence="none")
    for region in graph.regions:
        for node in (region.anchor, region.target):
            slope, base = (1, 0) if node.distortion.label == "clean" else (0.5, 0.25)
            assert node.opinion == pytest.approx(base + slope * present(node.score), abs=1e-6)
    whole = present(graph.scene).anchor
    score, clean = present(whole.score), present(whole.distortion_share).get("clean", 0)
    expected = clean * score + (1 - clean) * (0.25 + score / 2)
    assert whole.opinion == pytest.approx(expected, abs=1e-6)
    plain = compare(*pair(64, 96), regions="grid:2x3", model=folder, evidence="none")
    assert plain.regions[0].anchor.opinion is present(plain.scene).anchor.opinion is None
    assert plain.regions[0].anchor.score == graph.regions[0].anchor.score


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"also_threshold": 1.5}, "also_threshold: expected less than or equal to 1, found 1.5"),
        ({"also_threshold": "all"}, "also_threshold: expected a valid number, found 'all'"),
        ({"opinion": {"by_distortion": {}}}, "opinion: the key 'common' is missing"),
        ({"opinion": {"common": []}}, "opinion.common: expected at least one point"),
        (
            {"opinion": {"common": [[0.5, 0.2], [0.5, 0.3]]}},
            "opinion.common: [0.5, 0.3] after [0.5, 0.2], expected [score, opinion] with rising",
        ),
        (
            {"opinion": {"common": [[0, 1]], "by_distortion": {"blur": [[0, 0.5], [1, 0.4]]}}},
            "opinion.by_distortion.blur: [1.0, 0.4] after [0.0, 0.5], expected",
        ),
        ({"opinion": {"common": [[0, 2]]}}, "opinion.common[0][1]: expected less than or equal"),
        ({"opinion": {"common": [[0, 1, 1]]}}, "opinion.common[0]: expected a list that should"),
        (
            {"opinion": {"common": [[0, 1]], "by_distortion": {"blurr": [[0, 1]]}}},
            "opinion.by_distortion: unknown distortion 'blurr', expected one of",
        ),
    ],
)
def test_a_manifest_that_decodes_nothing_is_refused_in_one_line(exported, tmp_path, keys, says):
    folder = _changed(exported[1], tmp_path / "broken", **keys)
    with pytest.raises(ModelError) as caught:
        Model.load(folder)
    line = str(caught.value)
    assert line.startswith(f"{folder / MANIFEST_FILE}: {says}") and "\n" not in line


def test_the_shipped_model_recognises_plain_distortions(shipped):
    anchor, blurred = pair(320, 480)
    rng = np.random.default_rng(0)
    noisy = np.clip(anchor + rng.normal(0, 40, anchor.shape), 0, 255).astype(np.uint8)
    masks = np.ones((1, 320, 480), bool)
    names = shipped.vocabulary.distortions
    for image, expected in ((blurred, "blur"), (noisy, "noise"), (anchor, "clean")):
        found = shipped.predict(anchor, image, masks).distortion[1, 0]
        assert names[found.argmax()] == expected


def test_the_bare_model_is_symmetric_and_a_set_to_rounding(shipped):
    anchor, target = pair(160, 240)
    masks = grid_masks(160, 240, 2, 3)
    forth = shipped.predict(anchor, target, masks)
    assert largest_difference(forth, shipped.predict(target, anchor, masks).swapped()) < 1e-5
    order = [4, 2, 0, 5, 1, 3]
    moved = shipped.predict(anchor, target, masks[order])
    assert largest_difference(forth.reorder(order), moved) < 1e-5


def test_no_regions_and_many_regions(shipped):
    anchor, target = pair(160, 240)
    none = shipped.predict(anchor, target, np.zeros((0, 160, 240), bool))
    assert none.n_regions == 0 and np.isfinite(none.scene_score).all()
    assert shipped.predict(anchor, target, grid_masks(160, 240, 15, 20)).n_regions == 300


def test_how_many_regions_are_read_in_one_go_changes_next_to_nothing(shipped):
    anchor, target = pair(96, 128)
    masks = grid_masks(96, 128, 3, 5)
    together = shipped.predict(anchor, target, masks)
    for at_most in (1, 4):
        model = Model.load(limits=Limits(regions_read=at_most))
        assert largest_difference(together, model.predict(anchor, target, masks)) < 1e-5


@pytest.mark.parametrize("limits", [Limits(), SMALL_TILES])
def test_two_threads_change_no_bit_and_more_only_the_last_digits(limits):
    arguments = (*pair(300, 480), grid_masks(300, 480, 3, 7))
    alone, *others = (
        Model.load(threads=n, limits=limits).predict(*arguments) for n in (1, 2, 3, 8)
    )
    assert [largest_difference(alone, other) for other in others[:1]] == [0]
    # From four threads on the encoder has several, and ONNX Runtime adds up in another order.
    assert all(largest_difference(alone, other) < 1e-4 for other in others[1:])


def test_several_threads_open_each_file_once(shipped, monkeypatch):
    opened = []

    def opens(file, *rest, **more):
        opened.append(len(file))
        time.sleep(0.02)  # for the others to come in between
        return session_open(file, *rest, **more)

    session_open = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", opens)
    model, arguments = Model.load(threads=1), (*pair(32, 48), grid_masks(32, 48, 1, 2))
    ready = threading.Barrier(6)

    def ask(_):
        ready.wait()
        return model.predict(*arguments)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(6)))
    assert sorted(opened) == sorted(len((model.folder / name).read_bytes()) for name in MODEL_FILES)
    expected = shipped.predict(*arguments)
    assert all(largest_difference(expected, one) == 0 for one in found)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_openings_open_all_that_a_pair_of_usual_size_takes(threads, monkeypatch):
    opened = []

    def opens(file, options, **more):
        opened.append((len(file), options.intra_op_num_threads))
        return session_open(file, options, **more)

    session_open = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", opens)
    model = Model.load(threads=threads)
    for opening in model.openings(threads):
        opening()
    ready = list(opened)
    assert len(ready) == len(MODEL_FILES)
    anchor, target = pair(96, 64)
    model.predict(anchor, target, grid_masks(96, 64, 3, 3))
    assert opened == ready


def test_inputs_that_do_not_fit_are_refused(shipped):
    anchor, target = pair(48, 64)
    with pytest.raises(ImageError, match="pictures of unequal size: 64×48 and 60×48"):
        shipped.predict(anchor, target[:, :60], np.ones((1, 48, 64), bool))
    with pytest.raises(
        RegionError, match=r"masks must be \(R, 48, 64\) bool, got one of \(48, 60\)"
    ):
        shipped.predict(anchor, target, np.ones((1, 48, 60), bool))
    with pytest.raises(RegionError, match="uint8"):
        shipped.predict(anchor, target, np.full((1, 48, 64), 255, np.uint8))


def test_tiles_change_next_to_nothing(shipped):
    anchor, target = pair(420, 630)
    masks = grid_masks(420, 630, 2, 3)
    whole = shipped.predict(anchor, target, masks)
    tiled = Model.load(limits=SMALL_TILES).predict(anchor, target, masks)
    assert 0 < largest_difference(whole, tiled) < 0.02


def test_broken_models_are_refused_in_one_line(exported, tmp_path):
    _, folder = exported
    with pytest.raises(ModelError, match=r"no model there, expected a folder with model\.json"):
        Model.load(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (*MODEL_FILES, MANIFEST_FILE):
        (copy / name).write_bytes((folder / name).read_bytes())
    with (copy / HEAD_FILE).open("ab") as file:
        file.write(b"x")
    arguments = (*pair(32, 32), np.ones((1, 32, 32), bool))
    with pytest.raises(ModelError, match="the model is damaged, install or export it again"):
        Model.load(copy).predict(*arguments)
    (copy / READER_FILE).unlink()
    with pytest.raises(ModelError, match=r"reader\.onnx: cannot be read .* or export it again"):
        Model.load(copy).predict(*arguments)
    # Files that open and are whole, but take what another version gave.
    encoder = (folder / MODEL_FILES[0]).read_bytes()
    for name in MODEL_FILES:
        (copy / name).write_bytes(encoder)
    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    manifest["sha256"] = hashlib.sha256(encoder * len(MODEL_FILES)).hexdigest()
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"pooling\.onnx: takes picture, expected map_16, .*again"):
        Model.load(copy).predict(*arguments)
    del manifest["vocabulary"]
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"model\.json: vocabulary missing"):
        Model.load(copy)
    (copy / MANIFEST_FILE).write_text("[")
    with pytest.raises(ModelError, match="not a JSON object"):
        Model.load(copy)
    with pytest.raises(ModelError, match="WrongProvider is not in this ONNX Runtime"):
        Model.load(providers=["WrongProvider"])


def test_the_shipped_model_is_the_export_of_the_kept_checkpoint(shipped):
    pytest.importorskip("torch", reason="needs the train extra")
    from distortion_graph.model.predict import TorchPredictor
    from distortion_graph.training.checkpoint import load_network

    kept = Path(__file__).parents[2] / "chain"
    arguments = (*pair(160, 240), grid_masks(160, 240, 2, 3))
    ours = shipped.predict(*arguments)
    theirs = TorchPredictor(load_network(kept)).predict(*arguments)
    # The export folds normalisation into the filters before it rounds them to 16 bits.
    assert largest_difference(ours, theirs) < 1e-2


_FAULTS = """
import resource
import numpy as np
from distortion_graph.predict.session import Model
model = Model.load(threads=1)
rng = np.random.default_rng(0)
pair = rng.integers(0, 256, (2, 321, 481, 3), np.uint8)
masks = np.arange(40)[:, None, None] == np.add.outer(np.arange(321), np.arange(481)) // 21
for _ in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.predict(*pair, masks)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="speaks of glibc's allocator")
def test_a_pair_is_given_the_memory_that_the_one_before_has_freed():
    # Without `_keep_freed_memory` these pictures cost 2,500 page faults and more, ten times of ten.
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 500
