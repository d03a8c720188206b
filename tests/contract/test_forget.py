"""`posebus forget` against real brokers."""

from __future__ import annotations

import pytest
import typer

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.messages import Delivery
from posebus_cli.operate.forget import forget
from tests.samples import frame, held_writer


def publish(url: str, camera: str) -> Registry:
    broker = open_broker(url)
    writer = held_writer(broker, CameraRecord(camera, Delivery.LIVE, "network"))
    writer.publish(frame(0, camera))
    return Registry(broker)


def test_a_removed_camera_leaves_no_key(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    publish(real_url, "yard")
    registry = publish(real_url, "door")
    forget(["door"], redis=real_url)
    assert capsys.readouterr().out == "door is forgotten\n"
    assert [record.camera for record in registry.cameras()] == ["yard"]
    assert open_broker(real_url).client.keys("*door*") == []


def test_a_camera_that_is_being_read_and_an_unknown_one_are_refused(
    real_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = publish(real_url, "door")
    registry.report("ingest-1", "ingest", {"cameras": {"door": {}}})
    with pytest.raises(typer.Exit) as caught:
        forget(["door", "nowhere"], redis=real_url)
    assert caught.value.exit_code == 1
    said = capsys.readouterr().err
    assert "door is being read" in said
    assert "there is no camera 'nowhere'" in said
    assert [record.camera for record in registry.cameras()] == ["door"]
