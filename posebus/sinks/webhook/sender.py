"""Sends events by HTTP: each is one POST of its CloudEvent in structured mode, signed."""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx

from posebus.config.redaction import redact_known, redact_url
from posebus.contract.public_json import dump
from posebus.errors import ConfigError
from posebus.messages import Event
from posebus.sinks.base import SendOutcome, SendResult
from posebus.sinks.options import trust
from posebus.sinks.webhook.signature import signature
from posebus.sinks.webhook.spec import WebhookOptions
from posebus.subscribing.subscription import Message, message_to_json

CONTENT_TYPE = "application/cloudevents+json"
PASSING = frozenset({408, 409, 425, 429})
"""Refusals that may pass: timeout, conflict, too early, too many requests."""
MOST_ANSWER_BYTES = 65_536
"""Of an answer so much is read, so that the connection can be used again; of a longer one the connection is closed."""
MOST_SHOWN = 80


class WebhookSender:
    """Sends to one address. Redirects are not followed, certificates are checked; threads share its connections."""

    def __init__(self, options: WebhookOptions, keys: Sequence[bytes], now_s: Callable[[], float] = time.time) -> None:
        self.lanes = options.lanes
        self.give_up_s = options.give_up_s
        self._options = options
        self._keys = keys
        self._now_s = now_s
        # It would log each request with its address, of which a part is a secret at many receivers.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._where = redact_url(options.url)
        verify = True if options.ca_file is None else trust(options.ca_file, "webhook")
        try:
            self._client = httpx.Client(
                verify=verify,
                timeout=httpx.Timeout(options.timeout_s, connect=min(10.0, options.timeout_s)),
                limits=httpx.Limits(max_connections=options.lanes, max_keepalive_connections=options.lanes),
                follow_redirects=False,
                headers={"User-Agent": f"posebus/{version('posebus')}", **options.headers},
            )
            self._client.build_request("POST", options.url)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
            raise ConfigError(f"the option url of the sink webhook is wrong: {type(error).__name__}") from None

    def send(self, message: Message) -> SendResult:
        """POST the event; 2xx is delivered."""
        event = message.body
        content = message_to_json(message)
        if not isinstance(event, Event) or content is None:
            return SendResult(SendOutcome.REFUSED, why="it is no event")
        body = dump(content).encode()
        request = self._client.build_request(
            "POST", self._options.url, content=body, headers=self._headers(event, body)
        )
        try:
            got = self._client.send(request, stream=True)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return self._failure(error)
        with contextlib.closing(got), contextlib.suppress(httpx.HTTPError, OSError):
            # The status says all: an error in the rest of the answer does not send the event again.
            self._read(got)
        return self._answer(got)

    def _read(self, got: httpx.Response) -> None:
        """Read a short answer to its end, so that the connection can be used again."""
        size = 0
        end_s = time.monotonic() + self._options.timeout_s
        for chunk in got.iter_raw():
            size += len(chunk)
            if size > MOST_ANSWER_BYTES or time.monotonic() > end_s:
                return

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _headers(self, event: Event, body: bytes) -> dict[str, str]:
        moment_s = int(self._now_s())
        webhook_id = event.id if event.id.isascii() and event.id.isprintable() else event.id.encode().hex()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Idempotency-Key": webhook_id,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(moment_s),
        }
        if self._keys:
            headers["webhook-signature"] = signature(self._keys, webhook_id, moment_s, body)
        return headers

    def _answer(self, got: httpx.Response) -> SendResult:
        code = got.status_code
        if 200 <= code < 300:
            return SendResult(SendOutcome.DELIVERED, status=str(code))
        reason = "".join(one for one in got.reason_phrase if one.isprintable())[:MOST_SHOWN]
        why = f"{self._where} answered {code}{' ' if reason else ''}{reason}"
        if 400 <= code < 500 and code not in PASSING:
            return SendResult(SendOutcome.REFUSED, status=str(code), why=why)
        return SendResult(
            SendOutcome.FAILED,
            status=str(code),
            why=f"{why}, a redirect, which is not followed" if 300 <= code < 400 else why,
            wait_s=retry_after_s(got.headers.get("retry-after", ""), self._now_s()),
        )

    def _failure(self, error: Exception) -> SendResult:
        if isinstance(error, httpx.TimeoutException):
            reason = f"no answer within {self._options.timeout_s:g} s"
            return SendResult(SendOutcome.FAILED, "timeout", f"{self._where}: {reason}", unreachable=True)
        text = redact_known(" ".join(str(error).split()), self._options.url)[:200] or type(error).__name__
        return SendResult(
            SendOutcome.FAILED, "unreachable", f"{self._where} cannot be reached: {text}", unreachable=True
        )


def retry_after_s(value: str, now_s: float) -> float:
    """The seconds that a header Retry-After asks to wait: a number, or a date (RFC 9110). 0 for anything else. Pure."""
    text = value.strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now_s, tz=UTC)).total_seconds())
