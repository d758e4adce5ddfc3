"""Panoptic checkpoints on disk: found, checked and hashed without loading them, then loaded.

A checkpoint is a folder as `transformers` saves it: `config.json`, `preprocessor_config.json` and
weights in safetensors. Pickled weights and code inside a checkpoint are never run. Needs the
segment extra (torch and transformers), imported when a checkpoint is loaded; torchvision is not
used even where it is installed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import kind_of

FAMILIES = ("detr", "eomt", "eomt_dinov3", "mask2former", "maskformer", "oneformer")
"""Model types of transformers that answer with class and mask queries for one picture."""

_HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")  # org/name, org/name@revision
_EXTRA = "pip install 'distortion-graph[segment]'"
_LONGEST = 120  # characters of a library's words in an error
_PREPARATION = ("preprocessor_config.json", "processor_config.json")
# All that decides an answer; a folder may hold more (other formats, training states).
_FILES = (
    "config.json", *_PREPARATION, "model*.safetensors", "model.safetensors.index.json",
    "tokenizer*.json", "vocab.json", "merges.txt", "special_tokens_map.json",
)  # fmt: skip


def need_segment_extra() -> None:
    """Raise ModelError, one line, unless the segment extra is installed."""
    wanted = ("torch", "transformers", "safetensors", "huggingface_hub")
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"regions by a panoptic model need {' and '.join(missing)}, not installed: {_EXTRA}"
        )


def is_hub_name(text: str) -> bool:
    """Whether a text has the form of a hub name, org/name or org/name@revision."""
    return _HUB_NAME.fullmatch(text) is not None


def find_checkpoint(name_or_path: str) -> Path:
    """The folder of a checkpoint: the one named, else the hub's copy in the local cache.

    What the cache lacks is downloaded, unless HF_HUB_OFFLINE is set. Raises ModelError for
    neither a folder nor a hub name, and where the hub does not give it.
    """
    if kind_of(Path(name_or_path)) == "folder":
        return Path(name_or_path)
    hub_name = _HUB_NAME.fullmatch(name_or_path)
    if hub_name is None:
        raise ModelError(
            f"panoptic model {name_or_path!r}: no such folder, expected a checkpoint's folder or "
            "its name on the Hugging Face hub (org/name or org/name@revision)"
        )
    need_segment_extra()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    fetch = partial(
        snapshot_download, hub_name[1], revision=hub_name[2], allow_patterns=list(_FILES)
    )
    try:
        cached = Path(fetch(local_files_only=True))
        if _has_all(cached):
            return cached
    except (LocalEntryNotFoundError, FileNotFoundError):
        pass
    except ValueError as e:
        raise ModelError(
            f"panoptic model {name_or_path!r}: no such folder, and no name of a model ({e})"
        ) from e
    try:
        return Path(fetch())
    except Exception as e:  # whatever the HTTP library underneath may raise, it cannot be fetched
        raise ModelError(
            f"panoptic model {name_or_path!r}: no such folder, not in the local Hugging Face "
            f"cache, and it cannot be fetched from the hub ({first_line(e)}); name a folder, or "
            f"download it first: hf download {hub_name[1]}"
        ) from e


def read_config(folder: Path) -> dict[str, Any]:
    """A checkpoint's `config.json`; raises ModelError unless it is one this package can run."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as e:
        raise ModelError(f"{path}: no such file, expected a panoptic checkpoint's folder") from e
    except (OSError, ValueError, RecursionError) as e:
        raise ModelError(f"{path}: cannot be read as JSON ({first_line(e)})") from e
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in FAMILIES:
        raise ModelError(
            f"{path}: model_type is {kind!r}, expected a panoptic checkpoint: {', '.join(FAMILIES)}"
        )
    if not any((folder / name).is_file() for name in _PREPARATION):
        raise ModelError(
            f"{folder}: no {_PREPARATION[0]}, which says how a picture is scaled and normalised"
        )
    if not any(folder.glob("model*.safetensors")):
        raise ModelError(
            f"{folder}: no weights in safetensors (model.safetensors); pickled weights are not "
            "read: load and save them once with transformers"
        )
    # Without these files the library makes an empty tokenizer, and the answer is noise.
    if kind == "oneformer" and not _has_tokenizer(folder):
        raise ModelError(f"{folder}: no tokenizer.json, nor vocab.json and merges.txt")
    checked: dict[str, Any] = config
    return checked


def checkpoint_sha256(folder: Path) -> str:
    """SHA-256 over names and contents of the files that decide what the checkpoint answers."""
    total = hashlib.sha256()
    files = {path for pattern in _FILES for path in folder.glob(pattern) if path.is_file()}
    for path in sorted(files, key=lambda p: p.name):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        total.update(f"{path.name}\0{content.hexdigest()}\n".encode())
    return total.hexdigest()


def load_network(folder: Path, config: dict[str, Any], device: str) -> Any:
    """The network in float32 on a device, ready to answer; raises ModelError.

    A checkpoint that lacks weights of the segmentation network (one of plain detection, say) is
    refused: transformers would fill them with random numbers.
    """
    need_segment_extra()
    import torch
    from transformers import AutoModelForUniversalSegmentation

    # The text branch of OneFormer serves training alone.
    options: dict[str, Any] = {"dtype": torch.float32, "ignore_mismatched_sizes": True}
    if config["model_type"] == "oneformer":
        options["is_training"] = False
    try:
        with quietly():
            network, report = AutoModelForUniversalSegmentation.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False,
                output_loading_info=True, **options,
            )  # fmt: skip
    except Exception as e:  # whatever the libraries make of a damaged folder
        raise ModelError(f"{folder}: cannot be loaded ({first_line(e)})") from e
    # Without its weights a layer is random; of another size, it is as good as without.
    unfit = {key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]}
    lacking = sorted({*report["missing_keys"], *unfit})
    if lacking:
        raise ModelError(
            f"{folder}: no weights for {lacking[0]} as config.json wants them (and "
            f"{len(lacking) - 1} more), expected a checkpoint of a whole panoptic network"
        )
    try:
        return network.to(device).eval()
    except (AssertionError, RuntimeError, NotImplementedError) as e:
        raise ModelError(f"device {device!r} cannot be used ({first_line(e)})") from e


def load_preparation(folder: Path, config: dict[str, Any]) -> Any:
    """The checkpoint's image processor, on Pillow and NumPy; raises ModelError."""
    need_segment_extra()
    from transformers import AutoImageProcessor

    # OneFormer's looks up class names for training on the hub.
    options = {"class_info_file": None} if config["model_type"] == "oneformer" else {}
    try:
        with quietly():
            return AutoImageProcessor.from_pretrained(
                folder, backend="pil", local_files_only=True, trust_remote_code=False, **options
            )
    except Exception as e:  # as above
        raise ModelError(f"{folder}: no usable image processor ({first_line(e)})") from e


def load_task(folder: Path, config: dict[str, Any]) -> Any:
    """OneFormer's task as (1, L) token ids, zero-padded; None for other families."""
    if config["model_type"] != "oneformer":
        return None
    import torch
    from transformers import AutoTokenizer

    try:
        length = int(config.get("task_seq_len", 77))
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            tokens = tokenizer(
                ["the task is panoptic"],
                padding="max_length", max_length=length, truncation=True,
            )  # fmt: skip
    except Exception as e:  # as above
        raise ModelError(f"{folder}: no usable tokenizer ({first_line(e)})") from e
    return torch.tensor(tokens["input_ids"]) * torch.tensor(tokens["attention_mask"])


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' bars and advice; what its user set comes back afterwards."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _has_tokenizer(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return "tokenizer.json" in names or {"vocab.json", "merges.txt"} <= names


def _has_all(folder: Path) -> bool:
    """Whether a cached copy is complete: the cache also keeps single files."""
    try:
        read_config(folder)
    except ModelError:
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return all(kind_of(folder / Path(shard).name) == "file" for shard in shards)


def first_line(error: BaseException) -> str:
    """The first line of what a library says, to stand in a line of ours."""
    lines = str(error).strip().splitlines()
    line = lines[0].strip().rstrip(".:") if lines else type(error).__name__
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
