"""Run the tests with the oldest versions that pyproject.toml allows.

    python tools/oldest.py                       # every test
    python tools/oldest.py tests/graph -k swap   # arguments go to pytest

A fresh environment, `.venv-oldest`, gets the lower bound of everything that the core and its extras
ask for, resolved by uv, and then what the tests need beside it. A bound that something else in the
environment lifts is an error: nobody has tried it, so it must be raised.

Left out: torch, which comes as constraints.txt has it (old builds are not kept for every Python);
Ray; and two test tools that themselves ask for newer packages, schemathesis and trl. Their tests
skip. UV_TORCH_BACKEND=cpu takes torch's build for the CPU.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
NOT_USERS = {"dev", "nightly", "ray"}
"""Extras that users do not install, and the one too large for this."""
EXEMPT = {"torch"}
TEST_TOOLS = (
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "jsonschema",
    "httpx2",
    "scikit-image",
    "scikit-learn",
    "rdflib",
    "webdataset",
    "duckdb",
    "packaging",
)
UV_NAMES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""Where pip is told to look, uv looks too; it reads no settings of pip by itself."""


def main(arguments: Sequence[str]) -> int:
    """Make the environment, check it, and give pytest's exit code."""
    environment = REPOSITORY / ".venv-oldest"
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = sorted(set(project["optional-dependencies"]) - NOT_USERS)
    with tempfile.TemporaryDirectory() as scratch:
        uv = [*_uv(Path(scratch)), "--quiet"]
        shutil.rmtree(environment, ignore_errors=True)
        oldest_python = project["requires-python"].removeprefix(">=")
        _run([*uv, "venv", "--python", oldest_python, str(environment)])
        install = [*uv, "pip", "install", "--python", str(environment)]
        wanted = [f"{REPOSITORY}[{','.join(extras)}]", *_exempt_pins()]
        _run([*install, "--resolution", "lowest-direct", "--editable", *wanted])
        found = _installed(uv, environment)
        if lifted := lifted_bounds(project, found):
            print("\n".join(lifted), file=sys.stderr)
            return 1
        kept = Path(scratch) / "kept.txt"
        kept.write_text("".join(f"{name}=={version}\n" for name, version in found.items()))
        _run([*install, "--constraint", str(kept), *TEST_TOOLS])
    folder = environment / ("Scripts" if os.name == "nt" else "bin")
    return subprocess.run(
        [folder / "python", "-m", "pytest", *arguments], cwd=REPOSITORY
    ).returncode


def lifted_bounds(
    project: Mapping[str, dict[str, list[str]]], found: Mapping[str, str]
) -> list[str]:
    """A line for each requirement of users whose lower bound is not what is installed.

    Args:
        project: the table [project] of pyproject.toml.
        found: installed versions by normalised name.
    """
    lines: dict[str, None] = {}
    groups = project["optional-dependencies"]
    texts = [*project["dependencies"]]
    texts += [text for name, group in groups.items() if name not in NOT_USERS for text in group]
    for text in texts:
        requirement, _, bound = text.partition(">=")
        name = requirement.partition("[")[0].lower().replace("_", "-").replace(".", "-")
        if not bound or name in EXEMPT:
            continue
        there = found.get(name, "nothing")
        if _numbers(there)[: len(_numbers(bound))] != _numbers(bound):
            lines[
                f"pyproject.toml: {text}: {there} is installed, for something else asks for it; "
                f"raise the bound to {there}"
            ] = None
    return list(lines)


def _numbers(version: str) -> list[str]:
    return version.partition("+")[0].split(".")


def _uv(scratch: Path) -> list[str]:
    """The command of uv, which is installed into a folder of its own where it is not there."""
    for old, new in UV_NAMES.items():
        if old in os.environ:
            os.environ.setdefault(new, os.environ[old])
    if there := shutil.which("uv"):
        return [there]
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(scratch), "uv"])
    return [str(scratch / "bin" / ("uv.exe" if os.name == "nt" else "uv"))]


def _exempt_pins() -> list[str]:
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in EXEMPT]


def _installed(uv: Sequence[str], environment: Path) -> dict[str, str]:
    command = [*uv, "pip", "freeze", "--python", str(environment)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    pairs = [line.split("==") for line in done.stdout.splitlines() if "==" in line]
    return {name.lower().replace(".", "-"): version for name, version in pairs}


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=REPOSITORY)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
