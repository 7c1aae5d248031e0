"""Where pieces of work run: here, or in worker processes; a cluster can implement the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

from backtester.errors import BacktesterError, ConfigError

T = TypeVar("T")
R = TypeVar("R")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


AHEAD = 2  # tasks under way or finished per worker


class Executor(Protocol):
    """Maps a function over tasks; results come back in the order of the tasks."""

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]: ...


class SerialExecutor:
    """Everything in this process."""

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """The results, one after the other."""
        return map(call, tasks)


class ProcessExecutor:
    """A pool of spawned workers, one numerical thread each; tasks must be picklable.

    The workers are started at the first task and kept until `close`, since starting one takes
    seconds.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ConfigError(f"{workers} workers", cure="Ask for at least one.")
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, call: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """The results in task order; a worker that dies is a BacktesterError, not a hang."""
        try:
            waiting: deque[Future[R]] = deque()
            for task in tasks:
                # Few at a time: finished results wait in memory until they are asked for.
                if len(waiting) >= AHEAD * self.workers:
                    yield waiting.popleft().result()
                waiting.append(self._submit(call, task))
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            self.close()
            raise BacktesterError(
                "a worker process died before it finished its task",
                cure="Most often memory ran out: use fewer workers or paths; --workers 1 runs all "
                "work in one process.",
            ) from error

    def close(self) -> None:
        """Let the workers go; tasks not started are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _submit(self, call: Callable[[T], R], task: T) -> Future[R]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=context, initializer=_start_worker
            )
        with _one_thread():
            return self._pool.submit(call, task)


def _start_worker() -> None:
    """Ctrl-C is the parent's to answer, and a worker does not outlive the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """Leave as soon as the process behind `sentinel` has ended, however it ended."""
    wait([sentinel])
    os._exit(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Spawned children read these once, when their numerical libraries load."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def executor_of(workers: int | Executor) -> Iterator[Executor]:
    """The executor for a number of workers, closed at the end; one that is given stays open."""
    if not isinstance(workers, int):
        yield workers
    elif workers == 1:
        yield SerialExecutor()
    else:
        pool = ProcessExecutor(workers)
        try:
            yield pool
        finally:
            pool.close()
