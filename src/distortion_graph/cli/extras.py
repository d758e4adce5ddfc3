"""Clear words where an optional part is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from distortion_graph.errors import DistortionGraphError


def need_torch(command: str, *more: str) -> None:
    """Raise one clear line unless the train extra is there; `more` are modules beyond the usual."""
    needed = ("torch", "safetensors", "onnx", *more)
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise DistortionGraphError(
            f"`distortion-graph {command}` needs {' and '.join(missing)}, not installed: "
            "pip install 'distortion-graph[train]'"
        )
