"""Tiny randomly initialised panoptic checkpoints, saved as such checkpoints are published."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

LABELS = {0: "person", 1: "sky", 2: "grass"}
QUERIES = 5
TASK = ("the", "task", "is", "panoptic")
FAMILIES = ["mask2former", "maskformer", "oneformer", "eomt", "detr"]
SIZE = {"shortest_edge": 64, "longest_edge": 96}


def _swin() -> Any:
    from transformers import SwinConfig

    return SwinConfig(  # type: ignore[call-arg]
        image_size=32, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2],
        window_size=2, out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip


def _network(family: str) -> Any:
    import transformers as t

    named: dict[str, Any] = {"id2label": LABELS, "label2id": {v: k for k, v in LABELS.items()}}
    small: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "num_queries": QUERIES}
    if family == "mask2former":
        config = t.Mask2FormerConfig(
            backbone_config=_swin(), feature_size=32, mask_feature_size=32, hidden_dim=32,
            encoder_feedforward_dim=8, dim_feedforward=8, num_attention_heads=2, **small, **named,
        )  # fmt: skip
        return t.Mask2FormerForUniversalSegmentation(config)
    if family == "oneformer":
        one_former = t.OneFormerConfig(
            backbone_config=_swin(), conv_dim=32, mask_dim=32, hidden_dim=32,
            encoder_feedforward_dim=8, dim_feedforward=8, num_attention_heads=2, task_seq_len=8,
            text_encoder_width=32, text_encoder_num_layers=1, text_encoder_vocab_size=16,
            is_training=False, **small, **named,
        )  # fmt: skip
        return t.OneFormerForUniversalSegmentation(one_former)
    if family == "eomt":
        eomt = t.EomtConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=64,
            patch_size=16, num_blocks=1, num_queries=QUERIES, **named,
        )  # fmt: skip
        return t.EomtForUniversalSegmentation(eomt)
    detr: dict[str, Any] = {
        "d_model": 32, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "encoder_attention_heads": 8,
        "decoder_attention_heads": 8, "use_timm_backbone": False,
        "backbone_config": t.ResNetConfig(  # type: ignore[call-arg]
            embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1],
            layer_type="basic", out_features=["stage1", "stage2", "stage3", "stage4"],
        ),
    }  # fmt: skip
    if family == "detr":
        return t.DetrForSegmentation(t.DetrConfig(**detr, **small, **named))
    mask_former = t.MaskFormerConfig(
        backbone_config=_swin(), decoder_config=t.DetrConfig(**detr, **small),
        fpn_feature_size=32, mask_feature_size=32, **named,
    )  # fmt: skip
    return t.MaskFormerForInstanceSegmentation(mask_former)


_HEADS = (
    r"(queries_features|queries_embedder|query|query_position_embeddings)\.weight$",
    r"class_(predictor|embed|labels_classifier)\.weight$",
    r"mask_embed(der)?\.(layers\.)?2\.0\.weight$|mask_head\.(fc3|out_lay)\.weight$",
)


def _decided(network: Any) -> None:
    """Make the random weights sure of themselves, so that regions of several names come out."""
    import torch

    with torch.no_grad():
        for name, values in network.named_parameters():
            if any(re.search(head, name) for head in _HEADS):
                values.normal_(0, 3)
            if re.search(r"class_(predictor|embed|labels_classifier)\.bias$", name):
                values.zero_()
                values[-1] = -1000  # never "no object"


def _processor(family: str) -> dict[str, Any]:
    shared: dict[str, Any] = {"do_normalize": True, "do_rescale": True, "do_resize": True}
    kinds: dict[str, dict[str, Any]] = {
        "mask2former": {"image_processor_type": "Mask2FormerImageProcessor", "size_divisor": 32},
        "maskformer": {"feature_extractor_type": "MaskFormerFeatureExtractor", "size_divisor": 32},
        "oneformer": {
            "image_processor_type": "OneFormerImageProcessor",
            "class_info_file": "coco_panoptic.json", "repo_path": "shi-labs/oneformer_demo",
        },
        "eomt": {"image_processor_type": "EomtImageProcessorFast", "do_pad": True},
        "detr": {"feature_extractor_type": "DetrFeatureExtractor", "format": "coco_panoptic"},
    }  # fmt: skip
    size = {"shortest_edge": 64, "longest_edge": 64} if family == "eomt" else SIZE
    return shared | kinds[family] | {"size": size}


def _tokenizer(folder: Path) -> None:
    """CLIP's kind of tokenizer, that knows the words of a task."""
    tokens = ["<|startoftext|>", "<|endoftext|>", *(f"{word}</w>" for word in TASK)]
    merges = []
    for word in TASK:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        tokens += [part for part in parts if part not in tokens]
        for k in range(1, len(parts)):
            merges.append(f"{''.join(parts[:k])} {parts[k]}")
            if merges[-1].replace(" ", "") not in tokens:
                tokens.append(merges[-1].replace(" ", ""))
    (folder / "vocab.json").write_text(json.dumps({t: k for k, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    special = {"__type": "AddedToken", "content": "<|endoftext|>", "normalized": True}
    config = {
        "tokenizer_class": "CLIPTokenizer", "processor_class": "OneFormerProcessor",
        "model_max_length": 1000000000000000019884624838656, "errors": "replace",
        "bos_token": {**special, "content": "<|startoftext|>"}, "eos_token": special,
        "unk_token": special, "pad_token": "<|endoftext|>",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def save_checkpoint(folder: Path, family: str = "mask2former", seed: int = 0) -> Path:
    """Write config, weights (safetensors), image processor and what the family needs."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _network(family)
        _decided(network)
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_processor(family)))
    if family == "oneformer":
        _tokenizer(folder)
    return folder
