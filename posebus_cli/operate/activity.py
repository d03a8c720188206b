"""What the cameras of `posebus up` do, one line for each change: a pure part, and the subscription that feeds it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from posebus.wording import counted

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.messages import Event
    from posebus.subscribing.subscriber import Subscription

LINE_EVERY_S = 2.0
"""The lines of a camera come at most so often: of a connection that comes and goes, the last state is shown."""
CONNECTION, PEOPLE, END = "connection", "people", "end"


class CameraActivity:
    """The state of one camera as its events tell it, and the people that were seen."""

    def __init__(self) -> None:
        self.ended_after: int | None = None
        self.people: set[int] = set()
        self.is_online = False
        self.was_online = False
        self.waiting: dict[str, str] = {}
        """What changed and is not shown yet, by its kind."""
        self.shown = ""
        self.due_s = float("-inf")


class Activity:
    """Turns events into lines. `now_s` is monotonic."""

    def __init__(self, cameras: Iterable[str]) -> None:
        self._cameras = {camera: CameraActivity() for camera in cameras}

    def follow(self, cameras: Iterable[str]) -> None:
        """Go over to other cameras; those that stay keep their state."""
        self._cameras = {camera: self._cameras.get(camera) or CameraActivity() for camera in cameras}

    @property
    def all_ended(self) -> bool:
        """Whether every camera is a recording that was played and tracked to its end."""
        return all(camera.ended_after is not None for camera in self._cameras.values())

    def add(self, event: Event) -> None:
        """Take the next event of any camera."""
        camera = self._cameras.get(event.camera)
        if camera is not None:
            camera.waiting |= _change(camera, event)

    def lines(self, now_s: float) -> list[str]:
        """Return what is to be shown now: a camera and its new state in each line."""
        width = max(map(len, self._cameras), default=0)
        found = []
        for name, camera in self._cameras.items():
            if not camera.waiting or now_s < camera.due_s:
                continue
            for text in camera.waiting.values():
                if text != camera.shown:
                    camera.shown, camera.due_s = text, now_s + LINE_EVERY_S
                    found.append(f"{name:<{width}}  {text}")
            camera.waiting = {}
        return found

    def summary(self) -> list[str]:
        """Return a line for each camera: what it has shown."""
        return [f"{name}: {_summary(camera)}" for name, camera in self._cameras.items()]


def _change(camera: CameraActivity, event: Event) -> dict[str, str]:
    """Note the event, and return what it changes: a kind of state, and that state in words."""
    from posebus.messages import EventType

    track = event.data.get("track_id")
    if event.type == EventType.CAMERA_ONLINE:
        again, camera.is_online, camera.was_online = camera.was_online, True, True
        return {CONNECTION: "online again" if again else "online"}
    if event.type == EventType.CAMERA_OFFLINE:
        camera.is_online = False
        return {CONNECTION: f"offline: {event.data.get('reason', 'its source went away')}"}
    if event.type == EventType.CAMERA_ENDED:
        camera.ended_after = event.seq
        reason = event.data.get("reason")
        why = "" if reason in (None, "end of file") else f": {reason}"
        return {END: f"ended after {counted(event.seq, 'frame')}{why}"}
    if event.type == EventType.TRACK_STARTED and isinstance(track, int):
        camera.people.add(track)
        return {PEOPLE: "first person seen"} if len(camera.people) == 1 else {}
    if event.type == EventType.TRACK_RENAMED and not event.data.get("exchanged") and isinstance(track, int):
        camera.people.discard(track)
    return {}


def _summary(camera: CameraActivity) -> str:
    people = counted(len(camera.people), "person") if camera.people else "no people"
    if camera.ended_after is not None:
        return f"{counted(camera.ended_after, 'frame')}, {people}"
    return people if camera.was_online else "was never online"


class Watched:
    """The activity of a deployment that runs, followed by its events. What goes wrong here is said once, no more."""

    def __init__(self, settings: Settings) -> None:
        from posebus.errors import PoseBusError
        from posebus.subscribing.subscriber import subscribe

        self.activity = Activity(settings.cameras)
        self._messages: Subscription | None = None
        try:
            self._messages = subscribe(
                settings.redis,
                kinds=("events",),
                shards=settings.shards,
                outage_limit_s=0.0,
            )
        except PoseBusError as error:
            self._give_up(error)

    def poll(self, timeout_s: float) -> list[str]:
        """Wait about `timeout_s` for events; returns the lines to show."""
        from posebus.errors import BrokerUnavailable, PoseBusError
        from posebus.messages import Event

        if self._messages is None:
            time.sleep(timeout_s)
            return []
        try:
            for message in self._messages.poll(timeout_s):
                if isinstance(message.body, Event):
                    self.activity.add(message.body)
        except BrokerUnavailable:
            time.sleep(timeout_s)  # the stages say that it is away
        except PoseBusError as error:
            self._give_up(error)
        return self.activity.lines(time.monotonic())

    def close(self) -> None:
        """Close the connection."""
        if self._messages is not None:
            self._messages.close()

    def _give_up(self, error: Exception) -> None:
        from posebus.runtime.failures import complain

        self.close()
        self._messages = None
        complain(f"the states of the cameras are not shown: {error}")
