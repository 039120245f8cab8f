from __future__ import annotations

import asyncio
import threading

from sagelet.store.changes import Changes

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"
DEADLINE_S = 5.0


async def test_waiting_ends_when_another_thread_publishes() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.wait(ARN, 0, DEADLINE_S))
    await asyncio.sleep(0)

    threading.Thread(target=changes.publish, args=(ARN,)).start()

    assert await waiting is True
    assert changes.version(ARN) == 1


async def test_a_change_that_came_before_the_wait_is_not_missed() -> None:
    changes = Changes()
    seen = changes.version(ARN)
    changes.publish(ARN)

    assert await changes.wait(ARN, seen, DEADLINE_S) is True


async def test_time_runs_out_when_only_others_change() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.wait(ARN, 0, 0.05))
    await asyncio.sleep(0)

    changes.publish(ARN + "-other")

    assert await waiting is False


async def test_everyone_who_waits_is_woken() -> None:
    changes = Changes()
    waiting = [asyncio.create_task(changes.wait(ARN, 0, DEADLINE_S)) for _ in range(20)]
    await asyncio.sleep(0)

    changes.publish(ARN)

    assert await asyncio.gather(*waiting) == [True] * 20


async def test_a_waiter_that_left_is_forgotten() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.wait(ARN, 0, DEADLINE_S))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    changes.publish(ARN)
    assert await changes.wait(ARN, 1, 0.01) is False
