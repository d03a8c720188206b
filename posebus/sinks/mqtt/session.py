"""One connection to the MQTT broker, from its beginning to its end. What it had not acknowledged then is sent anew."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from posebus.config.redaction import redact_text
from posebus.sinks.base import SendOutcome, SendResult
from posebus.sinks.mqtt.spec import MqttAddress
from posebus.sinks.mqtt.topics import Publication

CONNECT_S = 5.0
FAILURE = 0x80
NEVER = frozenset({0x87, 0x90, 0x95, 0x99})
"""Reasons for which no further attempt can succeed: not authorised, topic or payload not allowed, packet too large."""
IN_FLIGHT = 100


class CannotConnect(Exception):
    """The MQTT broker does not answer, or refuses the login; one sentence."""


class _Waiter:
    def __init__(self) -> None:
        self.answered = threading.Event()
        self.reason: Any = None


class Session:
    """A connection, by MQTT 5 with QoS 1. It is not repaired: after its end a new one is opened. Threads share it."""

    def __init__(self, address: MqttAddress, client_id: str, keepalive_s: int, will: Publication | None) -> None:
        self.ended = threading.Event()
        self._where = address.where
        self._connected = threading.Event()
        self._refused: str | None = None
        self._waiters: dict[int, _Waiter] = {}
        self._early: dict[int, Any] = {}
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._keepalive_s = keepalive_s
        self._address = address
        self._client = client

    def open(self, tls: ssl.SSLContext | None, on_message: Callable[[str, bytes], None]) -> None:
        """Connect, and wait until the broker accepts it. Raises CannotConnect."""
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_message = lambda client, userdata, message: on_message(message.topic, bytes(message.payload))
        try:
            self._client.connect(self._address.host, self._address.port, self._keepalive_s, clean_start=True)
        except (OSError, ValueError) as error:
            text = " ".join(redact_text(str(error)).split())[:200] or type(error).__name__
            raise CannotConnect(f"{self._where} cannot be reached: {text}") from error
        self._client.loop_start()
        if not self._connected.wait(CONNECT_S):
            self.close()
            raise CannotConnect(f"{self._where} does not answer as an MQTT broker")
        if self._refused is not None:
            self.close()
            raise CannotConnect(f"{self._where} refuses the connection: {self._refused}")

    def subscribe(self, topic: str) -> None:
        """Have messages of a topic."""
        self._client.subscribe(topic, qos=1)

    def publish(self, publication: Publication, timeout_s: float) -> SendResult:
        """Publish, and wait for the acknowledgement. Without one, the session ends, and nothing of it is sent again."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = publication.content_type
        waiter = _Waiter()
        try:
            info = self._client.publish(
                publication.topic, publication.payload, qos=1, retain=publication.retain, properties=properties
            )
        except ValueError as error:  # of this message: the topic or the payload is too long
            return SendResult(SendOutcome.REFUSED, why=f"it cannot be published: {error}")
        self._waiters[info.mid] = waiter
        # The acknowledgement may have come before the line above: the network has its own thread.
        early = self._early.pop(info.mid, None)
        if early is not None:
            self._answer(info.mid, early)
        if not self.ended.is_set() and info.rc == paho.MQTT_ERR_SUCCESS:
            waiter.answered.wait(timeout_s)
        self._waiters.pop(info.mid, None)
        if waiter.reason is None:
            why = (
                f"{self._where}: the connection ended" if self.ended.is_set() else f"{self._where}: no acknowledgement"
            )
            self.ended.set()
            return SendResult(SendOutcome.FAILED, "unreachable", why, unreachable=True)
        code = int(waiter.reason.value)
        if code < FAILURE:
            return SendResult(SendOutcome.DELIVERED, status=str(code))
        outcome = SendOutcome.REFUSED if code in NEVER else SendOutcome.FAILED
        return SendResult(outcome, str(code), f"{self._where} refuses it: {waiter.reason} ({publication.topic})")

    def close(self) -> None:
        """End the session in order: the broker does not send the will. Harmless if it has ended."""
        self._client.disconnect()
        self._client.loop_stop()
        self.ended.set()
        self._wake()

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._refused = str(reason) if reason.is_failure else None
        self._connected.set()

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._refused = self._refused or str(reason)
        self.ended.set()
        self._connected.set()
        self._wake()

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        self._early[mid] = reason
        self._answer(mid, reason)

    def _answer(self, mid: int, reason: Any) -> None:
        waiter = self._waiters.get(mid)
        if waiter is not None:
            self._early.pop(mid, None)
            waiter.reason = reason
            waiter.answered.set()

    def _wake(self) -> None:
        for waiter in list(self._waiters.values()):
            waiter.answered.set()
