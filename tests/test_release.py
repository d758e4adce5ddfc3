"""When a release is refused, what it would change, and what its files must hold."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest
from scripts import loaded

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- `compare`.
"""
TRACKED = ["src/distortion_graph/__init__.py", "tests/test_a.py", "docs/a.md", "README.md"]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    return loaded(Path(__file__).parent.parent / "tools" / "release.py")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (tmp_path / "CITATION.cff").write_text("version: 0.1.0\ndate-released: 2026-01-01\n")
    (tmp_path / "docs/gate.md").write_text("uses: OWNER/distortion-graph@v0.1.0\n  rev: v0.1.0\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    return tmp_path


def test_a_release_sets_version_and_date_everywhere(release: ModuleType, repository: Path) -> None:
    made = release.plan(repository, "1.0.0", "2026-12-01")
    assert made.tag == "v1.0.0" and made.notes == "### Added\n\n- `compare`."
    release.write(repository, made)
    assert (repository / "CHANGELOG.md").read_text() == CHANGELOG.replace(
        "## [Unreleased]", "## [Unreleased]\n\n## [1.0.0] - 2026-12-01"
    )
    assert 'version = "1.0.0"' in (repository / "pyproject.toml").read_text()
    cited = (repository / "CITATION.cff").read_text()
    assert cited == "version: 1.0.0\ndate-released: 2026-12-01\n"
    shown = (repository / "docs/gate.md").read_text()
    assert shown == "uses: OWNER/distortion-graph@v1.0.0\n  rev: v1.0.0\n"


def test_planning_changes_nothing(release: ModuleType, repository: Path) -> None:
    release.plan(repository, "1.0.0", "2026-12-01")
    assert (repository / "CHANGELOG.md").read_text() == CHANGELOG
    done = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True)
    assert done.stdout == b""


def refusal(release: ModuleType, repository: Path, version: str = "1.0.0") -> str:
    with pytest.raises(release.ReleaseError) as caught:
        release.plan(repository, version, "2026-12-01")
    return str(caught.value)


def test_uncommitted_changes_are_refused(release: ModuleType, repository: Path) -> None:
    (repository / "new.txt").write_text("")
    assert refusal(release, repository) == (
        "uncommitted changes, commit or stash them first: new.txt"
    )


def test_a_tag_that_is_there_and_a_lower_version_are_refused(
    release: ModuleType, repository: Path
) -> None:
    git(repository, "tag", "v1.0.0")
    assert refusal(release, repository).startswith("the tag v1.0.0 is there already")
    assert refusal(release, repository, "0.9.1").startswith(
        "version 0.9.1: expected one above 1.0.0"
    )
    assert release.plan(repository, "1.0.1", "2026-12-01").tag == "v1.0.1"


@pytest.mark.parametrize(
    "section", ["", "## [Unreleased]\n\n### Added\n\n## [0.9.0] - 2025\n\n- a\n"]
)
def test_an_empty_changelog_is_refused(release: ModuleType, repository: Path, section: str) -> None:
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{section}")
    git(repository, "commit", "--quiet", "--all", "-m", "two")
    assert refusal(release, repository) == (
        'CHANGELOG.md: expected changes below "## [Unreleased]", found none'
    )


@pytest.mark.parametrize("version", ["one", "1.0.0.dev1", "v1.0.0", "1.0.0+local", "01.0"])
def test_what_is_no_version_of_a_release_is_refused(
    release: ModuleType, repository: Path, version: str
) -> None:
    assert "version" in refusal(release, repository, version)


def test_a_file_without_its_version_is_refused(release: ModuleType, repository: Path) -> None:
    (repository / "CITATION.cff").write_text("title: a\n")
    git(repository, "commit", "--quiet", "--all", "-m", "two")
    assert refusal(release, repository).startswith("CITATION.cff: found nothing like")


def test_a_wheel_has_what_git_tracks_and_nothing_else(release: ModuleType, tmp_path: Path) -> None:
    def faults(*names: str) -> list[str]:
        wheel = tmp_path / "a.whl"
        with ZipFile(wheel, "w") as archive:
            for name in names:
                archive.writestr(name, "")
        found: list[str] = release.wheel_faults(wheel, TRACKED)
        return found

    license = "distortion_graph-1.0.0.dist-info/licenses/LICENSE"
    assert faults("distortion_graph/__init__.py", license) == []
    assert faults(license) == ["a.whl lacks distortion_graph/__init__.py"]
    assert faults("distortion_graph/__init__.py", "tests/test_a.py") == [
        "a.whl has tests/test_a.py too",
        "a.whl lacks LICENSE",
    ]


def test_an_sdist_has_package_tests_and_pages_and_nothing_foreign(
    release: ModuleType, tmp_path: Path
) -> None:
    sdist = tmp_path / "a.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in (*TRACKED[:2], "PKG-INFO", "shared/private.txt", ".venv/bin/python"):
            archive.addfile(tarfile.TarInfo(f"a-1.0.0/{name}"), io.BytesIO())
    assert release.sdist_faults(sdist, TRACKED) == [
        "a.tar.gz lacks docs/a.md",
        "a.tar.gz has .venv/bin/python too",
        "a.tar.gz has shared/private.txt too",
    ]
