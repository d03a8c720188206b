"""A real MQTT broker, mosquitto, and a client that listens to it."""

from __future__ import annotations

import queue
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import missing
from tests.polling import wait_until
from tests.ports import free_port


class Mosquitto:
    """One mosquitto on a port of its own, without anything on disk; use it in a `with`."""

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        """`lines` of its configuration, besides the listener."""
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            missing("mosquitto is not installed (on Debian: apt install mosquitto)")
        self.port = free_port() if port is None else port
        self.url = f"mqtt://localhost:{self.port}"
        self._program = str(program)
        self._folder = folder
        self._lines = lines or ("allow_anonymous true",)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also after it was killed, without what it had retained."""
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join((f"listener {self.port} localhost", "user root", *self._lines)) + "\n")
        with (self._folder / "mosquitto.log").open("a") as log:
            self._process = subprocess.Popen([self._program, "-c", str(config)], stdout=log, stderr=log)
        wait_until(self._answers, f"mosquitto on port {self.port}")

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail((self._folder / "mosquitto.log").read_text())
        try:
            Listener(self, "#").close()
        except OSError:
            return False
        return True


class Listener:
    """A client that takes all messages of a topic: first those that are retained, then new ones."""

    def __init__(self, broker: Mosquitto, topic: str, login: tuple[str, str] | None = None) -> None:
        self.messages: queue.Queue[Any] = queue.Queue()
        self.seen: list[Any] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if login is not None:
            self.client.username_pw_set(*login)
        self.client.on_message = lambda client, userdata, message: self.messages.put(message)
        self.client.on_connect = lambda client, *more: client.subscribe(topic, qos=1)
        self.client.connect("localhost", broker.port)
        self.client.loop_start()

    def read(self) -> list[Any]:
        """All messages so far."""
        while not self.messages.empty():
            self.seen.append(self.messages.get())
        return self.seen

    def last(self, topic: str) -> bytes | None:
        """The payload of the last message of a topic."""
        return next((one.payload for one in reversed(self.read()) if one.topic == topic), None)

    def of(self, topic: str) -> list[Any]:
        """The messages of a topic, in order."""
        return [one for one in self.read() if one.topic == topic]

    def publish(self, topic: str, payload: str) -> None:
        self.client.publish(topic, payload, qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
