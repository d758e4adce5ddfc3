"""The further metrics by name: those of the package, and those that were registered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module

from distortion_graph.base.errors import RecipeError
from distortion_graph.measure.metrics.metric import MapMetric

BUILT_IN = ("flip", "gmsd", "ms_ssim", "ssimulacra2", "vif")
"""Those of the package; each is a module of this folder, loaded when it is asked for."""

_OF_EVIDENCE = ("psnr_db", "ssim", "haarpsi", "delta_e")
"""What evidence has anyway; a further metric of such a name would be taken for it."""

_registered: dict[str, MapMetric] = {}


def register_map_metric(metric: MapMetric) -> None:
    """Make a metric available to `get_map_metric` under its name.

    Raises:
        RecipeError: The name is taken by another metric or has characters that no name may have,
            or the range is none.
    """
    name, (low, high) = metric.name, metric.range
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise RecipeError(f"metric {name!r}: expected a name of A-Z, a-z, 0-9, '_', '.' and '-'")
    if not low < high:
        raise RecipeError(f"metric {name!r}: found range {metric.range}, expected low < high")
    if metric.perfect in (float("inf"), float("-inf")):
        raise RecipeError(
            f"metric {name!r}: found range {metric.range}, {metric.direction}; expected a finite "
            "better end, the value of identical pixels"
        )
    taken = name in BUILT_IN or name in _OF_EVIDENCE
    if taken or _registered.get(name, metric) is not metric:
        raise RecipeError(f"metric {name!r} is already registered; choose another name")
    _registered[name] = metric


def map_metric_names() -> tuple[str, ...]:
    """Names of all further metrics: those of the package, then those that were registered."""
    return (*BUILT_IN, *_registered)


def get_map_metric(name: str) -> MapMetric:
    """The further metric of that name.

    Raises:
        RecipeError: There is none; the line lists those that there are.
    """
    if name in _registered:
        return _registered[name]
    if name in BUILT_IN:
        found: MapMetric = import_module(f"{__package__}.{name}").METRIC
        return found
    known = ", ".join(map_metric_names())
    raise RecipeError(f"unknown metric {name!r}; expected one of: {known}")


def map_metrics(names: Iterable[str]) -> tuple[MapMetric, ...]:
    """The further metrics of those names in their order, each once. Raises RecipeError."""
    return tuple(map(get_map_metric, dict.fromkeys(names)))
