"""The threads that work for programs: order, errors, room."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bot.service import Workers
from corpus.errors import Overloaded


def test_work_is_done_and_its_error_raised() -> None:
    async def main() -> int:
        workers = Workers(threads=1, waiting=0)
        with pytest.raises(ValueError, match="x"):
            await workers.run(lambda: int("x"))
        return await workers.run(lambda: 3)

    assert asyncio.run(main()) == 3


def test_what_is_too_much_is_refused_and_what_goes_away_gives_its_place_back() -> None:
    async def main() -> None:
        workers, gate = Workers(threads=1, waiting=1), threading.Event()
        running = asyncio.create_task(workers.run(gate.wait))
        waiting = asyncio.create_task(workers.run(lambda: True))
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded, match="again in a second"):
            await workers.run(lambda: True)
        waiting.cancel()
        await asyncio.sleep(0.05)
        assert workers.under_way == 1
        late = asyncio.create_task(workers.run(lambda: True))
        await asyncio.sleep(0)
        gate.set()
        assert await running
        assert await late
        assert workers.under_way == 0

    asyncio.run(main())


def test_a_stream_comes_in_order_and_raises_where_it_broke() -> None:
    def counting() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("broke")

    async def main() -> list[int]:
        stream = await Workers().stream(counting)
        came = [await anext(stream), await anext(stream)]
        with pytest.raises(ValueError, match="broke"):
            await anext(stream)
        return came

    assert asyncio.run(main()) == [1, 2]


def test_a_stream_that_fails_at_once_fails_before_it_is_handed_out() -> None:
    def failing() -> Iterator[int]:
        raise ValueError("at once")
        yield

    async def main() -> None:
        with pytest.raises(ValueError, match="at once"):
            await Workers().stream(failing)

    asyncio.run(main())


def test_a_stream_that_nobody_reads_on_ends() -> None:
    made: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            made.append(1)
            yield 1

    async def main() -> None:
        workers = Workers(threads=1, waiting=0)
        stream = await workers.stream(endless)
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        for _ in range(100):
            if not workers.under_way:
                break
            await asyncio.sleep(0.05)
        assert workers.under_way == 0

    asyncio.run(main())
