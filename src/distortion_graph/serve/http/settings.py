"""How a service is set up, and what it takes at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from distortion_graph.serve.access import Rules

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a client may ask for at most; beyond it is a refusal that says so.

    Attributes:
        bytes_per_request: of a comparison or a ranking, all files of it together.
        bytes_per_job: likewise of a job.
        pixels: of one picture.
        regions: of one pair.
        candidates: of one ranking.
        pairs: of one job.
        seconds: that one comparison or ranking may take.
        upload_seconds: in which a request has to be there.
        waiting: requests that may wait for a worker.
        requests: that may be under way at once, whatever they do.
        jobs: that may be unfinished at once.
        keep_seconds: for which the results of a finished job are kept.
    """

    bytes_per_request: int = 64 * MIB
    bytes_per_job: int = 512 * MIB
    pixels: int = 25_000_000
    regions: int = 500
    candidates: int = 16
    pairs: int = 200
    seconds: float = 60.0
    upload_seconds: float = 30.0
    waiting: int = 1
    requests: int = 200
    jobs: int = 4
    keep_seconds: float = 3600.0


@dataclass(frozen=True)
class Working:
    """What worker processes know: the model (the shipped one where None), and the limits."""

    model: str | Path | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Settings:
    """A service: its model and limits, who may ask, its processes.

    `workers` processes of `threads_each` threads do all the work.
    """

    model: str | Path | None = None
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    workers: int = 1
    threads_each: int = 1
