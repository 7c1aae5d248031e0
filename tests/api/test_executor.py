"""Workers: results in order, errors that survive the trip, and a death that is not a hang."""

from __future__ import annotations

import os
from collections.abc import Iterator

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
