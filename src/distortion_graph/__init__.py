"""Distortion graphs: what is wrong in each region of two pictures, how bad, and which is better.

>>> from distortion_graph import compare
>>> graph = compare("a.jpg", "b.jpg")  # doctest: +SKIP
>>> graph.regions[0].target.distortion.label  # doctest: +SKIP
'blur'

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distortion_graph.base.errors import DistortionGraphError
    from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
    from distortion_graph.batch.many import compare_many
    from distortion_graph.graph import DistortionGraph, load_graph
    from distortion_graph.masks.container import RegionSet
    from distortion_graph.pictures.images import load_picture
    from distortion_graph.pipeline import compare
    from distortion_graph.predict.session import Model
    from distortion_graph.ranking import Ranking, rank

    __version__: str

__all__ = [
    "DEFAULT_VOCABULARY",
    "DistortionGraph",
    "DistortionGraphError",
    "Model",
    "Ranking",
    "RegionSet",
    "Vocabulary",
    "__version__",
    "compare",
    "compare_many",
    "load_graph",
    "load_picture",
    "rank",
]

_HOMES = {
    "DEFAULT_VOCABULARY": "base.vocabulary",
    "DistortionGraph": "graph",
    "DistortionGraphError": "base.errors",
    "Model": "predict.session",
    "Ranking": "ranking",
    "RegionSet": "masks.container",
    "Vocabulary": "base.vocabulary",
    "compare": "pipeline",
    "compare_many": "batch.many",
    "load_graph": "graph",
    "load_picture": "pictures.images",
    "rank": "ranking",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("distortion-graph")
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
