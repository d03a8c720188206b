"""The order in which events are sent: those about one track one after the other, others beside them. Pure."""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from posebus.messages import Event
from posebus.subscribing.subscription import Message

Lane = tuple[str, int | None]
"""(camera, number of the track); None for events about the camera itself."""
Place = tuple[str, str]
"""(stream, entry ID)."""
REMEMBERED = 20_000
"""Ids of events that this process has done with: an entry with the same one may be on its way from the broker."""
BODIES_KEPT = 1000
"""Events that wait in memory; of further ones only the place is kept, and they are read again when their turn comes."""


@dataclass(slots=True, eq=False)
class Parcel:
    """One event on its way. `message` is None if it has to be read again. places: all entries that hold the event.

    first_ns: wall clock of the first attempt, 0 before it. due_s: monotonic time of the next attempt.
    """

    event_id: str
    lane: Lane
    message: Message | None
    places: list[Place]
    attempts: int = 0
    first_ns: int = 0
    due_s: float = 0.0
    unreachable: bool = False
    why: str = ""
    order: int = field(default=0)


def lane_of(event: Event) -> Lane:
    """The lane of an event: its camera and track."""
    track = event.data.get("track_id")
    return event.camera, track if isinstance(track, int) else None


class Lanes:
    """Events that wait or are being sent. Not safe for threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[Parcel]] = {}
        self._ready: list[tuple[float, int, Parcel]] = []
        """The first parcel of each lane that is not being sent, by the time at which it is due."""
        self._by_id: dict[str, Parcel] = {}
        self._in_flight: set[Lane] = set()
        self._done: OrderedDict[str, None] = OrderedDict()
        self._bodies = 0
        self._count = 0

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def in_flight(self) -> int:
        """Events that are being sent."""
        return len(self._in_flight)

    @property
    def failing(self) -> Parcel | None:
        """The oldest event of which an attempt has failed; None without any."""
        failed = [lane[0] for lane in self._lanes.values() if lane[0].attempts]
        return min(failed, key=lambda one: one.order, default=None)

    def add(self, parcel: Parcel) -> bool:
        """Take one more event; False if it was done with since, so that its places have to be acknowledged alone.

        An event that is here already gets the places of the other one, which is then not sent.
        """
        if parcel.event_id in self._done:
            return False
        known = self._by_id.get(parcel.event_id)
        if known is not None:
            known.places += [place for place in parcel.places if place not in known.places]
            return True
        self._count += 1
        parcel.order = self._count
        self._by_id[parcel.event_id] = parcel
        lane = self._lanes.setdefault(parcel.lane, deque())
        lane.append(parcel)
        if len(lane) == 1:
            self._offer(parcel)
        elif self._bodies >= BODIES_KEPT:
            parcel.message = None
        self._bodies += parcel.message is not None
        return True

    def take(self, now_s: float) -> Parcel | None:
        """The event whose turn it is, if any is due: it is in flight until `done` or `again`."""
        while self._ready and self._ready[0][0] <= now_s:
            parcel = heapq.heappop(self._ready)[2]
            if self._is_first(parcel):
                self._in_flight.add(parcel.lane)
                return parcel
        return None

    def due_s(self) -> float | None:
        """When the next event is due (monotonic); None if none waits."""
        return self._ready[0][0] if self._ready else None

    def done(self, parcel: Parcel) -> None:
        """The event was delivered or given up: the next one of its lane follows."""
        self._in_flight.discard(parcel.lane)
        self._forget(parcel)
        self._done[parcel.event_id] = None
        if len(self._done) > REMEMBERED:
            self._done.popitem(last=False)
        lane = self._lanes[parcel.lane]
        lane.popleft()
        if lane:
            self._offer(lane[0])
        else:
            del self._lanes[parcel.lane]

    def again(self, parcel: Parcel) -> None:
        """An attempt failed: the event stays the first of its lane until `due_s`."""
        self._in_flight.discard(parcel.lane)
        self._offer(parcel)

    def reachable(self, now_s: float) -> None:
        """The receiver is back: what failed because it was away is due at once."""
        for _, _, parcel in self._ready:
            if parcel.unreachable:
                parcel.due_s = min(parcel.due_s, now_s)
                parcel.unreachable = False
        self._ready = [(parcel.due_s, parcel.order, parcel) for _, _, parcel in self._ready if self._is_first(parcel)]
        heapq.heapify(self._ready)

    def clear_waiting(self) -> None:
        """Forget all that is not being sent."""
        for lane in list(self._lanes):
            waiting = self._lanes[lane]
            kept = [waiting[0]] if lane in self._in_flight else []
            for parcel in list(waiting)[len(kept) :]:
                self._forget(parcel)
            if kept:
                self._lanes[lane] = deque(kept)
            else:
                del self._lanes[lane]
        self._ready = []

    def _is_first(self, parcel: Parcel) -> bool:
        lane = self._lanes.get(parcel.lane)
        return lane is not None and lane[0] is parcel and parcel.lane not in self._in_flight

    def _offer(self, parcel: Parcel) -> None:
        heapq.heappush(self._ready, (parcel.due_s, parcel.order, parcel))

    def _forget(self, parcel: Parcel) -> None:
        self._by_id.pop(parcel.event_id, None)
        self._bodies -= parcel.message is not None
