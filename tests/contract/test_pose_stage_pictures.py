"""Pictures that are shared, damaged or missing, and pictures in dead letters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from posebus.messages import PoseFrame, Skipped
from posebus.runtime.shared_frames import SharedFrames
from tests.contract.conftest import MakeBench, MakeClient, client_of
from tests.contract.pose_stage_bench import HEIGHT, TOPOLOGY, WIDTH


def test_pictures_in_shared_memory_are_read_and_discarded(
    make_bench: MakeBench, make_client: MakeClient, tmp_path: Path
) -> None:
    shared = SharedFrames(tmp_path)
    bench = make_bench(make_client(), shared=shared)
    for seq in range(4):
        shared.put(f"door-1-{seq}", np.zeros(3 * WIDTH * HEIGHT, np.uint8).data.cast("B"))
        bench.publish(seq, data=f"door-1-{seq}".encode(), encoding="shared")
    bench.publish(4, data=b"door-1-4", encoding="shared")
    bench.run()
    kinds = {body.seq: type(body) for body in bench.poses() if body is not None}
    assert kinds == {0: PoseFrame, 1: PoseFrame, 2: PoseFrame, 3: PoseFrame, 4: Skipped}
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"the machine of their ingest" in letter[b"dead_reason"]
    assert all(path.name.startswith(".free-") for path in tmp_path.iterdir())


def test_worker_without_shared_frames_sends_shared_pictures_to_the_dead_letters(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.publish(0, data=b"door-1-0", encoding="shared")
    bench.run()
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"shared_frames" in letter[b"dead_reason"]


def test_damaged_picture_goes_to_the_dead_letters_and_its_neighbours_are_inferred(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.publish(0)
    bench.publish(1, data=b"\xff\xd8 this is no picture")
    bench.publish(2)
    bench.run()
    found = {body.seq: body for body in bench.poses() if body is not None}
    assert isinstance(found[1], Skipped)
    assert isinstance(found[0], PoseFrame)
    assert isinstance(found[2], PoseFrame)
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"does not decode" in letter[b"dead_reason"]
    assert letter[b"data"] == b"\xff\xd8 this is no picture"
    assert bench.waiting() == (0, 0)


def test_malformed_entry_goes_to_the_dead_letters(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client())
    bench.client.xadd(TOPOLOGY.frames("door"), {"hello": "world"})
    bench.publish(0)
    bench.run()
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.client.xlen(TOPOLOGY.dead(0)) == 1
    assert bench.waiting() == (0, 0)


def test_dead_letter_contains_a_picture_from_shared_memory(
    make_bench: MakeBench, real_url: str, tmp_path: Path
) -> None:
    shared = SharedFrames(tmp_path)
    bench = make_bench(client_of(real_url), shared=shared, max_deliveries=1)
    bench.engine.failing = True
    blue = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blue[..., 0] = 255
    shared.put("door-1-0", blue.data.cast("B"))
    bench.publish(0, data=b"door-1-0", encoding="shared")
    bench.run()
    (letter,) = bench.letters()
    assert (letter[b"encoding"], letter[b"image_size"]) == (b"jpeg", b"96x64")
    assert simplejpeg.decode_jpeg(letter[b"data"], "BGR")[0, 0] == pytest.approx([255, 0, 0], abs=4)
    assert (
        letter[b"dead_reason"] == b"given up after 1 attempt in 1 worker; the last: RuntimeError: the device is on fire"
    )
