"""The sink `mqtt`: it keeps a session open, publishes events, and in a thread of its own the state of the cameras."""

from __future__ import annotations

import logging
import random
import threading

from posebus.backoff import Backoff
from posebus.contract.public_json import dump
from posebus.errors import PoseBusError
from posebus.messages import Event
from posebus.sinks.base import SendOutcome, SendResult, SinkContext
from posebus.sinks.mqtt.cameras import OFFLINE, ONLINE, CameraPresence
from posebus.sinks.mqtt.home_assistant import device
from posebus.sinks.mqtt.session import CannotConnect, Session
from posebus.sinks.mqtt.spec import MqttAddress, MqttOptions
from posebus.sinks.mqtt.topics import Publication, Topics
from posebus.sinks.options import trust
from posebus.subscribing.subscription import Message

STATES_EVERY_S, PAUSE_S = 1.0, 0.1
RETRY_MIN_S, RETRY_MAX_S = 0.5, 15.0

log = logging.getLogger("posebus.sink")


class MqttSender:
    """Events with QoS 1; retained: `PREFIX/status`, the state of each camera, and its device for Home Assistant."""

    give_up_s = float("inf")

    def __init__(self, options: MqttOptions, address: MqttAddress, context: SinkContext) -> None:
        self.lanes = options.lanes
        self._options = options
        self._address = address
        self._context = context
        self._topics = Topics(options.prefix)
        self._tls = trust(options.ca_file, "mqtt") if address.tls else None
        self._session: Session | None = None
        self._problem: str | None = "not connected yet"
        self._ending = threading.Event()
        self._announce_again = threading.Event()
        own = context.settings.sinks.get(context.name)
        self._cameras = CameraPresence(context.broker, None if own is None else own.cameras)
        self._rules: dict[str, set[str]] = {}
        """Rules of which events came: those of other packages, too."""
        self._published: dict[str, Publication] = {}
        """The last retained message of each topic in this session."""
        self._keeper = threading.Thread(target=self._keep, name="mqtt", daemon=True)
        self._connected_once = threading.Event()
        self._keeper.start()

    def send(self, message: Message) -> SendResult:
        """Publish the event, and wait for the acknowledgement."""
        event = message.body
        if not isinstance(event, Event):
            return SendResult(SendOutcome.REFUSED, why="it is no event")
        if self._context.replay:
            self._connected_once.wait(self._options.timeout_s)
        session = self._session
        if session is None:
            return SendResult(SendOutcome.FAILED, "unreachable", self._problem or "not connected", unreachable=True)
        self._learn(event)
        answer = session.publish(self._topics.event(event, self._options.topics), self._options.timeout_s)
        if answer.outcome is SendOutcome.DELIVERED:
            self._cameras.heard(event)
        return answer

    def trouble(self) -> str | None:
        """Why there is no connection to the MQTT broker; None with one."""
        return self._problem

    def close(self) -> None:
        """Say `offline`, and end the session."""
        self._ending.set()
        self._keeper.join()

    def _learn(self, event: Event) -> None:
        """Remember the rule of an event."""
        rule = event.data.get("rule")
        if isinstance(rule, str):
            self._rules.setdefault(event.camera, set()).add(rule)

    def _keep(self) -> None:
        """Keep a session open until the end, and publish states while there is one."""
        pauses = Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
        while not self._ending.is_set():
            session = self._open()
            if session is None:
                self._ending.wait(pauses.next_s())
                continue
            pauses.reset()
            self._session, self._problem = session, None
            self._connected_once.set()
            self._serve(session)
            self._session = None
            if self._ending.is_set():
                self._leave(session)
            else:
                self._problem = f"{self._address.where}: the connection ended"
                session.close()

    def _open(self) -> Session | None:
        name = self._options.client_id or f"posebus-{self._context.name}"
        if self._context.replay:
            name += f"-replay-{random.randrange(1_000_000)}"
        will = None if self._context.replay else self._status(OFFLINE)
        try:
            session = Session(self._address, name, self._options.keepalive_s, will)
            session.open(self._tls, self._on_message)
        except CannotConnect as error:
            self._problem = str(error)
            return None
        return session

    def _serve(self, session: Session) -> None:
        if not self._context.replay:
            self._published.clear()
            self._publish(session, self._status(ONLINE))
            if self._options.discovery is not None:
                session.subscribe(f"{self._options.discovery}/status")
        while not (self._ending.is_set() or session.ended.is_set()):
            if not self._context.replay:
                self._refresh(session)
            self._pause(session)

    def _pause(self, session: Session) -> None:
        """Wait until the next look, the end of the session or of the process."""
        for _ in range(int(STATES_EVERY_S / PAUSE_S)):
            if self._ending.is_set() or session.ended.wait(PAUSE_S):
                return

    def _refresh(self, session: Session) -> None:
        """Publish the devices and states that are new or have changed, and remove those of cameras that are gone."""
        if self._announce_again.is_set():
            self._announce_again.clear()
            # As after a connection, so that entities that Home Assistant has forgotten have a state at once.
            self._published = {self._topics.status: self._status(ONLINE)}
        try:
            states = self._cameras.read()
        except PoseBusError:
            return  # the stage says that the broker is away
        wanted = [self._status(ONLINE)]
        for camera, state in states.items():
            if self._options.discovery is not None:
                wanted.append(self._device(self._options.discovery, camera))
            wanted.append(Publication(self._topics.state(camera), dump(state), retain=True))
        topics = {one.topic for one in wanted}
        wanted += [Publication(topic, "", retain=True) for topic in self._published if topic not in topics]
        for publication in wanted:
            if self._published.get(publication.topic) != publication and not self._publish(session, publication):
                return

    def _device(self, discovery: str, camera: str) -> Publication:
        rules = self._cameras.rules.get(camera, frozenset()) | self._rules.get(camera, set())
        return device(discovery, self._topics, camera, rules, with_events=self._options.topics == "posebus")

    def _publish(self, session: Session, publication: Publication) -> bool:
        answer = session.publish(publication, self._options.timeout_s)
        if answer.outcome is SendOutcome.DELIVERED:
            if publication.payload:
                self._published[publication.topic] = publication
            else:
                self._published.pop(publication.topic, None)
            return True
        if answer.outcome is SendOutcome.REFUSED:
            # Not once a second: the rights of a user do not change often.
            self._published[publication.topic] = publication
            log.warning("the sink %s cannot publish: %s", self._context.name, answer.why)
            return True
        return False

    def _leave(self, session: Session) -> None:
        if not self._context.replay and not session.ended.is_set():
            session.publish(self._status(OFFLINE), 2.0)
        session.close()

    def _on_message(self, topic: str, payload: bytes) -> None:
        """Home Assistant has started: it may have lost what was announced."""
        if topic == f"{self._options.discovery}/status" and payload.strip() == ONLINE.encode():
            self._announce_again.set()

    def _status(self, text: str) -> Publication:
        return Publication(self._topics.status, text, "text/plain", retain=True)
