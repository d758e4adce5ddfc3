"""The executor of actors on a Ray cluster: one that is there, or one of this machine's own.

    with RayActors(job, None, address="10.0.0.1:6379", option="--workers") as executor:
        for task, result in executor.run(work, tasks):
            ...

Ray is imported when the executor is entered.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Generic, Self, TypeVar

from distortion_graph.base.errors import WorkError
from distortion_graph.work.executor import worker_count
from distortion_graph.work.local import AHEAD_PER_WORKER, results_of
from distortion_graph.work.threads import keep_process_to

JobT = TypeVar("JobT")
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_TRIES_AGAIN = 3
"""How often an actor is started again that was lost, and its tasks are done again."""

_REACHED_S = 10.0
_COMES_UP_S = 300.0
"""How long a cluster may take to answer, and its first worker to come up."""


class RayActors(Generic[JobT]):
    """Does tasks in actors of a Ray cluster; job, tasks and results are pickled.

    Every machine of the cluster needs this package in the same version, and finds under the same
    names what tasks name: files of a shared disk, or URLs. An actor that is lost is started again
    and does its tasks again. Workers are as many as the cluster has room for when the executor is
    entered, or as many as are asked for.
    """

    def __init__(
        self,
        job: JobT,
        workers: int | None = None,
        threads_each: int = 1,
        *,
        gpus_each: float = 0,
        address: str | None = None,
        option: str = "workers",
    ) -> None:
        """Make the executor of `workers` actors; nothing is started yet.

        Args:
            job: given to each actor once.
            workers: None for as many as there is room for.
            threads_each: cores that an actor reserves, and its budget of threads.
            gpus_each: graphics cards that an actor reserves; below 1 several share one.
            address: of a cluster that runs ("host:port", "ray://host:port", "auto"); None starts
                one on this machine, of as many cores as the workers need, and stops it again.
            option: what the user sets the number of workers with, to be named in errors.
        """
        self._job, self._asked, self._threads_each = job, workers, threads_each
        self._gpus_each, self._address, self._option = gpus_each, address, option
        self._own = False
        self._actors: list[_Actor] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        """Connect or start the cluster, and wait for its first worker.

        Raises WorkError, one line, where Ray is not installed, the cluster cannot be reached or has
        no room, or its workers have another version of this package.
        """
        if find_spec("ray") is None:
            raise WorkError("Ray is not installed: pip install 'distortion-graph[ray]'")
        import ray

        if not ray.is_initialized():
            self._connect(ray)
            self._own = True
        try:
            self._start(ray, self._room(ray))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        import ray

        with self._changed:
            while any(actor.tasks for actor in self._actors):
                self._changed.wait(1)  # not for ever: Ctrl-C is to be heard
        for actor in self._actors:
            ray.kill(actor.handle)
        self._actors.clear()
        if self._own:
            ray.shutdown()
            self._own = False

    def run(
        self,
        work: Callable[[JobT, TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        ordered: bool = False,
        window: int | None = None,
    ) -> Iterator[tuple[TaskT, ResultT]]:
        """See `Executor.run`; raises WorkError where an actor was lost again and again."""
        window = len(self._actors) * (1 + AHEAD_PER_WORKER) if window is None else window
        return results_of(partial(self._submit, work), tasks, ordered, window)

    def _connect(self, ray: Any) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        logger = logging.getLogger("ray")
        level = logger.level
        try:
            logger.setLevel(logging.ERROR)
            if self._address is not None:
                _check_reachable(self._address)
                ray.init(address=self._address, **quiet)
                return
            # Nothing is reported to anyone from a cluster that the user has not set up.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            self._asked = max(1, worker_count(self._asked, self._threads_each))
            quiet |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            ray.init("local", num_cpus=self._asked * self._threads_each, **quiet)
        except WorkError:
            raise
        except Exception as error:  # Ray raises a dozen kinds
            if self._address is None:
                raise WorkError(f"Ray does not start on this machine ({_line(error)})") from error
            raise WorkError(
                f"{self._address}: no Ray cluster can be reached there ({_line(error)}); does it "
                "run, and ask for a token (RAY_AUTH_MODE=token)?"
            ) from error
        finally:
            logger.setLevel(level)

    def _room(self, ray: Any) -> int:
        """How many actors are to be started; raises WorkError where these do not fit."""
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        room = sum(
            int(
                min(
                    has.get("CPU", 0) // self._threads_each,
                    has.get("GPU", 0) // self._gpus_each if self._gpus_each else float("inf"),
                )
            )
            for has in machines
        )
        each = f"{self._threads_each} CPUs and {self._gpus_each:g} GPUs"
        if not room:
            cpus, gpus = (sum(has.get(kind, 0) for has in machines) for kind in ("CPU", "GPU"))
            raise WorkError(
                f"no machine of the Ray cluster has room for a worker of {each}: all "
                f"{len(machines)} together have {cpus:g} CPUs and {gpus:g} GPUs"
            )
        if self._asked is not None and self._asked > room:
            raise WorkError(
                f"the Ray cluster has room for {room} workers of {each}, asked for {self._asked}: "
                f"give fewer {self._option}"
            )
        return self._asked or room

    def _start(self, ray: Any, workers: int) -> None:
        kind = ray.remote(
            num_cpus=self._threads_each,
            num_gpus=self._gpus_each,
            max_restarts=_TRIES_AGAIN,
            max_task_retries=_TRIES_AGAIN,
        )(_Worker)
        for _ in range(workers):
            actor = _Actor(kind.remote(self._job, self._threads_each))
            self._actors.append(actor)
            actor.handle.version.remote().future().add_done_callback(partial(self._came_up, actor))
        with self._changed:
            self._changed.wait_for(self._any_up_or_all_lost, _COMES_UP_S)
        if any(actor.ready for actor in self._actors):
            return
        raise next((actor.failure for actor in self._actors if actor.failure), None) or WorkError(
            f"no worker came up on the Ray cluster within {_COMES_UP_S:.0f} s; is it busy with "
            "other work?"
        )

    def _any_up_or_all_lost(self) -> bool:
        return any(actor.ready for actor in self._actors) or all(a.failure for a in self._actors)

    def _came_up(self, actor: _Actor, told: Future[str]) -> None:
        failure, own = told.exception(), version("distortion-graph")
        if failure is not None:
            actor.failure = WorkError(
                f"a worker did not come up on the Ray cluster ({_line(failure)}); every machine of "
                f"it needs distortion-graph {own}"
            )
        elif told.result() != own:
            actor.failure = WorkError(
                f"the Ray cluster has distortion-graph {told.result()}, expected {own} as here"
            )
        with self._changed:
            actor.ready = actor.failure is None
            self._changed.notify_all()

    def _submit(self, work: Callable[[JobT, TaskT], ResultT], task: TaskT) -> Future[ResultT]:
        import ray

        with self._changed:
            actor = min((a for a in self._actors if a.ready), key=lambda actor: actor.tasks)
            actor.tasks += 1
        given: Future[ResultT] = Future()
        ref = actor.handle.do.remote(work, task)

        def done(told: Future[ResultT]) -> None:
            with self._changed:
                actor.tasks -= 1
                self._changed.notify_all()
            if not given.set_running_or_notify_cancel():
                return
            failure = told.exception()
            if failure is None:
                given.set_result(told.result())
            else:
                given.set_exception(self._own_error(failure))

        def left(future: Future[ResultT]) -> None:
            if future.cancelled():
                ray.cancel(ref)  # one that runs is left to run

        given.add_done_callback(left)
        ref.future().add_done_callback(done)
        return given

    def _own_error(self, failure: BaseException) -> BaseException:
        """What `work` has raised, without Ray's wrapping; or that the actor was lost."""
        from ray.exceptions import ActorDiedError, RayError, RayTaskError, WorkerCrashedError

        if isinstance(failure, RayTaskError) and isinstance(failure.cause, BaseException):
            failure = failure.cause
        if isinstance(failure, ActorDiedError | WorkerCrashedError):
            return WorkError(
                f"a worker on the Ray cluster was lost {_TRIES_AGAIN + 1} times "
                f"({_line(failure)}); out of memory? start again, with fewer {self._option}"
            )
        if isinstance(failure, RayError):
            return WorkError(f"the Ray cluster failed ({_line(failure)}); start again")
        return failure


class _Actor:
    """An actor, the number of its tasks that are not done, and whether it came up."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.tasks = 0
        self.ready = False
        self.failure: WorkError | None = None


class _Worker:
    """What an actor is, on whatever machine."""

    def __init__(self, job: Any, threads: int) -> None:
        keep_process_to(threads)
        self._job = job

    def version(self) -> str:
        return version("distortion-graph")

    def do(self, work: Callable[[Any, TaskT], ResultT], task: TaskT) -> ResultT:
        return work(self._job, task)


def _check_reachable(address: str) -> None:
    """Raise WorkError where nothing listens: Ray itself takes minutes to say so, in many lines."""
    place = address.partition("://")[2] or address
    host, _, port = place.rpartition(":")
    if address in ("auto", "local"):
        return
    if not host or not port.isdigit():
        raise WorkError(
            f"{address!r}: expected the address of a Ray cluster, host:port, ray://host:port or "
            "auto"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_S).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorkError(f"{address}: no Ray cluster can be reached there ({reason})") from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
