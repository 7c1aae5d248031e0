"""Workers: results in order, errors that survive the trip, and a death that is not a hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backtester.errors import BacktesterError, ConfigError, DataError
from backtester.executor import AHEAD, Executor, ProcessExecutor, SerialExecutor, executor_of


def square(x: int) -> int:
    return x * x


def threads(x: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def die(x: int) -> int:
    if x == 1:
        os._exit(9)
    return x


def refuse(x: int) -> int:
    raise DataError(f"task {x} has no data", cure="Give it some.", when="2020-01-01")


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Two workers, kept for the tests of this file."""
    with executor_of(2) as workers:
        yield workers


def test_one_worker_is_this_process() -> None:
    with executor_of(1) as workers:
        assert isinstance(workers, SerialExecutor)
        assert list(workers.map(square, [3, 1, 2])) == [9, 1, 4]


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker(workers: int) -> None:
    with (
        pytest.raises(ConfigError, match=rf"{workers} workers. Ask for at least one"),
        executor_of(workers),
    ):
        pass


def test_results_keep_the_order_of_the_tasks(pool: Executor) -> None:
    many = list(range(2 * AHEAD * 2 + 3))  # more than may be under way at once
    assert list(pool.map(square, many)) == [x * x for x in many]


def test_workers_have_one_numerical_thread_and_we_keep_ours(
    pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with executor_of(2) as fresh:
        assert list(fresh.map(threads, [0, 1])) == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_an_executor_that_is_given_stays_open(pool: Executor) -> None:
    with executor_of(pool) as same:
        assert same is pool
    assert list(pool.map(square, [2])) == [4]


def test_a_dead_worker_is_an_error_that_says_what_to_do() -> None:
    workers = ProcessExecutor(2)
    with pytest.raises(BacktesterError, match=r"a worker process died.*--workers 1"):
        list(workers.map(die, [0, 1, 2]))
    assert list(workers.map(square, [5])) == [25], "and the executor can be used again"
    workers.close()


def test_an_error_in_a_worker_arrives_whole(pool: Executor) -> None:
    with pytest.raises(DataError, match=r"task 0 has no data at 2020-01-01. Give it some.") as seen:
        list(pool.map(refuse, [0, 1]))
    assert seen.value.when == "2020-01-01"
    assert list(pool.map(square, [3])) == [9]


def test_no_tasks_is_no_work(pool: Executor) -> None:
    assert list(pool.map(square, [])) == []


PARENT = """
import sys, time
from backtester.executor import ProcessExecutor
from tests.api.test_executor import report_and_sleep

if __name__ == "__main__":
    list(ProcessExecutor(2).map(report_and_sleep, [sys.argv[1]] * 2))
"""


def report_and_sleep(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_workers_do_not_outlive_their_parent(tmp_path: Path, ending: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    seen = tmp_path / "seen"
    seen.mkdir()
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, str(script), str(seen)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    try:
        until(lambda: len(list(seen.iterdir())) == 2)
        workers = [int(file.name) for file in seen.iterdir()]
        parent.send_signal(ending)
        parent.wait(20)
        until(lambda: not any(alive(worker) for worker in workers))
    finally:
        parent.kill()
        parent.wait()


def until(done: Callable[[], bool]) -> None:
    for _ in range(300):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in 30 seconds")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_ctrl_c_is_left_to_the_parent(pool: Executor) -> None:
    assert list(pool.map(interrupted, [1, 2])) == [True, True]


def interrupted(x: int) -> bool:
    os.kill(os.getpid(), signal.SIGINT)
    return True
