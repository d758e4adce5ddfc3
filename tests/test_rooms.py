"""What follows at run time from the list of imports (`test_architecture.py`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import distortion_graph

ROOT = Path(distortion_graph.__file__).parent
TORCH_ROOMS = {"model", "training"}


def test_every_module_outside_the_torch_rooms_can_be_imported_without_torch() -> None:
    modules = sorted(
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0] not in TORCH_ROOMS and path.stem != "__main__"
    )
    assert len(modules) > 50
    program = (
        "import sys, importlib\n"
        "sys.modules['torch'] = None\n"  # importing it now fails, as where it is not installed
        f"for name in {modules}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
