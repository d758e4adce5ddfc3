"""The processor of a local checkpoint, which makes tokens and pixels of a chat.

Those of most recent families have a part for videos that needs torchvision. Where that is not
installed, the processor is put together without it: only pictures are sent.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distortion_graph.mllm.client.messages import EndpointError
from distortion_graph.segment.checkpoint import first_line

_VIDEO = "video_processor"


def load_processor(folder: Path, config: Any) -> Any:
    """The processor of the checkpoint in `folder`; raises EndpointError.

    `config` is the checkpoint's configuration as transformers reads it.
    """
    from transformers import AutoProcessor

    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        kind = None if find_spec("torchvision") else _with_videos(config)
        if kind is None:
            processor = AutoProcessor.from_pretrained(folder, **options)
        else:
            processor = _without_videos(kind).from_pretrained(folder, **options)
    except Exception as e:  # whatever the libraries make of a damaged folder
        raise EndpointError(f"{folder}: no usable processor ({first_line(e)})") from e
    if not getattr(processor, "chat_template", None):
        raise EndpointError(
            f"{folder}: no chat template (chat_template.jinja), expected a checkpoint for chat"
        )
    return processor


def _with_videos(config: Any) -> Any:
    """The class of the checkpoint's processor, if it has a part for videos."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    kind: Any = PROCESSOR_MAPPING.get(type(config), None)
    return kind if kind is not None and _VIDEO in kind.get_attributes() else None


def _without_videos(kind: Any) -> Any:
    """A processor's class with nothing in the place of its part for videos."""
    parts = kind.get_attributes()
    bare = type(
        kind.__name__,
        (kind,),
        {"get_attributes": classmethod(lambda cls: [part for part in parts if part != _VIDEO])},
    )

    def load(cls: Any, *args: Any, **options: Any) -> list[Any]:
        loaded = bare._get_arguments_from_pretrained(*args, **options)  # type: ignore[attr-defined]
        loaded.insert(parts.index(_VIDEO), None)
        return list(loaded)

    def check(self: Any, name: str, part: Any) -> Any:
        return None if name == _VIDEO else kind.check_argument_for_proper_class(self, name, part)

    methods = {
        "_get_arguments_from_pretrained": classmethod(load),
        "check_argument_for_proper_class": check,
    }
    return type(kind.__name__, (kind,), methods)
