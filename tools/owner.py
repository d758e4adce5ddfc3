"""Put the account that publishes the repository in place of OWNER, in every file that names it.

    python tools/owner.py octocat

Commit what it changes. `FILES` is all of them: the test of this tool finds any other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PLACEHOLDER = "OWNER/distortion-graph"
FILES = (
    ".github/ISSUE_TEMPLATE/config.yml",
    "CITATION.cff",
    "docs/gate.md",
    "docs/learn/gate.md",
    "docs/learn/install.md",
    "pyproject.toml",
)
# What GitHub allows as the name of an account.
_NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}")


def main(arguments: Sequence[str], repository: Path = REPOSITORY) -> int:
    """Set the owner, or say in one line why not."""
    if len(arguments) != 1 or not _NAME.fullmatch(arguments[0]):
        print(f"owner: expected the name of one account, found {arguments!r}", file=sys.stderr)
        return 2
    texts = {name: (repository / name).read_text("utf-8") for name in FILES}
    if set_already := [name for name, text in texts.items() if PLACEHOLDER not in text]:
        print(f"owner: {set_already[0]} has an owner already", file=sys.stderr)
        return 2
    for name, text in texts.items():
        new = text.replace(PLACEHOLDER, f"{arguments[0]}/distortion-graph")
        (repository / name).write_text(new, "utf-8", newline="\n")
        print(f"{name}: {text.count(PLACEHOLDER)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
