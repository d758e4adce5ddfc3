"""Settings of a run as YAML: read strictly, changed key by key, written in full.

Every mistake is one line that names the file or the option, the key by its path, and the nearest
key that exists.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.base.yaml_text import parse_yaml
from distortion_graph.formats.files import load_vocabulary
from distortion_graph.synth.synthesis import Recipe
from distortion_graph.training.architectures import (
    Architecture,
    architecture,
    architecture_in,
)
from distortion_graph.training.checkpoint import network_folder, read_facts
from distortion_graph.training.config import TrainingConfig

_RENAMED = {"evaluation.splits": "evaluation.pairs"}
"""Keys of earlier versions, and what they are called now."""

_WORDS = (
    ("Input should be", "expected"),
    ("a valid array", "a list"),
    ("a valid tuple", "a list"),
    ("an object", "a mapping"),
    ("a valid dictionary", "a mapping"),
)


@dataclass(frozen=True)
class Override:
    """A value that replaces the file's: its dotted key, and the option it was given with."""

    key: str
    value: Any
    option: str


def parse_setting(text: str) -> Override:
    """`optimiser.learning_rate=1e-3`, the value written as in YAML."""
    key, equals, value = text.partition("=")
    option = f"--set {text}"
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key):
        raise DistortionGraphError(f"{option}: expected KEY=VALUE, such as budget.steps=500")
    return Override(key, parse_yaml(value, option), option)


def read_config(path: Path | None, overrides: Sequence[Override] = ()) -> TrainingConfig:
    """Settings of a file, or the defaults, with values replaced one after the other.

    A vocabulary may stand in the file or be the name of a JSON file; `recipe.vocabulary` is the
    network's too. What `network` leaves out is as in the network to start from, where there is one
    and not only a part of it is taken. Relative names of files are looked for from where the
    program runs.

    Raises DistortionGraphError: one line that names the file or option and the key.
    """
    tree: dict[str, Any] = {}
    if path is not None:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "not UTF-8 text"
            raise DistortionGraphError(
                f"{path}: cannot be read ({reason}), expected settings as YAML"
            ) from problem
        values = parse_yaml(text, str(path))
        if values is not None and not isinstance(values, dict):
            raise DistortionGraphError(
                f"{path}: expected keys and values, found {type(values).__name__}"
            )
        tree = values or {}
    for override in overrides:
        _replace(tree, override)
    return _Reader(str(path) if path else "training", overrides).config(tree)


def plain(config: TrainingConfig) -> dict[str, Any]:
    """Every setting as text, numbers, lists and dicts; what `read_config` reads back."""
    tree: dict[str, Any] = _plain(config)
    del tree["network"]["vocabulary"]  # the recipe's
    return tree


def to_yaml(config: TrainingConfig) -> str:
    """Every setting as YAML."""
    text: str = yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True, width=99)
    return text


def changed(before: Any, now: Any, *, may: Sequence[str] = (), place: str = "") -> list[str]:
    """What differs between two plain trees, as `key is X, was Y`; `may` names free sections."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        differences = []
        for name in dict.fromkeys([*before, *now]):
            where = f"{place}.{name}" if place else str(name)
            if where not in may:
                parts = before.get(name), now.get(name)
                differences += changed(*parts, may=may, place=where)
        return differences
    if before == now:
        return []
    return [f"{place} is {_short(now)}, was {_short(before)}"]


class _Reader:
    """Turns a tree of plain values into settings."""

    def __init__(self, file: str, overrides: Sequence[Override]) -> None:
        self.file, self.overrides = file, overrides

    def config(self, tree: Mapping[str, Any]) -> TrainingConfig:
        self.check_keys(tree, TrainingConfig, "")
        name = self.leaf(tree.get("model", TrainingConfig.model), str, "model")
        with_place = self.refusing("model")
        chosen = with_place(architecture, name)
        recipe = self.recipe(tree.get("recipe", {}))
        given = self.mapping(tree.get("network"), "network")
        settings = {**_as_started_from(tree, chosen), **given}
        network = self.section(settings, chosen.config, "network", vocabulary=recipe.vocabulary)
        losses = self.section(tree.get("losses", {}), chosen.losses, "losses")
        own = {"network": network, "losses": losses, "recipe": recipe}
        rest = {key: value for key, value in tree.items() if key not in own}
        config: TrainingConfig = self.section(rest, TrainingConfig, "", **own)
        return config

    def recipe(self, tree: Any) -> Recipe:
        """The recipe; with another severity scale its levels have to be given too."""
        tree = self.mapping(tree, "recipe")
        value = tree.get("vocabulary")
        vocabulary = DEFAULT_VOCABULARY
        if isinstance(value, str):
            vocabulary = self.refusing("recipe.vocabulary")(load_vocabulary, Path(value))
        elif value is not None:
            vocabulary = self.leaf(value, Vocabulary, "recipe.vocabulary")
        rest = {key: value for key, value in tree.items() if key != "vocabulary"}
        made: Recipe = self.section(rest, Recipe, "recipe", vocabulary=vocabulary)
        return made

    def section(self, tree: Any, kind: type[Any], place: str, **given: Any) -> Any:
        """A dataclass of the tree's values; `given` are fields that no file sets."""
        tree = self.mapping(tree, place)
        self.check_keys(tree, kind, place, without=tuple(given))
        hints = get_type_hints(kind)
        values = dict(given)
        for key, value in tree.items():
            where = f"{place}.{key}" if place else key
            if dataclasses.is_dataclass(hints[key]):
                inner: Any = hints[key]
                values[key] = self.section({} if value is None else value, inner, where)
            else:
                values[key] = self.leaf(value, hints[key], where)
        return self.refusing(place)(kind, **values)

    def leaf(self, value: Any, hint: Any, place: str) -> Any:
        """A value of a plain type; nothing is guessed, "3" is no number."""
        try:
            return TypeAdapter(hint).validate_json(json.dumps(value, default=str), strict=True)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            text = first["msg"]
            for theirs, ours in _WORDS:
                text = text.replace(theirs, ours)
            inner = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
            raise DistortionGraphError(
                f"{self.source(place)}: {place}{inner}: {text}, found {_short(first['input'])}"
            ) from problem

    def mapping(self, tree: Any, place: str) -> Mapping[str, Any]:
        if tree is None:
            return {}
        if not isinstance(tree, Mapping):
            raise DistortionGraphError(
                f"{self.source(place)}: {place}: expected keys and values, found {_short(tree)}"
            )
        return tree

    def check_keys(
        self, tree: Mapping[str, Any], kind: type[Any], place: str, without: Sequence[str] = ()
    ) -> None:
        keys = [f.name for f in dataclasses.fields(kind) if f.name not in without or not place]
        for key in tree:
            if key not in keys:
                where = f"{place}.{key}" if place else str(key)
                if where in _RENAMED:
                    raise DistortionGraphError(
                        f"{self.source(where)}: {where} is called {_RENAMED[where]} now; rename it"
                    )
                near = get_close_matches(str(key), keys, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise DistortionGraphError(
                    f"{self.source(where)}: unknown key {where!r}, expected only "
                    f"{', '.join(keys)}{hint}"
                )

    def source(self, place: str) -> str:
        """The option that set this place, or the file."""
        for override in reversed(self.overrides):
            if (override.key + ".").startswith(place + ".") or (place + ".").startswith(
                override.key + "."
            ):
                return override.option
        return self.file

    def refusing(self, place: str) -> Any:
        """Calls something, and puts the file or option in front of what it refuses."""

        def call(function: Any, *arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except DistortionGraphError as problem:
                text = str(problem).removeprefix("training: ")
                if text.startswith("every_"):  # which interval it is, only its place tells
                    text = f"{place}.{text}"
                where = self.source(text.split(" ", 1)[0])
                raise type(problem)(f"{where}: {text}") from problem

        return call


def _as_started_from(tree: Mapping[str, Any], chosen: Architecture) -> dict[str, Any]:
    """The settings of the network that a tree's run starts from; none of one that does not fit,
    which is refused when it is loaded.
    """
    start = tree.get("start_from")
    if not isinstance(start, str) or tree.get("start_partly"):
        return {}
    try:
        folder = network_folder(Path(start))
        facts = read_facts(folder) if architecture_in(folder).name == chosen.name else {}
    except DistortionGraphError:
        return {}
    names = {field.name for field in dataclasses.fields(chosen.config)} - {"vocabulary"}
    return {name: facts[name] for name in facts if name in names - set(chosen.derived)}


def _replace(tree: dict[str, Any], override: Override) -> None:
    *parents, last = override.key.split(".")
    for name in parents:
        inner = tree.get(name)
        if not isinstance(inner, dict):
            inner = tree[name] = {}
        tree = inner
    tree[last] = override.value


def _plain(value: Any) -> Any:
    if isinstance(value, Vocabulary):
        default = value == DEFAULT_VOCABULARY and value.words is None
        return None if default else value.model_dump(mode="json")
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
