"""The one interface behind which tasks are shared out: among threads, processes, or machines.

    with LocalProcesses(job, worker_count(None), option="--workers") as executor:
        for task, result in executor.run(work, tasks):
            ...

`work` has the executors of this machine (`local`, `processes`) and of a Ray cluster (`ray_actors`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self, TypeVar

from distortion_graph.work.threads import allowed_threads

JobT_co = TypeVar("JobT_co", covariant=True)
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


class Executor(Protocol[JobT_co]):
    """Workers that do tasks of one job. Use it as a context manager.

    The *job* is what all tasks have in common, such as options and an opened model. Every worker
    gets it once, when it starts, and `work` only reads it. A *task* is what differs.

    What any executor promises, also one whose workers are on other machines:

    - **Who calls what.** `tasks` is read by the thread that takes the results, so a task may depend
      on results that were given before. Workers call `work(job, task)`.
    - **What travels.** Where workers are processes, job, tasks, results and errors are pickled, and
      `work` is a function of a module, found there by its name. An executor of threads takes any
      function, and hands over the same objects.
    - **Bounded memory.** At most `window` tasks are taken from `tasks` whose results were not given
      yet, so `tasks` may be endless.
    - **Order.** With `ordered`, results come in the order of their tasks, else as soon as they are
      there. The results themselves depend neither on the number of workers nor on who does what.
    - **Errors.** An error that `work` raises ends the run, and is raised by it. Without `ordered`,
      no further task is taken after the first error, those that run are waited for and their
      results given, and then the error is raised. With `ordered`, the results before the failed
      task are given, and none after it, as if the tasks had been done one by one. An error of
      `tasks` itself is raised after the results of what was taken before it.
    - **Lost workers.** Where a worker is lost (killed, out of memory), an executor raises WorkError
      in the same manner, or does the task again elsewhere. So `work` must do no harm when it is
      done twice: it gives the same result, and writes whole files or none.
    - **Threads.** In a worker, `allowed_threads` says how many threads it may use; all workers of a
      machine together keep to the cores that it may use.
    - **Leaving.** Leaving the block, in whatever way, begins no further task and waits for those
      that run. A run that is not read to its end begins no further task either. Ctrl-C is the
      caller's: no worker sees it.
    """

    def __enter__(self) -> Self:
        """Start the workers, or let the first run start them."""
        ...

    def __exit__(self, *error: object) -> None:
        """Begin nothing more, and wait for what runs."""
        ...

    def run(
        self,
        work: Callable[[JobT_co, TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        ordered: bool = False,
        window: int | None = None,
    ) -> Iterator[tuple[TaskT, ResultT]]:
        """Every task with the result of `work(job, task)`.

        Args:
            work: what is done, as described above.
            tasks: taken one by one, when there is room for them.
            ordered: give results in the order of their tasks.
            window: the largest number of tasks taken whose results were not given yet; None
                lets the executor choose, so that no worker waits for its next task.
        """
        ...


def worker_count(asked: int | None = None, threads_each: int = 1) -> int:
    """`asked`, or without a number as many workers as the machine has cores for, at least 1.

    Cores are those that this process may use (`allowed_threads`: a budget in force, its CPU
    affinity, its cgroup's quota); each worker takes `threads_each` of them.
    """
    return max(1, allowed_threads() // threads_each) if asked is None else asked
