"""What actions cost a tracker: microseconds of processor time a frame, and bytes of its snapshot."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.skeletons.scene import scene
from posebus.contract.snapshot import pack_state
from posebus.messages import TrackFrame
from tracking.actions.of_camera import CameraActions

PEOPLE, FPS, SECONDS = 10, 25.0, 60


def crowd() -> list[TrackFrame]:
    """Ten people who walk at the same time, for a minute."""
    scenes = [scene("walk_about", FPS, seed).track_frames(track_id=seed + 1) for seed in range(PEOPLE)]
    length = min(len(frames) for frames in scenes)
    frames = []
    for seq in range(round(SECONDS * FPS)):
        tracks = tuple(track for frames in scenes for track in frames[seq % length].tracks)
        frames.append(TrackFrame("crowd", 1, seq, round(seq / FPS * 1e9), scenes[0][0].size_px, tracks))
    return frames


def main() -> None:
    """Print the figures."""
    frames = crowd()
    actions = CameraActions("builtin")
    for frame in frames[:50]:
        actions.update(frame)
    took_ns = []
    for frame in frames[50:]:
        began_ns = time.process_time_ns()
        actions.update(frame)
        took_ns.append(time.process_time_ns() - began_ns)
    took_us = np.array(took_ns) / 1e3
    began_ns = time.process_time_ns()
    for _ in range(100):
        state = pack_state({"actions": actions.state_dict()})
    packed_us = (time.process_time_ns() - began_ns) / 1e5
    print(f"{PEOPLE} people at {FPS:g} frames per second, processor time of one core:")
    print(f"- update: mean {took_us.mean():.0f} us a frame, 95 % of frames below {np.percentile(took_us, 95):.0f} us")
    print(f"- snapshot: {packed_us:.0f} us and {len(state) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
