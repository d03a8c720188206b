"""The stage of one sink: it takes messages of its consumer group, and acknowledges those that the sink has handled."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Iterator

from posebus.backoff import Backoff
from posebus.errors import RetryableError, SinkFailed
from posebus.runtime.failures import in_one_sentence
from posebus.sinks.base import Sink
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import Message
from posebus.telemetry.process_report import SINK, ProcessReport
from posebus.wording import counted

POLL_S = 0.2
AT_ONCE = 50
"""Messages of one step, so that heartbeats go on."""
RETRY_MIN_S, RETRY_MAX_S = 0.5, 15.0

log = logging.getLogger("posebus.sink")


class SinkStage:
    """Gives messages to a sink, in the order of their streams. One that fails is given again before any other."""

    role = SINK

    def __init__(self, name: str, sink: Sink, subscription: Subscription) -> None:
        self._name = name
        self._sink = sink
        self._subscription = subscription
        self._messages: Iterator[Message] = iter(())
        self._failed: Message | None = None
        self._handled = 0

    def step(self, now_s: float) -> bool:
        """Handle some messages. After SinkFailed or BrokerUnavailable the next call goes on with the same message."""
        for _ in range(AT_ONCE):
            message = self._failed or next(self._messages, None)
            if message is None:
                self._messages = self._subscription.poll(POLL_S)
                return True
            self._handle(message)
        return True

    def report(self) -> ProcessReport:
        """The report of this process: how many messages were handled."""
        trouble = ", which fails at present" if self._failed is not None else ""
        return ProcessReport(SINK, does=f"{self._name}{trouble}: {counted(self._handled, 'message')}")

    def drain(self) -> None:
        """Nothing is in flight: what was not acknowledged is given again."""

    def close(self) -> None:
        """Close the sink and the connection."""
        close = getattr(self._sink, "close", None)
        if close is not None:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - of another package, and nothing is left to be done
                log.warning("the sink %s failed to close: %s", self._name, in_one_sentence(error))
        with contextlib.suppress(OSError):
            self._subscription.close()

    def _handle(self, message: Message) -> None:
        self._failed = message
        try:
            self._sink.write(message)
        except RetryableError:
            raise  # of the broker
        except Exception as error:
            raise SinkFailed(
                f"the sink {self._name} failed with a message of camera {message.camera} "
                f"({type(error).__name__}: {' '.join(str(error).split())})",
                camera=message.camera,
                entry_id=message.id,
            ) from error
        self._subscription.acknowledge(message)
        self._failed = None
        self._handled += 1


def retry_pauses() -> Backoff:
    """The pauses between two attempts to give a message to a sink that fails."""
    return Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
