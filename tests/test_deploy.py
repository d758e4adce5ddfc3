"""What the Dockerfile and the unit of systemd name is there, and they agree with the command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement

from distortion_graph.cli.main import command_line
from distortion_graph.serve.http.app import FREE

REPOSITORY = Path(__file__).parents[1]
DEPLOY = REPOSITORY / "deploy"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
PAGE = (REPOSITORY / "docs/service.md").read_text("utf-8")
UNIT = (DEPLOY / "distortion-graph.service").read_text("utf-8")

STEPS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n|^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.M).split(
        "\n"
    )
    if line.strip()
]


def steps(instruction: str) -> list[str]:
    return [text for name, text in STEPS if name == instruction]


def listed(instruction: str) -> list[str]:
    (text,) = steps(instruction)
    words: list[str] = json.loads(text)
    return words


def served(words: list[str]) -> dict[str, Any]:
    """The options of these words after the program's name, as the command takes them."""
    commands: Any = typer.main.get_command(command_line())
    assert words[0] == "serve"
    options: dict[str, Any] = commands.commands["serve"].make_context("serve", words[1:]).params
    return options


def test_what_is_copied_is_there_and_let_through() -> None:
    ignored, *kept = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert ignored == "*"
    sent = {name.removeprefix("!") for name in kept}
    copied: set[str] = set()
    for text in steps("COPY"):
        if not text.startswith("--from"):
            copied |= set(text.split()[:-1])
    assert copied == sent
    assert all((REPOSITORY / name).exists() for name in copied)
    # The package is built of them alone.
    project = PROJECT["project"]
    assert {project["readme"], *project["license-files"], "pyproject.toml", "src"} <= copied


def test_the_extras_exist_and_have_what_the_routes_need() -> None:
    (installed,) = (text for text in steps("RUN") if "pip install" in text)
    assert "--constraint constraints.txt" in installed
    named = re.search(r"'\.\[([\w,]+)\]'", installed)
    assert named
    extras = named[1].split(",")
    assert "serve" in extras and set(extras) <= EXTRAS.keys()
    # /v1/rank ranks by file size too.
    of = {name: {Requirement(text).name for text in EXTRAS[name]} for name in ("serve", "rank")}
    assert of["rank"] <= of["serve"]


def test_both_stages_have_one_python_that_the_package_names() -> None:
    images = {text.split(" AS ")[0] for text in steps("FROM")}
    (image,) = images
    version = re.match(r"python:(3\.\d+)-slim", image)
    assert version
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["project"]["classifiers"]


def test_the_image_starts_the_command_and_asks_for_its_health() -> None:
    entry, more = listed("ENTRYPOINT"), listed("CMD")
    assert entry[0] in PROJECT["project"]["scripts"]
    options = served([*entry[1:], *more])
    assert options["host"] == "0.0.0.0" and not options["open_to_all"]
    (port,) = steps("EXPOSE")
    assert options["port"] == int(port)
    (health,) = steps("HEALTHCHECK")
    found = re.search(r"127\.0\.0\.1:(\d+)(/\w+)", health)
    assert found and found[1] == port and found[2] in FREE
    (user,) = steps("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert str(options["tokens"]) in PAGE


def test_the_unit_starts_the_command_that_the_page_installs() -> None:
    started = re.search(r"^ExecStart=(.+)$", UNIT, re.M)
    stops = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)
    assert started and stops
    program, *words = shlex.split(started[1])
    folder = Path(program).parents[1]
    assert f"python3 -m venv {folder}\n" in PAGE and f"{folder}/bin/pip install" in PAGE
    assert served(words)["grace"] < int(stops[1])
    assert f"--stop-timeout {stops[1]}" in PAGE
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in UNIT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "distortion-graph.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT, flags=re.M))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
