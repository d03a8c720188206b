"""What the wall shows when asked, with a real broker: the timeline of events, their pictures, explanations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import cv2
import numpy as np
import pytest
import samples
from starlette.testclient import TestClient

from posebus.bus.evidence.ring import RingPicture, RingWriter
from posebus.bus.evidence.snapshots import store_snapshot
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import Settings
from posebus.contract.evidence import dataref
from posebus.contract.public_json import dump, event_fields, track_frame_to_json
from posebus.messages import Delivery, Event
from posebus.subscribing.event_pages import events_before
from tests.contract.conftest import client_of
from tests.numbered_camera import jpeg_of, number_in, picture_of, tracks_of
from wall.access.people import Role, Visitor
from wall.app import application
from wall.context import WallContext


@pytest.fixture
def url(redis_server: str) -> str:
    client_of(redis_server).flushall()
    Registry(open_broker(redis_server)).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    return redis_server


@pytest.fixture
def wall(url: str) -> Iterator[TestClient]:
    with TestClient(application(WallContext(Settings(redis=url)))) as client:
        yield client


def publish(url: str, *events: Event, shards: int = 1) -> None:
    broker = open_broker(url, shards)
    for event in events:
        stream = broker.topology.events(broker.topology.shard(event.camera))
        broker.client.xadd(stream, event_fields(event))


def test_timeline_goes_back_page_by_page_and_misses_nothing(url: str, wall: TestClient) -> None:
    publish(url, *(samples.event(seq, "door" if seq % 3 else "yard") for seq in range(25)))
    seen, before = [], ""
    while True:
        page = wall.get("/api/events", params={"count": 7, "before": before}).json()
        seen += [one["data"]["seq"] for one in page["events"]]
        before = page["before"]
        if before is None:
            break
    assert seen == list(reversed(range(25)))
    yard = wall.get("/api/events", params={"camera": "yard", "count": 3}).json()
    assert [one["data"]["seq"] for one in yard["events"]] == [24, 21, 18]


def test_timeline_of_several_shards_misses_nothing_and_keeps_the_order_of_each_camera(url: str) -> None:
    names = [f"camera-{number}" for number in range(8)]
    publish(url, *(samples.event(seq, names[seq % 8]) for seq in range(40)), shards=4)
    broker = open_broker(url, 4)
    page = events_before(broker, None, 6)
    seen = page.events
    while page.before is not None:
        page = events_before(broker, page.before, 6)
        assert len(page.events) <= 6
        seen = [*seen, *page.events]
    assert sorted(event.seq for event in seen) == list(range(40))
    for name in names:  # events of one millisecond in several shards have no order
        own = [event.seq for event in seen if event.camera == name]
        assert own == sorted(own, reverse=True)


def test_wrong_questions_are_answered_in_a_sentence(url: str, wall: TestClient) -> None:
    for query in ("count=0", "count=x", "count=9999999", "before=no", "before=1-2-3-4", "camera=../x"):
        answer = wall.get(f"/api/events?{query}")
        assert answer.status_code == 400
        assert answer.json()["sentence"]
    assert wall.get("/api/events/nothing/picture").status_code == 400
    assert wall.get("/api/explain/nowhere").status_code == 404


def picture_url(event: Event) -> str:
    return f"/api/events/{quote(event.id, safe='')}/picture?camera={event.camera}"


def test_picture_of_an_event_is_its_snapshot(url: str, wall: TestClient) -> None:
    event = replace(samples.event(3), dataref=dataref("door", 1, 5))
    publish(url, event)
    store_snapshot(open_broker(url), "door", (1, 5), jpeg_of(5), keep_s=60, max_bytes=10**7)
    answer = wall.get(picture_url(event))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert number_in(answer.content) == 5


def test_picture_without_a_snapshot_is_the_nearest_of_the_camera_with_heads_blurred(url: str, wall: TestClient) -> None:
    publish(url, samples.event(4))
    broker = open_broker(url)
    for seq in (3, 5):
        picture = RingPicture(1, seq, seq * 40_000_000, (640, 480), (640, 480), jpeg_of(seq))
        RingWriter(broker, "door", 60, 10**7).add(picture)
    for seq in (3, 4, 5):
        content = dump(track_frame_to_json(tracks_of(seq, "door"), samples.PROVENANCE, 1))
        broker.client.xadd(broker.topology.tracks("door"), {"epoch": 1, "seq": seq, "data": content})
    answer = wall.get(picture_url(samples.event(4)))
    assert answer.status_code == 200
    number = number_in(answer.content)
    assert number in (3, 5)
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    head = slice(210, 260), slice(220, 280)
    assert shown is not None
    assert shown[head].std() < 0.3 * picture_of(number)[head].std()


def test_event_whose_picture_is_gone_says_so(url: str, wall: TestClient) -> None:
    publish(url, samples.event(4))
    answer = wall.get(picture_url(samples.event(4)))
    assert (answer.status_code, "no picture" in answer.json()["sentence"]) == (404, True)


def test_role_without_pictures_gets_no_picture_of_an_event(
    url: str, wall: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wall.access.guard.person_of", lambda _: Visitor("guard", Role.PRIVACY_VIEWER))
    assert wall.get(picture_url(samples.event(4))).status_code == 403
    assert wall.get("/api/events").status_code == 200


def test_explanation_has_the_sentences_of_the_command(url: str, wall: TestClient) -> None:
    answer = wall.get("/api/explain/door").json()
    assert answer["sentences"][0].startswith("door: live, network, ")
    assert answer["details"]["camera"] == "door"
