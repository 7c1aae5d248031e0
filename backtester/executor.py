"""Where pieces of work run: here, or in worker processes; a cluster can implement the same."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol, TypeVar

from backtester.errors import BacktesterError, ConfigError

T = TypeVar("T")
R = TypeVar("R")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


AHEAD = 4  # tasks under way or finished per worker


class Executor(Protocol):
    """Maps a function over tasks; results come back in the order of the tasks."""

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]: ...


class SerialExecutor:
    """Everything in this process."""

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """The results, one after the other."""
        return map(call, tasks)


class ProcessExecutor:
    """A pool of spawned workers, one numerical thread each; tasks must be picklable."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ConfigError(f"{workers} workers", cure="Ask for at least one.")
        self.workers = workers

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """The results in task order; a worker that dies is a BacktesterError, not a hang."""
        import multiprocessing

        if not tasks:
            return
        # Spawned children read these once, when their numerical libraries load.
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        try:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(min(self.workers, len(tasks)), mp_context=context) as pool:
                waiting: deque[Future[R]] = deque()
                for task in tasks:
                    # Few at a time: finished results wait in memory until they are asked for.
                    if len(waiting) >= AHEAD * self.workers:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(call, task))
                while waiting:
                    yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise BacktesterError(
                "a worker process died before it finished its task",
                cure="Most often memory ran out: use fewer workers or paths; --workers 1 runs all "
                "work in one process.",
            ) from error
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def executor_of(workers: int) -> Executor:
    """The executor for a number of workers."""
    return SerialExecutor() if workers == 1 else ProcessExecutor(workers)
