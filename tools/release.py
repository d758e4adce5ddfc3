"""Make a release: version, changelog, commit, tag, and a wheel and an sdist that were tried.

    python tools/release.py 1.0.0 --dry-run   # all but the commit and the tag; files in dist/
    python tools/release.py 1.0.0

Everything is done in a clone first. Only when both files are built, checked and tried there, the
same edits are committed here as "Release 1.0.0" and tagged v1.0.0. Nothing is pushed or uploaded;
the last lines say how. Refused: uncommitted changes, a tag that is there, an empty changelog, a
version that is not above the last one.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from packaging.version import InvalidVersion, Version

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "src/distortion_graph/"
UNRELEASED = "## [Unreleased]"
LARGEST_WHEEL = 14_000_000
TWINE = "twine>=6.1"
_FOREIGN = re.compile(r"(^|/)(\.venv[^/]*|shared|runs|dist|out|__pycache__|\.git)(/|$)")


class ReleaseError(Exception):
    """Why there is no release, in one line."""


@dataclass(frozen=True)
class Plan:
    """A release: its version, its section of the changelog, and the new text of every file."""

    version: str
    notes: str
    texts: dict[str, str]

    @property
    def tag(self) -> str:
        """The tag's name."""
        return f"v{self.version}"


def plan(repository: Path, version: str, today: str) -> Plan:
    """What a release would change; raises ReleaseError where it is refused."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        raise ReleaseError(f"{version!r} is no version, expected one such as 1.0.0") from None
    if str(wanted) != version or wanted.is_devrelease or wanted.local:
        raise ReleaseError(
            f"version {version}: write it as a release, such as {wanted.base_version}"
        )
    if changed := _git(repository, "status", "--porcelain"):
        raise ReleaseError(f"uncommitted changes, commit or stash them first: {changed.split()[1]}")
    tags = _git(repository, "tag", "--list", "v*").split()
    if f"v{version}" in tags:
        raise ReleaseError(f"the tag v{version} is there already; choose a higher version")
    released = [Version(tag[1:]) for tag in tags if re.fullmatch(r"v\d[\d.a-z]*", tag)]
    if released and wanted <= max(released):
        raise ReleaseError(
            f"version {version}: expected one above {max(released)}, the last release"
        )
    text = (repository / "CHANGELOG.md").read_text("utf-8")
    notes = changes(text)
    heading = f"{UNRELEASED}\n\n## [{version}] - {today}"
    edits = {"CHANGELOG.md": text.replace(UNRELEASED, heading, 1)}
    for name, pattern, new in (
        ("pyproject.toml", r'(?m)^version = ".*"$', f'version = "{version}"'),
        ("CITATION.cff", r"(?m)^version: .*$", f"version: {version}"),
        ("CITATION.cff", r"(?m)^date-released: .*$", f"date-released: {today}"),
        ("docs/gate.md", r"(?<=/distortion-graph@v)[\w.]+", version),
        ("docs/gate.md", r"(?<=  rev: v)[\w.]+", version),
    ):
        before = edits.get(name) or (repository / name).read_text("utf-8")
        edits[name], found = re.subn(pattern, new, before)
        if not found:
            raise ReleaseError(f"{name}: found nothing like {pattern}, where the version stands")
    return Plan(version, notes, edits)


def changes(changelog: str) -> str:
    """What the changelog lists as unreleased; raises ReleaseError where that is nothing."""
    _, found, rest = changelog.partition(f"\n{UNRELEASED}\n")
    section = re.split(r"(?m)^## \[", rest)[0].strip()
    if not found or not re.search(r"(?m)^- ", section):
        raise ReleaseError(f'CHANGELOG.md: expected changes below "{UNRELEASED}", found none')
    return section


def wheel_faults(wheel: Path, tracked: Sequence[str]) -> list[str]:
    """What is wrong with the wheel: files of the package that it lacks, and others."""
    with ZipFile(wheel) as archive:
        there = {name for name in archive.namelist() if not name.endswith("/")}
    wanted = {name.removeprefix("src/") for name in tracked if name.startswith(PACKAGE)}
    described = {name for name in there if name.split("/")[0].endswith(".dist-info")}
    faults = [f"{wheel.name} lacks {name}" for name in sorted(wanted - there)]
    faults += [f"{wheel.name} has {name} too" for name in sorted(there - wanted - described)]
    if not any(name.endswith("licenses/LICENSE") for name in described):
        faults.append(f"{wheel.name} lacks LICENSE")
    if wheel.stat().st_size > LARGEST_WHEEL:
        faults.append(f"{wheel.name} has {wheel.stat().st_size} bytes, at most {LARGEST_WHEEL}")
    return faults


def sdist_faults(sdist: Path, tracked: Sequence[str]) -> list[str]:
    """What is wrong with the sdist: files of package or tests that it lacks, and foreign ones."""
    with tarfile.open(sdist) as archive:
        there = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in tracked if name.startswith((PACKAGE, "tests/", "docs/", "tools/"))}
    faults = [f"{sdist.name} lacks {name}" for name in sorted(wanted - there)]
    foreign = {name for name in there - set(tracked) - {"PKG-INFO"} if _FOREIGN.search(name)}
    return faults + [f"{sdist.name} has {name} too" for name in sorted(foreign)]


def pythons() -> list[str]:
    """The oldest Python that the package takes, and the newest one that this machine has."""
    found = []
    for minor in range(11, 30):
        path = shutil.which(f"python3.{minor}")
        if path and not subprocess.run([path, "-c", ""], capture_output=True).returncode:
            found.append(path)
    if not found:
        raise ReleaseError("no Python 3.11 or newer is on the path")
    return [found[0], found[-1]] if len(found) > 1 else found


def try_out(file: Path, python: str, scratch: Path) -> str:
    """Install a built file in an environment of its own and compare two pictures; what was said.

    It runs away from the sources, so that nothing but what was built can be imported.
    """
    programs = _environment(python, scratch / f"env-{file.suffix[1:]}-{Path(python).name}")
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", str(file)], scratch)
    _run([*pip, "check"], scratch)
    program = str(programs / "distortion-graph")
    said = _run([program, "--version"], scratch)
    examples = REPOSITORY / "examples"
    pair = [str(examples / "anchor.png"), str(examples / "target.png")]
    regions = ["--regions", str(examples / "regions.json")]
    graph = _run([program, "compare", *pair, *regions, "--json"], scratch)
    if '"distortion-graph/1"' not in graph:
        raise ReleaseError(f"{file.name} on {python}: compare gave no graph")
    return said.strip()


def build(repository: Path, made: Plan, scratch: Path) -> list[Path]:
    """The files of the release, built in a clone, checked and tried."""
    clone = scratch / "clone"
    _run(["git", "clone", "--quiet", str(repository), str(clone)], scratch)
    write(clone, made)
    dist = scratch / "dist"
    _run([sys.executable, "-m", "build", "--outdir", str(dist), str(clone)], scratch)
    tool = str(_environment(sys.executable, scratch / "tools") / "python")
    _run([tool, "-m", "pip", "install", "--quiet", TWINE], scratch)
    files = sorted(dist.iterdir())
    _run([tool, "-m", "twine", "check", "--strict", *map(str, files)], scratch)
    tracked = _git(clone, "ls-files").splitlines()
    wheel, sdist = dist.glob("*.whl"), dist.glob("*.tar.gz")
    faults = [fault for file in wheel for fault in wheel_faults(file, tracked)]
    faults += [fault for file in sdist for fault in sdist_faults(file, tracked)]
    if faults or len(files) != 2:
        raise ReleaseError("; ".join(faults[:5]) or f"expected a wheel and an sdist, got {files}")
    for file in files:
        for python in pythons() if file.suffix == ".whl" else pythons()[:1]:
            print(
                f"{file.name} on {Path(python).name}: {try_out(file, python, scratch)}", flush=True
            )
    return files


def write(repository: Path, made: Plan) -> None:
    """Write the new texts."""
    for name, text in made.texts.items():
        (repository / name).write_text(text, "utf-8", newline="\n")


def main(arguments: Sequence[str]) -> int:
    """Release, or say in one line why not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument("--dry-run", action="store_true", help="Commit and tag nothing.")
    given = parser.parse_args(arguments)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    try:
        made = plan(REPOSITORY, given.version, today)
        with tempfile.TemporaryDirectory() as scratch:
            files = build(REPOSITORY, made, Path(scratch))
            (REPOSITORY / "dist").mkdir(exist_ok=True)
            for file in files:
                print(shutil.copy(file, REPOSITORY / "dist"))
        if not given.dry_run:
            write(REPOSITORY, made)
            _git(REPOSITORY, "commit", "--quiet", "--all", "--message", f"Release {made.version}")
            message = f"Release {made.version}\n\n{made.notes}\n"
            _git(REPOSITORY, "tag", "--annotate", "--cleanup=verbatim", "-m", message, made.tag)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    if "OWNER/" in made.texts["pyproject.toml"]:
        print("before it is published: python tools/owner.py NAME-OF-THE-ACCOUNT, and commit that")
    print(
        "nothing was committed or tagged"
        if given.dry_run
        else f"next: git push --follow-tags; python -m twine upload dist/*{made.version}*"
    )
    return 0


def _environment(python: str, place: Path) -> Path:
    """A fresh environment; the folder of its programs."""
    _run([python, "-m", "venv", str(place)], place.parent)
    return place / ("Scripts" if os.name == "nt" else "bin")


def _git(repository: Path, *arguments: str) -> str:
    return _run(["git", "-C", str(repository), *arguments], repository).rstrip("\n")


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise ReleaseError(f"{' '.join(command[:4])} …: exit code {done.returncode}: {last}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
