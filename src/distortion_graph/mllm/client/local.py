"""Models in this process: any image-text-to-text checkpoint of `transformers`.

    LocalModel("checkpoints/Qwen2.5-VL-3B-Instruct")   # a folder
    LocalModel("Qwen/Qwen2.5-VL-3B-Instruct")          # from the local Hugging Face cache

Nothing is downloaded, pickled weights and code inside a checkpoint are never run, and torchvision
is not needed. The schema of an answer is not enforced: these models only read about it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image as PillowImage

from distortion_graph.mllm.client.local_processor import load_processor
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    Image,
    Reply,
    Request,
    Usage,
)
from distortion_graph.mllm.client.thinking import is_thinking_mark
from distortion_graph.segment.checkpoint import first_line, quietly

_HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")  # org/name, org/name@revision
_LEAST_ROOM = 256
"""Tokens of an answer for which there must be room, if it may be as long."""


@dataclass(frozen=True)
class _Loaded:
    network: Any
    processor: Any
    context: int | None  # tokens of question and answer together


class LocalModel:
    """One checkpoint; asked one request at a time, whatever the number of threads.

    Args:
        name_or_path: a checkpoint's folder, or its name on the Hugging Face hub (org/name or
            org/name@revision), which must be in the local cache.
        device: of torch: "cpu", "cuda", "cuda:1" …; "auto" takes a GPU where there is one.

    On a CPU the weights are taken in float32, elsewhere as they are stored. Raises EndpointError
    where torch or transformers is not installed, or the checkpoint is not on this machine. Weights
    are loaded with the first request.
    """

    def __init__(self, name_or_path: str | Path, device: str = "auto") -> None:
        text = str(name_or_path)
        self._folder, self._revision = _find(text)
        self.name = Path(text).resolve().name if self._revision is None else text.partition("@")[0]
        self._device = device
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"LocalModel({self.name!r}, device={self._device!r})"

    @cached_property
    def device(self) -> str:
        """The device of torch that answers are computed on."""
        if self._device != "auto":
            return self._device
        import torch

        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    @cached_property
    def identity(self) -> str:
        """The checkpoint's content or its commit on the hub, and the kind of device."""
        content = self._revision or _sha256(self._folder)
        return f"local {self.name} {content} {self.device.partition(':')[0]}"

    def send(self, request: Request) -> Reply:
        """Answer greedily; see `Backend.send`.

        Raises EndpointError for a temperature, and for a checkpoint or device that cannot be used.
        """
        if request.temperature:
            raise EndpointError(
                f"{self.name}: temperature is {request.temperature:g}, expected 0: a model in this "
                "process answers greedily"
            )
        with self._lock, quietly():
            return self._answer(request)

    @cached_property
    def _loaded(self) -> _Loaded:
        network = _load_network(self._folder, self.device)
        context = getattr(network.config.get_text_config(), "max_position_embeddings", None)
        return _Loaded(network, load_processor(self._folder, network.config), context)

    def _answer(self, request: Request) -> Reply:
        import torch

        loaded = self._loaded
        inputs = self._inputs(request)
        asked = int(inputs["input_ids"].shape[1])
        length = self._room(request, asked)
        try:
            with torch.inference_mode():
                out = loaded.network.generate(
                    **inputs.to(self.device, dtype=loaded.network.dtype),
                    max_new_tokens=length, do_sample=False, num_beams=1,
                    temperature=None, top_p=None, top_k=None,
                )  # fmt: skip
        except (RuntimeError, ValueError, IndexError) as e:
            raise EndpointError(f"{self.name}: cannot answer ({first_line(e)})") from e
        said = out[0, asked:].tolist()
        ended = bool(said) and said[-1] in _ends(loaded.network)
        text = _text_of(loaded.processor, said)
        usage = Usage(input_tokens=asked, output_tokens=len(said))
        return Reply(text.strip(), "stop" if ended else "length", usage, self.name)

    def _inputs(self, request: Request) -> Any:
        """Token ids and pixels, as the checkpoint's own template and processor make them."""
        processor = self._loaded.processor
        content = [
            {"type": "image", "image": PillowImage.fromarray(part.rgb)}
            if isinstance(part, Image)
            else {"type": "text", "text": part.text}
            for part in request.parts
        ]
        system = [{"type": "text", "text": request.system}]
        apart = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        together = [{"role": "user", "content": system + content}]
        try:
            prompt = processor.apply_chat_template(apart, add_generation_prompt=True)
            takes_system = not request.system or request.system.strip() in prompt
        except Exception:  # what a template raises that knows no system's text
            takes_system = False
        try:
            return processor.apply_chat_template(
                apart if takes_system else together,
                add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            )  # fmt: skip
        except Exception as e:  # whatever templates and processors make of it
            raise EndpointError(
                f"{self.name}: cannot take the question ({first_line(e)}); expected a checkpoint "
                "for chat about several pictures"
            ) from e

    def _room(self, request: Request, asked: int) -> int:
        """Tokens that the answer may have; raises ContextTooLongError where they are too few."""
        context = self._loaded.context
        if context is None:
            return request.max_output_tokens
        room = context - asked
        if room < min(request.max_output_tokens, _LEAST_ROOM):
            raise ContextTooLongError(
                f"{self.name}: the question has {asked} tokens, and the model takes {context} with "
                "the answer"
            )
        return min(room, request.max_output_tokens)


def _text_of(processor: Any, said: list[int]) -> str:
    """The text of tokens without special ones, but with the marks around thinking."""
    tokenizer = getattr(processor, "tokenizer", processor)
    special = {k for k, token in tokenizer.added_tokens_decoder.items() if token.special}
    special |= set(tokenizer.all_special_ids)
    kept = [
        k for k in said if k not in special or is_thinking_mark(tokenizer.convert_ids_to_tokens(k))
    ]
    text: str = processor.decode(kept, skip_special_tokens=False)
    return text


def _find(text: str) -> tuple[Path, str | None]:
    """A checkpoint's folder, and the commit if it is in the hub's cache."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise EndpointError(
            f"a model in this process needs {' and '.join(missing)}, not installed: "
            "pip install 'distortion-graph[segment]'"
        )
    if Path(text).is_dir():
        if not (Path(text) / "config.json").is_file():
            raise EndpointError(f"{text}: no config.json, expected a checkpoint's folder")
        return Path(text), None
    hub_name = _HUB_NAME.fullmatch(text)
    if hub_name is None:
        raise EndpointError(
            f"local model {text!r}: no such folder, expected a checkpoint's folder or its name on "
            "the Hugging Face hub (org/name or org/name@revision)"
        )
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_name[1], revision=hub_name[2], local_files_only=True))
        complete = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    except Exception:  # whatever the hub's library says, it is not there
        complete = False
    if not complete:
        revision = f" --revision {hub_name[2]}" if hub_name[2] else ""
        raise EndpointError(
            f"local model {text!r}: no such folder, and not in the local Hugging Face cache; "
            f"download it first: hf download {hub_name[1]}{revision}"
        )
    return folder, folder.name


def _load_network(folder: Path, device: str) -> Any:
    """The network, ready to answer; raises EndpointError."""
    import torch
    from transformers import AutoModelForImageTextToText

    models: Any = AutoModelForImageTextToText
    try:
        network, report = models.from_pretrained(
            folder, dtype=torch.float32 if device == "cpu" else "auto", local_files_only=True,
            use_safetensors=True, trust_remote_code=False, output_loading_info=True,
        )  # fmt: skip
    except Exception as e:  # whatever the libraries make of a damaged folder
        raise EndpointError(f"{folder}: cannot be loaded ({first_line(e)})") from e
    lacking = sorted(report["missing_keys"])
    if lacking:  # transformers fills them with random numbers
        raise EndpointError(
            f"{folder}: no weights for {lacking[0]} (and {len(lacking) - 1} more), expected a "
            "checkpoint of a whole image-text-to-text model"
        )
    try:
        return network.to(device).eval()
    except (AssertionError, RuntimeError, NotImplementedError) as e:
        raise EndpointError(f"device {device!r} cannot be used ({first_line(e)})") from e


def _ends(network: Any) -> set[int]:
    """Tokens that end an answer."""
    ends = network.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends}


def _sha256(folder: Path) -> str:
    """Of the names and contents of all files that may decide an answer."""
    total = hashlib.sha256()
    kinds = {".json", ".jinja", ".safetensors", ".txt", ".model"}
    for path in sorted(p for p in folder.iterdir() if p.suffix in kinds and p.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256")
        total.update(f"{path.name}\0{content.hexdigest()}\n".encode())
    return total.hexdigest()
