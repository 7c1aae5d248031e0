"""Workers: results in order, errors that survive the trip, and a death that is not a hang."""

from __future__ import annotations

import os

import pytest

from backtester.errors import BacktesterError, ConfigError, DataError
from backtester.executor import ProcessExecutor, SerialExecutor, executor_of


def square(x: int) -> int:
    return x * x


def die(x: int) -> int:
    if x == 1:
        os._exit(9)
    return x


def refuse(x: int) -> int:
    raise DataError(f"task {x} has no data", cure="Give it some.", when="2020-01-01")


def test_one_worker_is_this_process() -> None:
    assert isinstance(executor_of(1), SerialExecutor)
    assert list(executor_of(1).map(square, [3, 1, 2])) == [9, 1, 4]


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker(workers: int) -> None:
    with pytest.raises(ConfigError, match=rf"{workers} workers. Ask for at least one"):
        executor_of(workers)


def test_results_keep_the_order_of_the_tasks() -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    assert list(ProcessExecutor(2).map(square, list(range(7)))) == [0, 1, 4, 9, 16, 25, 36]
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_a_dead_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(BacktesterError, match=r"a worker process died.*--workers 1"):
        list(ProcessExecutor(2).map(die, [0, 1, 2]))


def test_an_error_in_a_worker_arrives_whole() -> None:
    with pytest.raises(
        DataError, match=r"task 0 has no data at 2020-01-01. Give it some."
    ) as caught:
        list(ProcessExecutor(2).map(refuse, [0, 1]))
    assert caught.value.when == "2020-01-01"


def test_no_tasks_is_no_work() -> None:
    assert list(executor_of(2).map(square, [])) == []
