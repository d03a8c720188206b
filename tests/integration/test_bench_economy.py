"""A short run of the policy benchmark with the reference and a policy that infers fewer frames; the simulated day."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from integration.run_command import environment

from benchmarks.corridor.clip import rate_and_frames, read_frames
from benchmarks.corridor.day import DayRequest, make_day
from benchmarks.economy.clips import clip_of, first_frames
from tests.conftest import ROOT

FRAMES = 40


@pytest.mark.thorough  # it analyses a clip twice, which is a minute of two cores
def test_policy_is_measured_against_the_reference(shared_data: Path, tmp_path: Path, engine_cache: Path) -> None:
    clip = first_frames(clip_of(shared_data / "TUD-Stadtmitte.mp4", "people"), tmp_path, FRAMES)
    options = ("--clips", str(clip), "--policies", "reference", "infer-fps", "--large", "320", "--small", "320")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.economy", *options, "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=environment(engine_cache),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (figures,) = (tmp_path / "out").glob("*.json")
    lines = json.loads(figures.read_text())["people-first"]
    every, fewer = lines["reference"], lines["infer-fps"]
    assert (every["frames"], every["inferred"], every["inferences"]) == (FRAMES, FRAMES, FRAMES)
    assert 0 < fewer["inferred"] < FRAMES
    assert fewer["gflops"] * FRAMES == every["gflops"] * fewer["inferred"]
    assert every["quality"] is None
    assert 0 < fewer["quality"]["recall"] <= 1
    assert fewer["kept"]["tracks"] == every["kept"]["tracks"] > 0
    assert every["kept"]["lost"] == every["kept"]["shortened"] == 0
    assert min(every["cpu_s"][0], every["start_cpu_s"][0], fewer["cpu_s"][0]) > 0
    assert f"| infer_fps auto | {fewer['inferred']} of {FRAMES} |" in done.stdout
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


def test_day_is_reproducible_and_has_people_only_during_visits(tmp_path: Path) -> None:
    """The clip is synthetic: a bright square that crosses a grey room."""
    clip, tracks = tmp_path / "clip.mp4", tmp_path / "clip.mot.txt"
    rows = []
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(1, 81):
            picture = np.full((120, 160, 3), 110, np.uint8)
            if 20 < number <= 60:
                left = 3 * (number - 20)
                picture[40:80, left : left + 20] = 220
                rows.append(f"{number},1,{left},40,20,40,0.9,-1,-1,-1\n")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    tracks.write_text("".join(rows))
    request = DayRequest(clip, tracks, tmp_path / "day.mp4", minutes=0.5, size_px=(320, 240))
    (visit,) = make_day(request)
    assert make_day(DayRequest(clip, tracks, tmp_path / "again.mp4", minutes=0.5, size_px=(320, 240))) == [visit]
    assert (tmp_path / "day.mp4").read_bytes() == (tmp_path / "again.mp4").read_bytes()
    assert rate_and_frames(request.out) == (10.0, 300)
    truth = [line.split(",") for line in (tmp_path / "day.gt.txt").read_text().splitlines()]
    assert len(truth) == 40
    for number, picture in enumerate(read_frames(request.out), 1):
        here = [row for row in truth if int(row[0]) == number]
        if here:
            left, top = (round(float(value)) for value in here[0][2:4])
            inside = picture[top + 10 : top + 70, left + 5 : left + 35].mean()
            # The square is twice as bright as the wall; the lamp may shine on another part of it.
            assert inside > 1.2 * float(np.median(picture[top + 10 : top + 70]))
