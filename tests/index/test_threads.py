"""Work done by several threads at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from index.threads import at_once


def test_the_results_come_in_order_and_the_work_is_done_at_once() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(number: int) -> int:
        together.wait()
        return number * 10

    with ThreadPoolExecutor(3) as pool:
        assert at_once(pool, work, [3, 1, 2]) == [30, 10, 20]


def test_a_pool_that_takes_no_more_work_leaves_it_to_the_caller() -> None:
    pool = ThreadPoolExecutor(2)
    pool.shutdown()
    assert at_once(pool, threading.current_thread().name.__add__, ["a"]) == [f"{threading.current_thread().name}a"]


def test_what_goes_wrong_in_a_thread_reaches_the_caller() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        at_once(pool, lambda n: 1 // n, [1, 0])
