"""Nothing reaches the network unless a name that the user gives says so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
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


_HOOK = """
import os, sys
def told(event, arguments):
    # Addresses of this machine's own sockets are texts.
    if event in ("socket.getaddrinfo", "socket.gethostbyname") or (
        event in ("socket.connect", "socket.sendto") and not isinstance(arguments[1], (str, bytes))
    ):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{event} {arguments[-1]}\\n")
        raise OSError("no network in this test")
sys.addaudithook(told)
with open(os.environ["WATCHED"], "a") as file:
    file.write(f"{os.getpid()}\\n")
"""


@pytest.mark.parametrize("name", ["batch", "dataset build"])
def test_no_worker_process_looks_up_a_name_or_connects(
    name: str, inputs: Path, tmp_path: Path
) -> None:
    """The interpreter itself tells of it, in every process that is started."""
    (tmp_path / "sitecustomize.py").write_text(_HOOK)
    asked, watched = tmp_path / "asked", tmp_path / "watched"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "ASKED": str(asked), "WATCHED": str(watched)}
    words = COMMANDS[name].replace("--workers 0", "--workers 2").replace("OUT", str(tmp_path))
    command = [sys.executable, "-m", "distortion_graph", *words.split()]
    subprocess.run(command, cwd=inputs, env=environment, check=True)
    assert len(watched.read_text().split()) >= 3  # the command and its workers
    assert not asked.exists()
    program = "import socket; socket.create_connection(('127.0.0.1', 1))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert done.returncode == 1 and "socket.getaddrinfo" in asked.read_text()
