"""The same as `posebus.subscribing.subscriber` for asyncio programs: `async for message in
posebus.subscribe_async(url): …`.

A thread does the waiting, so there is one implementation of reading, resuming and reconnecting, and the event loop is
never blocked; at the message rates of a pose stream the hand-over costs nothing that could be measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from types import TracebackType

from posebus.subscribing.subscriber import Subscription, subscribe
from posebus.subscribing.subscription import Message


def subscribe_async(
    url: str,
    *,
    cameras: Sequence[str] | None = None,
    kinds: Sequence[str] = ("tracks", "events"),
    after: str = "now",
    group: str | None = None,
    consumer: str = "consumer",
    shards: int = 1,
    outage_limit_s: float | None = None,
) -> AsyncSubscription:
    """As `posebus.subscribe`; nothing is connected before the iteration begins."""
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
        )
    )


class AsyncSubscription:
    """An endless asynchronous iterator of messages; `async with` closes it."""

    def __init__(self, opener: Callable[[], Subscription]) -> None:
        self._opener = opener
        self._subscription: Subscription | None = None

    @property
    def cursor(self) -> str | None:
        """As `Subscription.cursor`; None before the first message was asked for."""
        return None if self._subscription is None else self._subscription.cursor

    async def __aiter__(self) -> AsyncIterator[Message]:
        subscription = self._subscription = await asyncio.to_thread(self._opener)
        messages = iter(subscription)
        try:
            # One at a time, so that the cursor never runs ahead of what the program has seen.
            while (message := await asyncio.to_thread(next, messages, None)) is not None:
                yield message
        finally:
            subscription.close()

    async def close(self) -> None:
        if self._subscription is not None:
            await asyncio.to_thread(self._subscription.close)

    async def __aenter__(self) -> AsyncSubscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
