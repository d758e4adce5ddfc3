"""What the package asks for, what it must never bring along, and what its files promise."""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

# They drag in gigabytes of GPU libraries, or bring terms that the core must not have.
FORBIDDEN = re.compile(r"torchvision|torchaudio|timm|piq|pyiqa|lpips|triton|nvidia.*|cuda.*")


def closure(*extras: str) -> set[str]:
    """Names of every package that installing this one with these extras asks for.

    torch is named but not looked into: which GPU libraries it brings is its build's business. The
    test skips where one of them is not installed.
    """
    names: set[str] = set()
    todo = [("distortion-graph", ("", *extras))]
    while todo:
        package, wanted = todo.pop()
        try:
            lines = requires(package) or []
        except PackageNotFoundError as missing:
            pytest.skip(f"{missing} is not installed: run `make test`, which installs every extra")
        for text in lines:
            requirement = Requirement(text)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in wanted):
                continue
            name = canonicalize_name(requirement.name)
            if name not in names:
                names.add(name)
                if name != "torch":
                    todo.append((name, ("", *requirement.extras)))
    return names


def pins() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pinned for name, pinned in pairs}


def test_the_core_asks_for_no_torch() -> None:
    names = closure()
    assert {"numpy", "onnxruntime", "opencv-python-headless"} <= names
    assert "torch" not in names


@pytest.mark.parametrize("extras", [(), ("train",), ("segment",), ("train", "segment", "dev")])
def test_nothing_brings_torchvision_or_gpu_libraries(extras: tuple[str, ...]) -> None:
    assert [name for name in closure(*extras) if FORBIDDEN.fullmatch(name)] == []


def test_every_package_of_make_test_is_pinned_within_its_range() -> None:
    pinned = pins()
    assert closure("train", "segment", "dev") - set(pinned) == set()
    extras = PROJECT["optional-dependencies"]
    wanted = [*extras["train"], *extras["segment"], *extras["dev"]]
    for text in (*PROJECT["dependencies"], *wanted):
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), text


@cache
def imported() -> dict[str, str]:
    """Top-level names of other packages that the code imports anywhere, and a file that does."""
    found: dict[str, str] = {}
    for path in sorted((REPOSITORY / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                found.setdefault(name.partition(".")[0], path.name)
    own = {"distortion_graph", *sys.stdlib_module_names}
    return {name: file for name, file in found.items() if name not in own}


def test_every_package_that_is_imported_is_asked_for() -> None:
    extras = PROJECT["optional-dependencies"]
    users = [text for name, texts in extras.items() if name != "dev" for text in texts]
    asked = {Requirement(text).name for text in (*PROJECT["dependencies"], *users)}
    asked = {canonicalize_name(name) for name in asked}
    distributions = packages_distributions()
    assert {"numpy", "scipy", "torch"} <= imported().keys()
    for name, file in imported().items():
        # Where it is not installed, its distribution mostly has the same name.
        named = {canonicalize_name(found) for found in distributions.get(name, [name])}
        assert named & asked, f"{file} imports {name}, which pyproject.toml does not ask for"


def test_dependencies_have_a_lower_bound_and_no_upper_one() -> None:
    for text in PROJECT["dependencies"]:
        assert [s.operator for s in Requirement(text).specifier] == [">="], text


def test_the_version_is_the_same_everywhere_and_in_the_changelog() -> None:
    assert version("distortion-graph") == PROJECT["version"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    first, *released = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert first == "Unreleased"
    assert all(Version(a) > Version(b) for a, b in pairwise(released))
    assert not released or Version(released[0]) == Version(PROJECT["version"])
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert cited["version"] == PROJECT["version"]


def test_the_license_is_the_whole_apache_2_0_text() -> None:
    text = (REPOSITORY / "LICENSE").read_bytes()
    assert (
        hashlib.sha256(text).hexdigest()
        == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    )


def test_the_package_says_that_it_is_typed() -> None:
    assert (REPOSITORY / "src/distortion_graph/py.typed").is_file()


def test_every_make_target_of_the_pages_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    workflows = [
        f".github/workflows/{p.name}" for p in (REPOSITORY / ".github/workflows").iterdir()
    ]
    for page in ("README.md", "CONTRIBUTING.md", ".ci/run", *workflows):
        text = (REPOSITORY / page).read_text()
        used = set(re.findall(r"(?:^\s*|`|run: )make ([a-z][a-z-]+)", text, re.MULTILINE))
        assert used and used <= targets, page


ACTION = re.compile(r"uses: *(\S+)(.*)")


@pytest.mark.parametrize(
    "file", ["action.yml", *sorted(p.name for p in (REPOSITORY / ".github/workflows").iterdir())]
)
def test_every_action_is_pinned_to_a_commit_that_says_its_version(file: str) -> None:
    folder = REPOSITORY if file == "action.yml" else REPOSITORY / ".github/workflows"
    used = ACTION.findall((folder / file).read_text())
    assert used
    for action, rest in used:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), action


def test_the_workflows_test_every_python_that_the_package_names_on_three_systems() -> None:
    matrix = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())
    matrix = matrix["jobs"]["test"]["strategy"]["matrix"]
    named = [re.fullmatch(r".* :: (3\.\d+)", text) for text in PROJECT["classifiers"]]
    assert matrix["python-version"] == [match[1] for match in named if match]
    assert [os.partition("-")[0] for os in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert PROJECT["requires-python"] == f">={matrix['python-version'][0]}"


def test_pre_commit_has_the_versions_of_the_constraints() -> None:
    text = (REPOSITORY / ".pre-commit-config.yaml").read_text()
    used = [name.split("==") for name in re.findall(r"ruff==[\d.]+", text)]
    assert used and {version for _, version in used} == {pins()["ruff"]}
