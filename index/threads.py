"""Work of several threads: how many there may be, and the same done by all of them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def at_once(pool: Executor, work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """Do the same work on several items at once, and in order; one after another where the pool takes no more work.

    So it is when a process ends: whoever still waits for an answer gets it.
    """
    items = list(items)
    try:
        begun = [pool.submit(work, item) for item in items]
    except RuntimeError:
        return [work(item) for item in items]
    return [b.result() for b in begun]


def threads_here() -> int:
    """Return how many threads may compute at once, 8 at most."""
    # Whoever starts several processes on a machine, as Ray does, says how many threads each may have.
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told):
        return min(8, int(told))
    affinity = getattr(os, "sched_getaffinity", None)
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)
