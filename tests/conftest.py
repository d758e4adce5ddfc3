"""What every test can rely on."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# With a process of tests per core, threads of PyTorch would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts what runs in its background with interrupts ignored, and so would every process
# that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The machine may be busy: no time limits, and forty examples unless a test says fewer.
settings.register_profile(
    "suite", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow modules come first, so that no process of tests is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
