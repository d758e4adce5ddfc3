"""Pictures of a Git repository against what was committed of them, as a pre-commit hook does it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="needs Git"),
]

POLICY = "differs: {share: 0}\nfolders: {'now/soft/*': {differs: null}}\n"


def git(*arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def test_changed_pictures_are_held_against_the_revision_and_new_ones_left_out(folders, check):
    changed = Path("now/patch.png").read_bytes()
    Path("now/patch.png").write_bytes(Path("accepted/patch.png").read_bytes())
    Path("now/ö ü.png").write_bytes(Path("now/same.png").read_bytes())
    git("init", "-q", ".")
    git("add", ".")
    git("commit", "-qm", "accepted")
    files = ["now/patch.png", "now/same.png", "now/ö ü.png"]
    assert check(POLICY, "--against", "HEAD", paths=files)[0] == 0
    Path("now/patch.png").write_bytes(changed)
    Path("now/new.png").write_bytes(changed)
    code, out, err = check(POLICY, "--against", "HEAD", "-v", paths=[*files, "now/new.png"])
    assert code == 3 and "now/patch.png: 600 pixels" in out
    assert "3 pairs: 1 break the policy" in out
    assert "not in HEAD: 1 picture: now/new.png" in err
    code, out, _ = check(POLICY, "--against", "HEAD", paths=["now/new.png"])
    assert (code, out) == (0, "no picture to compare\n")


def test_an_unknown_revision_and_a_place_without_repository_are_one_line(folders, check):
    code, _, err = check(POLICY, "--against", "HEAD", paths=["now/same.png"])
    assert code == 2 and "not a git repository" in err and err.count("\n") == 1
    git("init", "-q", ".")
    code, _, err = check(POLICY, "--against", "v9", paths=["now/same.png"])
    assert code == 2 and "--against v9" in err and err.count("\n") == 1
    code, _, err = check(POLICY, "--against", "HEAD", "--manifest", "x.csv", paths=["now/same.png"])
    assert code == 2 and "neither --manifest nor --reference" in err
