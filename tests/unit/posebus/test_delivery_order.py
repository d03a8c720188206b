"""The pure parts of delivering: the order of events, what follows from an answer, bounds, filters and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.sinks.base import SendOutcome, SendResult
from posebus.sinks.delivering import lanes as lanes_module
from posebus.sinks.delivering.lanes import Lanes, Parcel, lane_of
from posebus.sinks.delivering.policy import LONGEST_WAIT_S, RETRY_MAX_S, judge
from posebus.sinks.delivering.records import (
    FILTERED_KEPT,
    RECORD_DAYS,
    RECORDS_KEPT,
    Record,
    State,
    beyond_bounds,
    record_from_json,
    record_to_json,
)
from posebus.sinks.webhook.sender import retry_after_s
from posebus.sinks.webhook.signature import secret_bytes, signature
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.subscription import Message
from tests.deliveries import event

DAY_NS = 86_400 * 10**9


def parcel(number: int, track: int | None = 1, now_s: float = 0.0) -> Parcel:
    about = event(number, track)
    message = Message("events", about.camera, about, None, "stream", f"{number}-0")
    return Parcel(about.id, lane_of(about), message, [("stream", f"{number}-0")], due_s=now_s)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40),
    st.integers(0, 2**32),
)
def test_each_track_keeps_its_order_whatever_fails_when(tracks: list[int], seed: int) -> None:
    rng = random.Random(seed)
    lanes = Lanes()
    now_s = 0.0
    waiting = [parcel(number, track) for number, track in enumerate(tracks)]
    flying: list[Parcel] = []
    done: dict[object, list[int]] = {}
    while waiting or len(lanes):
        now_s += 1.0
        choice = rng.random()
        if waiting and choice < 0.4:
            assert lanes.add(waiting.pop(0))
        elif flying and choice < 0.7:
            one = flying.pop(rng.randrange(len(flying)))
            if rng.random() < 0.4:
                one.due_s, one.unreachable = now_s + rng.uniform(0, 5), rng.random() < 0.5
                lanes.again(one)
            else:
                done.setdefault(one.lane, []).append(one.order)
                lanes.done(one)
                lanes.reachable(now_s)
        elif (taken := lanes.take(now_s)) is not None:
            assert taken.lane not in {one.lane for one in flying}
            flying.append(taken)
        assert lanes.in_flight == len(flying)
    assert all(order == sorted(order) for order in done.values())
    assert sum(map(len, done.values())) == len(tracks)
    assert lanes.due_s() is None


def test_an_event_that_stands_twice_is_sent_once() -> None:
    lanes = Lanes()
    first, second = parcel(1), parcel(1)
    second.places = [("stream", "9-0")]
    assert lanes.add(first)
    assert lanes.add(second)
    assert len(lanes) == 1
    assert lanes.take(0.0) is first
    assert first.places == [("stream", "1-0"), ("stream", "9-0")]
    lanes.done(first)
    assert not lanes.add(parcel(1)), "an entry that was on its way meanwhile"


def test_of_many_events_only_the_place_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "BODIES_KEPT", 3)
    lanes = Lanes()
    parcels = [parcel(number) for number in range(6)]
    for one in parcels:
        lanes.add(one)
    assert [one.message is not None for one in parcels] == [True, True, True, False, False, False]


def test_what_failed_for_want_of_a_connection_is_due_once_the_receiver_is_back() -> None:
    lanes = Lanes()
    for track, unreachable in ((1, True), (2, False)):
        lanes.add(parcel(track, track))
        one = lanes.take(0.0)
        assert one is not None
        one.attempts, one.due_s, one.unreachable, one.why = 1, 60.0, unreachable, f"why {track}"
        lanes.again(one)
    assert lanes.take(1.0) is None
    assert lanes.failing is not None
    assert lanes.failing.why == "why 1"
    lanes.reachable(1.0)
    back = lanes.take(1.0)
    assert back is not None
    assert back.lane == ("door", 1)
    assert lanes.take(1.0) is None, "a failure of another kind waits for its pause"


def test_what_waits_can_be_forgotten_but_not_what_is_in_flight() -> None:
    lanes = Lanes()
    for number in range(3):
        lanes.add(parcel(number))
    lanes.add(parcel(9, 2))
    flying = lanes.take(0.0)
    assert flying is not None
    lanes.clear_waiting()
    assert len(lanes) == 1
    assert lanes.take(0.0) is None
    lanes.add(parcel(1))
    lanes.done(flying)
    following = lanes.take(0.0)
    assert following is not None
    assert following.event_id == event(1).id


@pytest.mark.parametrize("attempts", [1, 2, 3, 8, 1000])
def test_pauses_grow_to_a_bound_and_are_drawn_at_random(attempts: int) -> None:
    answer = SendResult(SendOutcome.FAILED, "500", "it failed")
    pauses = [judge(answer, attempts, 0.0, 100.0, random.Random(seed)).pause_s for seed in range(50)]
    ceiling_s = min(RETRY_MAX_S, 0.5 * 2.0 ** min(attempts - 1, 20))
    assert all(pause is not None and ceiling_s / 2 <= pause <= ceiling_s for pause in pauses)
    assert len(set(pauses)) > 40


def test_what_follows_from_an_answer() -> None:
    rng = random.Random(1)
    assert judge(SendResult(SendOutcome.DELIVERED), 1, 0.0, 1.0, rng) == judge(
        SendResult(SendOutcome.DELIVERED), 9, 99.0, 1.0, rng
    )
    assert judge(SendResult(SendOutcome.REFUSED, why="404"), 1, 0.0, 9.0, rng).given_up == "404"
    given_up = judge(SendResult(SendOutcome.FAILED, why="500"), 7, 9.0, 9.0, rng).given_up
    assert given_up == "500; given up after 9 s"
    asked = judge(SendResult(SendOutcome.FAILED, wait_s=90.0), 1, 0.0, 1e9, rng).pause_s
    assert asked == 90.0
    assert judge(SendResult(SendOutcome.FAILED, wait_s=1e9), 1, 0.0, 1e99, rng).pause_s == LONGEST_WAIT_S


def test_records_are_compact_and_come_back() -> None:
    record = Record(State.WAITING, 3, 7, "500", "it failed", 5, 9)
    assert record_from_json(record_to_json(record).encode()) == record
    assert record_to_json(Record(State.DELIVERED, 1, 7)) == '{"state":"delivered","attempts":1,"at_ns":7}'


def test_the_oldest_records_go_and_none_that_waits() -> None:
    now_ns = 100 * DAY_NS
    found = {f"d{number}": Record(State.DELIVERED, 1, now_ns - number) for number in range(RECORDS_KEPT + 3)}
    found |= {f"f{number}": Record(State.FILTERED, 0, now_ns - number) for number in range(FILTERED_KEPT + 2)}
    found |= {"waits": Record(State.WAITING, 1, now_ns - 2 * DAY_NS)}
    values = {name: record_to_json(record).encode() for name, record in found.items()}
    values["broken"] = b"{"
    last = RECORDS_KEPT
    gone = {f"d{last}", f"d{last + 1}", f"d{last + 2}", f"f{FILTERED_KEPT}", f"f{FILTERED_KEPT + 1}", "broken"}
    assert set(beyond_bounds(values, now_ns)) == gone
    old = {"old": record_to_json(Record(State.DELIVERED, 1, now_ns - (RECORD_DAYS + 1) * DAY_NS)).encode()}
    assert beyond_bounds(old, now_ns) == ["old"]


def test_filters() -> None:
    chosen = MessageFilter.of_events
    assert chosen(["posebus.line.cross"], None).missed(event(1)) == "types", "no * at its end"
    assert chosen(None, None).missed(event(1)) is None
    assert chosen(["posebus.fall.*"], ["gate"]).missed(event(1)) == "types"
    assert chosen(["posebus.line.*"], ["till"]).missed(event(1)) == "rules"
    assert chosen(["posebus.line.*"], ["gate"]).missed(event(1)) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Mon, 24 Nov 2025 16:00:30 GMT", 30.0),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("9" * 40, 0.0),
    ],
)
def test_the_time_that_a_receiver_asks_for(value: str, seconds: float) -> None:
    assert retry_after_s(value, 1_764_000_000.0) == seconds


def test_a_signature_is_that_of_its_scheme() -> None:
    key = b"k" * 32
    # HMAC as RFC 2104 has it, from its own parts.
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + b"an id.1700000000.{}").digest()
    wanted = base64.b64encode(hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()).decode()
    assert signature([key], "an id", 1_700_000_000, b"{}") == f"v1,{wanted}"
    assert hmac.new(key, b"x", hashlib.sha256).digest() != inner
    assert secret_bytes(f"whsec_{base64.b64encode(key).decode()}") == key


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_abc", "no base64!", base64.b64encode(b"short").decode()])
def test_a_wrong_secret_is_not_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="openssl rand") as caught:
        secret_bytes(secret)
    assert not secret or secret not in str(caught.value).replace("whsec_$(", "").replace("whsec_ ", "")
