"""Nothing reaches the network unless a name that the user gives says so."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fault_samples import COMMANDS, call, make_inputs

pytest.importorskip("yaml", reason="needs the check extra")
pytest.importorskip("pyarrow", reason="needs the batch extra")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_looks_up_a_name_or_connects(
    name: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def refuse(*arguments: Any, **more: Any) -> NoReturn:
        asked.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.chdir(inputs)
    for owner, function in (
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket.socket, "sendto"),
        (socket, "getaddrinfo"),
        (socket, "gethostbyname"),
    ):
        monkeypatch.setattr(owner, function, refuse)
    assert call(name, tmp_path) in (0, 3)
    assert asked == []
