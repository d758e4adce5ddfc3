"""Tiny randomly initialised image-text-to-text checkpoints, saved as they are published.

"llava" is of the older kind, "qwen" of the kind whose processor has a part for videos.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONTEXT = 1024
_SPECIAL = {
    "llava": ["<s>", "</s>", "<image>"],
    "qwen": [
        "<|endoftext|>", "<|im_end|>", "<|im_start|>", "<|vision_start|>", "<|vision_end|>",
        "<|image_pad|>", "<|video_pad|>",
    ],
}  # fmt: skip
_PICTURE = {"llava": "<image>", "qwen": "<|vision_start|><|image_pad|><|vision_end|>"}
_TEMPLATE = """\
{% for message in messages %}\
{{ message['role'] }}: {% for part in message['content'] %}\
{% if part['type'] == 'image' %}PICTURE{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}END
{% endfor %}\
{% if add_generation_prompt %}assistant: {% endif %}"""
WITHOUT_SYSTEM = """\
{% if messages[0]['role'] == 'system' %}\
{{ raise_exception('System role not supported') }}{% endif %}"""


def save_checkpoint(folder: Path, family: str = "llava", seed: int = 0, template: str = "") -> Path:
    """Write config, weights (safetensors), tokenizer, processor; `template` begins the template."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    tokens = _save_tokenizer(folder, _SPECIAL[family])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _llava(tokens) if family == "llava" else _qwen(tokens)
    network.save_pretrained(folder)
    _save_processor(folder, family)
    end = _SPECIAL[family][1]
    text = template + _TEMPLATE.replace("PICTURE", _PICTURE[family]).replace("END", end)
    (folder / "chat_template.jinja").write_text(text)
    return folder


def _save_tokenizer(folder: Path, special: list[str]) -> dict[str, int]:
    """One token a byte, and the special ones; gives their ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: k for k, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=special[1], pad_token=special[0]
    ).save_pretrained(folder)
    return {token: len(letters) + k for k, token in enumerate(special)}


def _llava(tokens: dict[str, int]) -> Any:
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    text = LlamaConfig(
        vocab_size=256 + len(tokens), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=CONTEXT, bos_token_id=tokens["<s>"],
        eos_token_id=tokens["</s>"], pad_token_id=tokens["<s>"],
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        image_size=28, patch_size=14, projection_dim=16,
    )  # fmt: skip
    config = LlavaConfig(  # type: ignore[call-arg]
        text_config=text, vision_config=vision, image_token_id=tokens["<image>"],
        image_seq_length=4, vision_feature_layer=-1,
    )  # fmt: skip
    return LlavaForConditionalGeneration(config)


def _qwen(tokens: dict[str, int]) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    positions = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    text = {
        "vocab_size": 256 + len(tokens), "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT, "rope_parameters": positions, "bos_token_id": None,
        "eos_token_id": tokens["<|im_end|>"], "pad_token_id": tokens["<|endoftext|>"],
    }  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2,
        "out_hidden_size": 16, "fullatt_block_indexes": [0],
    }  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, image_token_id=tokens["<|image_pad|>"],
        video_token_id=tokens["<|video_pad|>"], vision_start_token_id=tokens["<|vision_start|>"],
        vision_end_token_id=tokens["<|vision_end|>"],
    )  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(config)


def _save_processor(folder: Path, family: str) -> None:
    pictures: dict[str, Any] = {  # type: ignore[assignment]
        "llava": {
            "image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor",
            "size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
        },
        "qwen": {
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": "Qwen2_5_VLProcessor", "min_pixels": 3136, "max_pixels": 12845056,
            "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
        },
    }[family]  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    if family == "llava":
        whole = {
            "processor_class": "LlavaProcessor", "patch_size": 14, "image_token": "<image>",
            "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1,
        }  # fmt: skip
        (folder / "processor_config.json").write_text(json.dumps(whole))
