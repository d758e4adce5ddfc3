"""What `make test-oldest` makes sure of before it runs a test."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripts import loaded


@pytest.fixture(scope="module")
def oldest() -> ModuleType:
    return loaded(Path(__file__).parent.parent / "tools" / "oldest.py")


def project(**extras: list[str]) -> dict[str, Any]:
    return {
        "dependencies": ["numpy>=1.26", "svg.path>=7.0"],
        "optional-dependencies": {"train": ["torch>=2.6", "safetensors>=0.8"]} | extras,
    }


FOUND = {"numpy": "1.26.0", "svg-path": "7.0", "torch": "2.13.0+cpu", "safetensors": "0.8.0"}


def test_bounds_that_are_installed_are_fine_and_torch_is_exempt(oldest: ModuleType) -> None:
    assert oldest.lifted_bounds(project(), FOUND) == []


@pytest.mark.parametrize("there", ["1.27.0", "1.2.6", "2.0"])
def test_a_bound_that_something_lifts_is_told(oldest: ModuleType, there: str) -> None:
    (line,) = oldest.lifted_bounds(project(), FOUND | {"numpy": there})
    assert line == (
        f"pyproject.toml: numpy>=1.26: {there} is installed, for something else asks for it; "
        f"raise the bound to {there}"
    )


def test_tools_of_developers_may_be_any(oldest: ModuleType) -> None:
    assert oldest.lifted_bounds(project(dev=["ruff>=0.9"], nightly=["moto>=5"]), FOUND) == []
    assert len(oldest.lifted_bounds(project(serve=["fastapi>=0.165"]), FOUND)) == 1
