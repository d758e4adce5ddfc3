"""How often models run their encoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from distortion_graph.predict.loading import Networks
from distortion_graph.predict.names import ENCODER_FILE


class _Counted:
    """A session that counts its runs."""

    def __init__(self, session, runs: list[None]) -> None:
        self._session, self._runs = session, runs

    def run(self, *arguments):
        self._runs.append(None)
        return self._session.run(*arguments)


@contextmanager
def encoder_runs() -> Iterator[list[None]]:
    """A list that grows by an entry with each run of an encoder."""
    runs: list[None] = []
    session = Networks.session

    def counted(self, name, threads):
        found = session(self, name, threads)
        return _Counted(found, runs) if name == ENCODER_FILE else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Networks, "session", counted)
        yield runs
