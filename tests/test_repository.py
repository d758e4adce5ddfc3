"""What a maintainer relies on: the owner in one set of files, workflows that run what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from scripts import loaded

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
RECIPES = [*WORKFLOWS, REPOSITORY / "action.yml"]
SPEAK_OF_IT = {
    "tools/owner.py",
    "tools/release.py",
    "tests/test_release.py",
    "tests/test_repository.py",
}
MAINTAINERS = {"dev", "docs", "nightly"}
"""Extras that nobody needs who only uses the package."""


@pytest.fixture(scope="module")
def owner() -> ModuleType:
    return loaded(REPOSITORY / "tools" / "owner.py")


def test_the_owner_is_named_in_the_listed_files_and_nowhere_else(owner: ModuleType) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no repository here")
    found = {
        name
        for name in done.stdout.split("\0")
        if (REPOSITORY / name).is_file() and b"OWNER/" in (REPOSITORY / name).read_bytes()
    }
    assert found - SPEAK_OF_IT == set(owner.FILES)
    for name in owner.FILES:
        text = (REPOSITORY / name).read_text("utf-8")
        assert len(re.findall(r"\bOWNER\b", text)) == text.count(owner.PLACEHOLDER), name


def test_one_command_sets_the_owner_once(
    owner: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in owner.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    assert owner.main(["not/a-name"], tmp_path) == 2
    assert owner.main(["octocat"], tmp_path) == 0
    for name in owner.FILES:
        before, after = ((root / name).read_text("utf-8") for root in (REPOSITORY, tmp_path))
        assert after == before.replace("OWNER/", "octocat/") != before
    changed = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    assert changed["urls"]["Source"] == "https://github.com/octocat/distortion-graph"
    capsys.readouterr()
    assert owner.main(["hubot"], tmp_path) == 2
    assert capsys.readouterr().err.endswith("has an owner already\n")


def steps(recipe: Path) -> list[dict[str, Any]]:
    """Every step of a workflow or an action."""
    value = yaml.safe_load(recipe.read_text("utf-8"))
    if "runs" in value:
        return list(value["runs"]["steps"])
    return [step for job in value["jobs"].values() for step in job["steps"]]


def test_the_matrix_is_every_python_that_the_package_names_on_three_systems() -> None:
    job = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    matrix = job["test"]["strategy"]["matrix"]
    classifiers = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    assert matrix["python-version"] == classifiers
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert f">={matrix['python-version'][0]}" == PROJECT["requires-python"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit(recipe: Path) -> None:
    used = [step["uses"] for step in steps(recipe) if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", name)] == []


@pytest.mark.parametrize("recipe", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_and_extras_that_are_there(recipe: Path) -> None:
    value = yaml.safe_load(recipe.read_text("utf-8"))
    assert value["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 350 for job in value["jobs"].values())
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    runs = [step["run"] for step in steps(recipe) if "run" in step]
    called = [name for run in runs for name in re.findall(r"\bmake ([a-z-]+)", run)]
    assert set(called) <= targets
    extras = [name for run in runs for name in re.findall(r'"\.\[([\w,-]+)\]"', run)]
    assert {name for text in extras for name in text.split(",")} <= set(
        PROJECT["optional-dependencies"]
    )
    assert called or extras


def matches(glob: str, file: str) -> bool:
    """As GitHub reads it: one star stays within a folder."""
    pattern = re.escape(glob).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.fullmatch(pattern, file) is not None


def test_changes_of_whatever_the_site_is_made_from_build_the_site() -> None:
    value = yaml.safe_load((REPOSITORY / ".github/workflows/docs.yml").read_text("utf-8"))
    watched = value[True]["pull_request"]["paths"]  # YAML 1.1 reads `on` as true
    stage = (REPOSITORY / "tools/docs_site/stage.py").read_text("utf-8")
    pages = re.findall(r'^    "([\w/.]+\.md)": "', stage, re.MULTILINE)
    assert len(pages) == 5
    for file in (*pages, "zensical.toml", "docs/a", "tools/docs_site/a", "src/a", "Makefile"):
        assert any(matches(glob, file) for glob in watched), file


def test_the_install_page_has_every_extra_and_alone_says_how_to_install_them() -> None:
    page = (REPOSITORY / "docs/learn/install.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ", page, re.MULTILINE)
    assert sorted(rows) == sorted(set(PROJECT["optional-dependencies"]) - MAINTAINERS)
    others = [path for path in (REPOSITORY / "docs").rglob("*.md") if path.name != "install.md"]
    others += [REPOSITORY / "README.md", REPOSITORY / "tools/docs_site/pages/index.md"]
    # Nothing is on PyPI: by its bare name pip finds the package only where it is installed.
    bare = re.compile(r"pip install (-\S+ )*['\"]?distortion-graph(\[[\w,]+\])?['\"]?\s*$", re.M)
    assert [path.name for path in others if bare.search(path.read_text("utf-8"))] == []
