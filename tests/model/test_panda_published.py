"""Published checkpoints and `panda` folders: read, mapped, saved, and refused with what differs."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the segment extra")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_panda import (  # noqa: E402
    GRID,
    SIDE,
    WIDTH,
    hub_state,
    published_checkpoint,
    tiny_dinov2,
    tiny_panda,
)

from distortion_graph.base.errors import ModelError  # noqa: E402
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY  # noqa: E402
from distortion_graph.model import panda  # noqa: E402
from distortion_graph.model.backbones import Lite0Backbone, TransformersBackbone  # noqa: E402
from distortion_graph.model.encoder import Lite0Encoder  # noqa: E402
from distortion_graph.model.panda.published import hub_dinov2, hub_positions  # noqa: E402


@pytest.fixture(scope="module")
def original():
    """The network that a checkpoint was made of, with the published normalisation."""
    backbone = TransformersBackbone(tiny_dinov2(), source="tiny")
    return tiny_panda(backbone, published_normalisation=True)


@pytest.fixture(scope="module")
def hub(original, tmp_path_factory):
    return hub_state(original.backbone.network, tmp_path_factory.mktemp("dinov2"))


@pytest.fixture
def state(original, hub):
    return published_checkpoint(original, hub)["model_state_dict"]


def inputs(regions=7):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 2, SIDE, SIDE, 3), dtype=np.uint8)
    masks = rng.random((2, regions, SIDE, SIDE)) < 0.4
    return map(torch.from_numpy, (images, masks, np.ones((2, regions), bool)))


def answer(network):
    with torch.inference_mode():
        return network(*inputs())


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(answer(a), answer(b), strict=True))


def refusal(call, *arguments, **options):
    with pytest.raises(ModelError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_dinov2_in_the_names_of_its_hub_code_gives_the_same_features(hub):
    assert {"pos_embed", "blocks.1.attn.qkv.weight", "blocks.0.ls1.gamma", "norm.bias"} <= set(hub)
    assert hub["blocks.0.attn.qkv.weight"].shape == (3 * WIDTH, WIDTH)
    backbone = hub_dinov2(hub, GRID, where="x")
    rgb = torch.rand(2, 3, SIDE, SIDE)
    assert torch.equal(backbone(rgb), TransformersBackbone(tiny_dinov2(), source="tiny")(rgb))
    assert not any(p.requires_grad for p in backbone.parameters())


def cubic(positions, grid):
    """Keys' cubic convolution (a = -.75) along both axes with the scale (grid + .1) / M."""
    side = positions.shape[0]
    matrix = np.zeros((grid, side))
    for k in range(grid):
        at = (k + 0.5) * side / (grid + 0.1) - 0.5
        for tap in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
            d, a = abs(at - tap), -0.75
            near = (a + 2) * d**3 - (a + 3) * d**2 + 1
            far = a * (d**3 - 5 * d**2 + 8 * d - 4)
            matrix[k, min(max(tap, 0), side - 1)] += near if d <= 1 else far
    return np.einsum("ia,jb,abd->ijd", matrix, matrix, positions)


@pytest.mark.parametrize(("side", "grid"), [(5, 4), (37, 16), (3, 7)])
def test_positions_are_interpolated_as_the_hub_does_it(side, grid):
    torch.manual_seed(0)
    positions = torch.randn(1, 1 + side * side, 6)
    found = hub_positions(positions, grid)
    assert torch.equal(found[:, 0], positions[:, 0])
    expected = cubic(positions[0, 1:].double().numpy().reshape(side, side, 6), grid)
    assert np.abs(found[0, 1:].numpy().reshape(grid, grid, 6) - expected).max() < 1e-4
    assert hub_positions(positions, side) is positions


def test_an_imported_dinov2_has_nothing_left_to_interpolate(tmp_path):
    larger = hub_state(tiny_dinov2(grid=5), tmp_path)
    backbone = hub_dinov2(larger, GRID, where="x")
    kept: Any = backbone.network.get_parameter("embeddings.position_embeddings")
    assert torch.equal(kept, hub_positions(larger["pos_embed"], GRID))


def test_a_published_state_becomes_the_network_it_was_made_of(original, state):
    network = panda.import_published(state, where="x")
    assert same(network, original)
    assert network.config.published_normalisation and not network.config.random_pool_order
    sizes = (network.config.pool, network.config.blocks, network.config.expansion)
    assert sizes == (5, 2, 2) and network.config.backbone == "published checkpoint"


def test_a_vocabulary_in_another_order_gives_the_same_words_the_same_numbers(original, state):
    distortions = DEFAULT_VOCABULARY.distortions[::-1]
    turned = DEFAULT_VOCABULARY.model_copy(update={"distortions": distortions})
    network = panda.import_published(state, where="x", vocabulary=turned)
    assert torch.allclose(
        answer(network).distortion.flip(-1), answer(original).distortion, atol=1e-5
    )
    assert torch.equal(answer(network).severity, answer(original).severity)


def test_a_checkpoint_is_read_without_the_names_of_wrappers(original, hub, state, tmp_path):
    whole = published_checkpoint(original, hub)
    whole["model_state_dict"] = OrderedDict((f"module.{k}", v) for k, v in state.items())
    torch.save(whole, tmp_path / "panda.pt")
    read = panda.read_published(tmp_path / "panda.pt")
    assert set(read) == set(state)
    assert all(torch.equal(read[k], state[k]) for k in state)


def test_a_state_without_an_encoder_takes_the_one_that_is_named(original, state, tmp_path):
    without = {k: v for k, v in state.items() if not k.startswith("backbone.")}
    assert refusal(panda.import_published, without, where="x.pt") == (
        "x.pt: holds no weights of the frozen encoder (backbone.*); name it with --backbone, such "
        "as facebook/dinov2-small"
    )
    original.backbone.save(tmp_path)
    network = panda.import_published(without, where="x.pt", backbone=str(tmp_path))
    assert same(network, original) and network.config.backbone == str(tmp_path)


def test_what_is_missing_extra_or_misshapen_is_listed(state):
    del state["a_score_regressor.ln1.bias"], state["t_token_pool"]
    state["fourth_decoder.weight"] = torch.zeros(1)
    state["a_severity_prediction.output.bias"] = torch.zeros(6)
    assert refusal(panda.import_published, state, where="x.pt") == (
        "x.pt: weights do not fit: 2 missing (a_score_regressor.ln1.bias, t_token_pool); 1 extra "
        "(fourth_decoder.weight); 1 of another shape (a_severity_prediction.output.bias (6,) for "
        "(4,))"
    )


def test_an_encoder_that_is_not_whole_or_no_dinov2_is_listed(state):
    state["backbone.register_tokens"] = torch.zeros(1, 4, WIDTH)
    del state["backbone.blocks.1.ls2.gamma"]
    words = refusal(panda.import_published, state, where="x.pt")
    assert words.startswith("x.pt: weights do not fit: 1 missing (encoder.layer.1.layer_scale2.")
    assert "1 extra (register_tokens); 0 of another shape" in words
    del state["backbone.pos_embed"]
    assert refusal(panda.import_published, state, where="x.pt") == (
        "x.pt: backbone.* is no DINOv2 in the names of its hub code ('pos_embed')"
    )


def test_another_model_is_refused():
    assert refusal(panda.import_published, {"fc.weight": torch.zeros(3)}, where="x.pt") == (
        "x.pt: not a checkpoint of the published Panda ('mask_projection.conv.weight')"
    )


# --- folders -----------------------------------------------------------------------------------


@pytest.fixture
def folder(original, tmp_path):
    panda.save_panda(tmp_path / "panda", original)
    return tmp_path / "panda"


@pytest.mark.parametrize("kind", ["dinov2", "lite0"])
def test_a_folder_gives_the_network_back_to_the_bit(kind, original, tmp_path):
    torch.manual_seed(1)
    network = original if kind == "dinov2" else tiny_panda(Lite0Backbone(Lite0Encoder()))
    panda.save_panda(tmp_path, network)
    found = panda.load_panda(tmp_path)
    assert found.config == network.config
    own, other = network.state_dict(), found.state_dict()
    assert set(own) == set(other) and all(torch.equal(own[k], other[k]) for k in own)
    assert not found.training and not any(p.requires_grad for p in found.backbone.parameters())


def test_the_frozen_encoder_is_written_once_and_replaced_by_another(original, folder):
    encoder = folder / "backbone" / "model.safetensors"
    before = encoder.stat()
    panda.save_panda(folder, original)
    after = encoder.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    panda.save_panda(folder, tiny_panda(Lite0Backbone(Lite0Encoder())))
    assert panda.load_panda(folder).config.width == 112
    assert sorted(p.name for p in folder.iterdir()) == [
        "backbone",
        "network.json",
        "network.safetensors",
    ]


def test_another_vocabulary_travels_in_the_folder(tmp_path):
    words = DEFAULT_VOCABULARY.model_copy(update={"distortions": ("blur", "clean", "noise")})
    network = tiny_panda(Lite0Backbone(Lite0Encoder()), vocabulary=words)
    panda.save_panda(tmp_path, network)
    assert panda.load_panda(tmp_path).config.vocabulary == words


def test_a_folder_that_was_tampered_with_is_refused(folder):
    facts = json.loads((folder / "network.json").read_text())
    path = folder / "network.json"
    for change, words in (
        ({"model": "ours"}, f'{path}: expected a JSON object with "model": "panda"'),
        ({"widht": 3}, f"{path}: unknown keys ['widht'], known are ['backbone', "),
        ({"pool": "many"}, f"{path}: pool: Input should be a valid integer"),
        ({"pool": 6}, f"{folder}/network.safetensors: weights do not fit: 0 missing; 0 extra; 4 "),
        ({"backbone_sha256": "00"}, f"{folder}/backbone: weights have SHA-256 "),
        ({"width": 64}, "panda: the backbone 'tiny' is 128 wide with patches of 14 px, the "),
    ):
        path.write_text(json.dumps(facts | change))
        assert refusal(panda.load_panda, folder).startswith(words)
    del facts["heads"]
    path.write_text(json.dumps(facts))
    assert refusal(panda.load_panda, folder) == f"{path}: keys ['heads'] missing"
    path.unlink()
    assert refusal(panda.load_panda, folder).startswith(f"{folder}: not a readable panda folder (")


def test_missing_weights_of_a_folder_are_listed(folder):
    path = folder / "network.safetensors"
    weights = load_file(path)
    del weights["a_token_pool"]
    save_file(weights, path)
    assert refusal(panda.load_panda, folder) == (
        f"{path}: weights do not fit: 1 missing (a_token_pool); 0 extra; 0 of another shape"
    )
