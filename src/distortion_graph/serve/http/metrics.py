"""What the service counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from distortion_graph.serve.http.pool import Pool

PREFIX = "distortion_graph_"
_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self, pool: Pool) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            PREFIX + "requests",
            "Requests by path, method and status.",
            ("path", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            PREFIX + "request_seconds",
            "From the first byte of a request to the last one of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.received = Counter(
            PREFIX + "received_bytes", "Bytes of requests' bodies.", registry=self.registry
        )
        self.work_seconds = Histogram(
            PREFIX + "work_seconds",
            "That a worker took for a comparison or a ranking.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pixels = Counter(PREFIX + "pixels", "Pixels looked at.", registry=self.registry)
        self.regions = Counter(PREFIX + "regions", "Regions looked at.", registry=self.registry)
        self.problems = Counter(
            PREFIX + "problems", "Requests refused, by the kind.", ("kind",), registry=self.registry
        )
        self.under_way = 0
        self.jobs: Iterable[str] = ()
        self._pool = pool
        self.registry.register(_Now(self))
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """All of it in the text format."""
        return generate_latest(self.registry)

    def now(self) -> Iterator[Metric]:
        """What is so at this moment."""
        yield _gauge("requests_under_way", "Requests that are not answered yet.", self.under_way)
        yield _gauge("calls_waiting", "Requests that wait for a worker.", self._pool.waiting)
        yield _gauge("workers", "Worker processes.", self._pool.workers)
        yield _gauge("workers_busy", "Workers that do something.", self._pool.running)
        yield _gauge("workers_lost", "Workers that ended by themselves so far.", self._pool.lost)
        info = GaugeMetricFamily(PREFIX + "info", "The program.", labels=["version"])
        info.add_metric([version("distortion-graph")], 1)
        yield info


class _Now:
    """A collector of what `Metrics.now` says."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """As the registry calls it."""
        return self._metrics.now()


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, words, value=value)
