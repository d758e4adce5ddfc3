"""YAML as people write it, read strictly; needs PyYAML, which only some extras bring."""

from __future__ import annotations

import math
import re
from itertools import chain
from typing import Any

import yaml

from distortion_graph.base.errors import DistortionGraphError

_MOST_VALUES = 100_000


def parse_yaml(text: str, where: str) -> Any:
    """The value of a YAML document; `1e-3` is a number, and a key stands once.

    Raises DistortionGraphError, one line that begins with `where` and has the line's number.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if _values(node, {}) > _MOST_VALUES:
            raise yaml.YAMLError("its aliases stand for too much, expected plain values")
        return None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise DistortionGraphError(f"{where}: {line}not YAML ({problem.problem})") from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise DistortionGraphError(f"{where}: not YAML ({problem})") from problem


def _values(node: Any, known: dict[int, float]) -> float:
    """How many values a node stands for, each alias counted; of one that holds itself, endless."""
    if isinstance(node, yaml.CollectionNode) and id(node) not in known:
        known[id(node)] = math.inf  # until it is known: it may hold itself
        pairs = (entry if isinstance(entry, tuple) else (entry,) for entry in node.value)
        known[id(node)] = 1 + sum(_values(part, known) for part in chain.from_iterable(pairs))
    return known.get(id(node), 1)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """What the safe loader of YAML 1.1 gets wrong for people: 1e-3, and keys that stand twice."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
    list("-+0123456789."),
)


def _mapping_once(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if isinstance(key, list | dict) or key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands there twice", key_node.start_mark
            )
        seen.add(key)
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)
