"""From published frames to poses that subscribers read: boxes, views, appearance and masks in source pixels."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from posebus.bus.pose_consumer import PoseConsumer
from posebus.config.settings import RetentionSettings
from posebus.contract.appearance import split
from posebus.messages import CameraMotion, EndOfStream, PoseFrame, Skipped
from posebus.subscribing.subscription import StreamSelection, decode_entry
from posebus.views import View
from tests.contract.conftest import MakeBench, MakeClient, client_of
from tests.contract.pose_stage_bench import HEIGHT, TOPOLOGY, WIDTH
from tests.samples import end
from workers.detections import Detections, ImageArray


def test_every_frame_of_every_camera_has_its_poses_in_source_pixels(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    for seq in range(5):
        bench.publish(seq)
    bench.publish(0, "yard")
    bench.producer.publish(end(5))
    bench.run()
    door, yard = bench.poses(), bench.poses("yard")
    assert sorted(body.seq for body in door if isinstance(body, PoseFrame)) == [0, 1, 2, 3, 4]
    assert [body.seq for body in door if isinstance(body, EndOfStream)] == [5]
    (only,) = yard
    assert isinstance(only, PoseFrame)
    assert only.size_px == (2 * WIDTH, 2 * HEIGHT)
    assert only.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96])
    assert bench.waiting() == bench.waiting("yard") == (0, 0)
    assert bench.worker_report().frames == 6


def test_frame_of_several_views_has_the_people_of_the_first_and_probes_of_the_others(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.publish(0, views=(View(64), View(96), View(64, 2, 1)))
    bench.publish(1)
    bench.run()
    entries = PoseConsumer(bench.broker, "t1", RetentionSettings()).read(["door"], 99, None)
    probed, plain = sorted(entries, key=lambda entry: entry.body.seq if entry.body is not None else -1)
    assert isinstance(probed.body, PoseFrame)
    assert isinstance(plain.body, PoseFrame)
    assert (probed.provenance.view, plain.provenance.view) == (View(64), None)
    assert plain.body.probes == ()
    assert [probe.view for probe in probed.body.probes] == [View(96), View(64, 2, 1)]
    whole, tiles = probed.body.probes
    # At 64 the input is higher than the picture in it, so that this person, of half its height, is higher, too.
    assert probed.body.boxes_xyxy_px[0, ::2] == pytest.approx([72, 120], abs=0.5)
    assert whole.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96], abs=0.5)
    assert len(tiles.scores) == 2, "one person in the middle of each tile"
    assert probed.body.appearance is not None
    assert probed.body.appearance.shape[0] == 1
    assert bench.engine.submitted == 5
    assert bench.waiting() == (0, 0)
    counted = bench.stage.report().metrics
    assert counted["posebus_inferences_total"] == [[5]]
    assert counted["posebus_input_pixels_total"] == [[3 * 64 * 64 + 2 * 96 * 64]]


def test_the_motion_of_the_camera_travels_from_the_frame_to_its_poses(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    motion = CameraMotion(1, (1.01, 0.02, -30.5, -0.02, 1.01, 7.25), 0.75)
    bench = make_bench(make_client())
    bench.publish(0, camera_motion=motion)
    bench.publish(1, views=(View(64), View(96), View(64, 2, 1)), camera_motion=motion)
    bench.publish(2)
    bench.run()
    entries = PoseConsumer(bench.broker, "t1", RetentionSettings()).read(["door"], 99, None)
    bodies = sorted((entry.body for entry in entries if isinstance(entry.body, PoseFrame)), key=lambda body: body.seq)
    assert [body.camera_motion for body in bodies] == [motion, motion, None]


def test_failed_frame_of_several_views_has_one_dead_letter(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), max_deliveries=1)
    bench.engine.failing = True
    bench.publish(0, views=(View(64, 2, 2), View(96)))
    bench.run()
    assert [type(body) for body in bench.poses()] == [Skipped]
    assert len(bench.letters()) == 1
    assert bench.waiting() == (0, 0)


@pytest.mark.parametrize("wanted", [True, False])
def test_poses_have_appearance_only_where_it_is_set(
    make_bench: MakeBench, make_client: MakeClient, wanted: bool
) -> None:
    bench = make_bench(make_client(), appearance=wanted)
    bench.publish(0)
    bench.run()
    (only,) = bench.poses()
    assert isinstance(only, PoseFrame)
    assert (only.appearance is not None) == wanted
    if only.appearance is not None:
        assert split(only.appearance)[1][0] == pytest.approx([0.8] * 4)


def test_masks_reach_subscribers_in_source_pixels(
    make_bench: MakeBench, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_client())
    mask = np.array(((36, 16), (60, 16), (48, 48)), np.float32)
    submit = bench.engine.submit

    def outlined(prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        future: Future[list[Detections]] = Future()
        (people,) = submit(prepared, low_latency=low_latency).result()
        future.set_result([replace(people, masks=(mask,))])
        return future

    monkeypatch.setattr(bench.engine, "submit", outlined)
    bench.publish(0)
    bench.run()
    streams = StreamSelection(["door"], ("poses",), "start", TOPOLOGY, None)
    streams.discover(bench.client, first=True)
    entries = streams.entries(bench.client.xread(streams.read_from()))
    messages = [message for entry in entries if (message := decode_entry(entry)) is not None]
    (only,) = [message.body for message in messages]
    assert isinstance(only, PoseFrame)
    assert only.masks is not None
    assert only.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96])
    np.testing.assert_allclose(only.masks[0], [[72, 32], [120, 32], [96, 96]])
