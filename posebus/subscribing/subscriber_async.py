"""`posebus.subscribing.subscriber` for asyncio programs: `async for message in posebus.subscribe_async(): …`.

A thread waits for messages, so the event loop is never blocked, and reading, resuming and reconnecting have a single
implementation. At the message rates of pose streams, passing messages between threads has no measurable cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Unpack

from posebus.subscribing.filters import Filters
from posebus.subscribing.subscriber import Subscription, subscribe
from posebus.subscribing.subscription import Message


def subscribe_async(
    url: str | None = None,
    *,
    cameras: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    after: str | datetime = "now",
    group: str | None = None,
    consumer: str = "consumer",
    shards: int = 1,
    outage_limit_s: float | None = None,
    **filters: Unpack[Filters],
) -> AsyncSubscription:
    """Like `posebus.subscribe`, but for `async for`. It connects, and raises its errors, when the iteration starts."""
    return AsyncSubscription(
        partial(
            subscribe,
            url,
            cameras=cameras,
            kinds=kinds,
            after=after,
            group=group,
            consumer=consumer,
            shards=shards,
            outage_limit_s=outage_limit_s,
            **filters,
        )
    )


class AsyncSubscription:
    """An endless asynchronous iterator of messages. Close it, or use it in an `async with` statement."""

    def __init__(self, opener: Callable[[], Subscription]) -> None:
        self._opener = opener
        self._subscription: Subscription | None = None

    @property
    def cursor(self) -> str | None:
        """Like `Subscription.cursor`; None before the first message was requested."""
        return None if self._subscription is None else self._subscription.cursor

    async def __aiter__(self) -> AsyncIterator[Message]:
        subscription = self._subscription = await asyncio.to_thread(self._opener)
        messages = iter(subscription)
        try:
            # One at a time, so that the cursor is never ahead of the messages that the program has received.
            while (message := await asyncio.to_thread(next, messages, None)) is not None:
                yield message
        finally:
            subscription.close()

    async def close(self) -> None:
        """Close the connection and end the iteration."""
        if self._subscription is not None:
            await asyncio.to_thread(self._subscription.close)

    async def __aenter__(self) -> AsyncSubscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
