"""Loading a script that is no part of the package, such as a benchmark or a tool."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from optional import present


def loaded(path: Path) -> ModuleType:
    """The script as a module under its own name, where its dataclasses look for their names."""
    spec = present(importlib.util.spec_from_file_location(path.stem, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    present(spec.loader).exec_module(module)
    return module
