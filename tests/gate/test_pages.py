"""What docs/gate.md, the GitHub Action and the pre-commit hook say is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.cli.main import command_line
from distortion_graph.gate.policy import Policy, Rules
from distortion_graph.gate.policy_files import policy_of

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "gate.md").read_text("utf-8")
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))


def options(command: str) -> set[str]:
    """The long options of a command."""
    group: Any = typer.main.get_command(command_line())
    return {name for option in group.commands[command].params for name in option.opts}


def test_the_policies_of_the_page_are_policies():
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    trees = [yaml.safe_load(block) for block in blocks]
    policies = [tree for tree in trees if isinstance(tree, dict) and "differs" in tree]
    assert len(policies) == 2
    for tree in policies:
        policy_of(tree).check_labels(DEFAULT_VOCABULARY)
    whole = policy_of(policies[0])
    assert whole.model_fields_set == set(Policy.model_fields)
    assert whole.rules_of("thumbnails/a.png").differs is None


def keys(model: type[BaseModel], before: str = "") -> set[str]:
    """Dotted keys of a policy's parts, two deep."""
    found = set()
    for name, field in model.model_fields.items():
        inner = [t for t in getattr(field.annotation, "__args__", (field.annotation,))]
        parts = [t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)]
        if parts and not before and parts[0] is not Rules:
            found |= keys(parts[0], f"{name}.")
        else:
            found.add(f"{before}{name}")
    return found


def test_every_key_stands_in_the_page():
    table = PAGE.partition("| key |")[2].partition("\n\n")[0]
    for key in keys(Policy):
        section, _, name = key.partition(".")
        lines = [line for line in table.splitlines() if f"`{section}" in line.split("|")[1]]
        places = {"boxes", "masks", "regions"} if section == "ignore" else set()
        assert lines and (name in places or any(f"{name}`" in line for line in lines)), key


@pytest.mark.parametrize("file", ["action.yml", ".pre-commit-hooks.yaml", "docs/gate.md"])
def test_options_that_are_named_exist(file):
    text = (REPOSITORY / file).read_text("utf-8")
    known = options("check") | options("compare") | {"--quiet", "--distortion-graph-out"}
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*(?![\w=]*/)", text))
    used -= {"--quiet"}
    assert used and used <= known, used - known


def test_the_action_hands_inputs_over_as_variables_and_never_as_text_of_a_command():
    steps = ACTION["runs"]["steps"]
    assert ACTION["runs"]["using"] == "composite"
    for step in steps:
        assert "${{" not in step.get("run", "")
    used = {name for step in steps for name in re.findall(r"inputs\.([\w-]+)", str(step))}
    used |= set(re.findall(r"inputs\.([\w-]+)", str(ACTION["outputs"])))
    assert used == set(ACTION["inputs"])


def test_the_hook_is_the_command():
    (hook,) = HOOKS
    assert {"id", "name", "entry", "language"} <= hook.keys()
    assert hook["entry"] == "distortion-graph check"
    assert {word for word in hook["args"] if word.startswith("--")} <= options("check")
