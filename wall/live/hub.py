"""The live part of the wall: one reader of the broker for everybody who watches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, ParamSpec, cast

from starlette.requests import HTTPConnection

from posebus.config.cameras.privacy import HEADS, NO_PRIVACY, Privacy
from posebus.subscribing.live_frames import LiveFrame
from posebus.telemetry.build import posebus_version
from wall.access.people import Right, Visitor
from wall.context import WallContext
from wall.live import messages
from wall.live.feed import Feed, SharedFrame
from wall.live.reader import BrokerReader
from wall.live.readers import EventReader, FrameReader, StateReader, StateShown
from wall.live.viewer import Viewer

THREADS = 2
"""Threads that make pictures. A viewer asks for the next one of a camera when it has the last, so none can queue up."""

STATE_HOLDS_S = 5.0
"""A page that opens is shown the state that was read last if it is not older; a newer one follows in a moment."""

_P = ParamSpec("_P")


class Hub:
    """Reads events and states while a page is open, and tracks and pictures of the cameras that a page shows.

    But for the readers' threads, everything belongs to the event loop.
    """

    def __init__(self, context: WallContext) -> None:
        self._context = context
        self._viewers: set[Viewer] = set()
        self._feeds: dict[str, Feed] = {}
        self._state: StateShown | None = None
        self._state_at_s = 0.0
        self._troubles: dict[str, str] = {}
        """Why a reader cannot read, by its name."""
        self._missing: frozenset[str] = frozenset()
        """Sentences about pictures that the wall cannot read."""

    async def __aenter__(self) -> Hub:
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(THREADS, "wall-pictures")
        trouble = self._on_loop(self._take_trouble)
        self._frames = FrameReader(self._context, trouble, self._on_loop(self._take_frames))
        self._readers: tuple[BrokerReader, ...] = (
            self._frames,
            EventReader(self._context, trouble, self._on_loop(self._take_event)),
            StateReader(self._context, trouble, self._on_loop(self._take_state)),
        )
        for reader in self._readers:
            reader.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            await asyncio.to_thread(reader.stop)
        await asyncio.to_thread(self._pool.shutdown)

    @property
    def privacy(self) -> Privacy:
        """`none` if no camera's heads are blurred."""
        if self._state is None:
            known = [one.privacy for one in self._context.settings.cameras.values()]
        else:
            known = [cast("Privacy", one.privacy) for one in self._state.records.values()]
        return NO_PRIVACY if known and all(one == NO_PRIVACY for one in known) else HEADS

    @contextmanager
    def viewer(self, person: Visitor) -> Iterator[Viewer]:
        """The page of `person`, which is open until the context ends."""
        viewer = Viewer(self._feeds, may_see_pictures=person.may(Right.PICTURES))
        self._viewers.add(viewer)
        viewer.outbox.put_state("hello", messages.hello(person, posebus_version(), self.privacy))
        if self._state is not None and time.monotonic() - self._state_at_s < STATE_HOLDS_S:
            viewer.outbox.put_state("cameras", messages.cameras(self._state.cameras))
        if self._troubles:
            viewer.outbox.put_state("broker", messages.broker(next(iter(self._troubles.values()))))
        for sentence in sorted(self._missing):
            viewer.outbox.put_problem(messages.problem(sentence))
        self._wake()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            viewer.close()
            self.watched()
            self._wake()

    def watched(self) -> None:
        """What a viewer watches has changed: cameras that no page shows any more are not read."""
        wanted: dict[str, bool] = {}
        known = {} if self._state is None else self._state.records
        for viewer in self._viewers:
            for camera, pictures in viewer.wishes.items():
                if camera in known:
                    wanted[camera] = wanted.get(camera, False) or pictures
        for camera in [camera for camera in self._feeds if camera not in wanted]:
            del self._feeds[camera]
        for camera, pictures in wanted.items():
            feed = self._feeds.setdefault(camera, Feed(time.monotonic()))
            if not pictures:
                feed.forget_picture()
        self._frames.follow(wanted)

    def followed(self, viewer: Viewer) -> None:
        """`viewer` shows the state of the deployment from now on."""
        if self._state is not None:
            viewer.outbox.put_state("deployment", messages.deployment(self._state.deployment))

    def _wake(self) -> None:
        for reader in self._readers:
            reader.wake(awake=bool(self._viewers))

    def _on_loop(self, take: Callable[_P, None]) -> Callable[_P, None]:
        """Return a function for threads that has `take` called in the event loop."""

        def hand_over(*arguments: _P.args, **named: _P.kwargs) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(lambda: take(*arguments, **named))

        return hand_over

    def _take_frames(self, found: list[LiveFrame]) -> None:
        self._frames.taken()
        for frame in found:
            camera = frame.tracks.camera
            feed = self._feeds.get(camera)
            if feed is None:
                continue
            record = None if self._state is None else self._state.records.get(camera)
            blur = record is None or record.privacy != NO_PRIVACY
            feed.add(SharedFrame(frame, self._pool, blur=blur))
            for viewer in self._viewers:
                viewer.offer(camera)

    def _take_event(self, event: dict[str, Any]) -> None:
        text = messages.event(event)
        for viewer in self._viewers:
            viewer.outbox.put_event(text)

    def _take_state(self, state: StateShown) -> None:
        before, self._state, self._state_at_s = self._state, state, time.monotonic()
        if before is None or before.records.keys() != state.records.keys():
            self.watched()
        cameras = messages.cameras(state.cameras)
        deployment = messages.deployment(state.deployment)
        self._tell_unreadable()
        for viewer in self._viewers:
            viewer.outbox.put_state("cameras", cameras)
            if viewer.follows_deployment:
                viewer.outbox.put_state("deployment", deployment)

    def _tell_unreadable(self) -> None:
        """Say once to the pages that are open why pictures are missing; later pages get the same from `viewer`."""
        before, self._missing = self._missing, frozenset(self._why_missing())
        for sentence in sorted(self._missing - before):
            for viewer in self._viewers:
                viewer.outbox.put_problem(messages.problem(sentence))

    def _why_missing(self) -> Iterator[str]:
        if self._frames.refused is not None:
            yield f"the wall shows skeletons alone: {self._frames.refused}"
        for camera in self._frames.unreadable:
            yield (
                f"the pictures of {camera} are in the memory of its machine, and the wall shows its skeletons: start "
                "the wall there, with the deployment's shared_frames"
            )

    def _take_trouble(self, reader: str, sentence: str | None) -> None:
        was_there = not self._troubles
        if sentence is None:
            self._troubles.pop(reader, None)
        else:
            self._troubles[reader] = sentence
        if was_there == (not self._troubles):
            return
        text = messages.broker(sentence)
        for viewer in self._viewers:
            viewer.outbox.put_state("broker", text)


def hub_of(connection: HTTPConnection) -> Hub:
    """Return the live part of the application that got this request."""
    return cast("Hub", connection.app.state.hub)
