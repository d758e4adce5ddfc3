"""Clear words where an optional part is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from distortion_graph.base.errors import DistortionGraphError


def need_torch(command: str, *more: str) -> None:
    """Raise one clear line unless the train extra is there; `more` are modules beyond the usual."""
    need_extra(command, "train", "torch", "safetensors", "onnx", *more)


def need_extra(command: str, extra: str, *modules: str) -> None:
    """Raise one clear line, with what to install, unless the modules of an extra are there."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise DistortionGraphError(
            f"`distortion-graph {command}` needs {' and '.join(missing)}, not installed: "
            f"pip install 'distortion-graph[{extra}]'"
        )
