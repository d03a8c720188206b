"""The figures that `benchmarks.economy` computes from its runs: costs, kept tracks, the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.common.mot import Rows
from benchmarks.economy.cost import InferredFrame, frame_cost, gflops, total_cost
from benchmarks.economy.policies import REFERENCE, policies
from benchmarks.economy.report import HEAD, PolicyResult, draw, table
from benchmarks.economy.run import read_inferred_frames
from benchmarks.economy.tracks import KeptTracks, kept, recall
from posebus.views import View

VGA = (640, 480)
FPS = 10.0


def walk(track: int, first: int, last: int, left: float = 0.0) -> Rows:
    """A person who walks to the right."""
    return {frame: [(track, left + 4.0 * frame, 50.0, 40.0, 100.0)] for frame in range(first, last + 1)}


def together(*walks: Rows) -> Rows:
    frames = {frame for rows in walks for frame in rows}
    return {frame: [row for rows in walks for row in rows.get(frame, [])] for frame in frames}


def test_cost_of_a_frame_is_proportional_to_its_input_pixels() -> None:
    assert gflops(640 * 640) == pytest.approx(7.6)
    assert frame_cost(InferredFrame(VGA, View(640))) == (1, 640 * 480)
    assert frame_cost(InferredFrame(VGA, View(1280))).pixels == 4 * 640 * 480
    # Two tiles side by side that overlap by a quarter: each is 366 of 640 wide, and fitted to 640 along its height.
    tiles = frame_cost(InferredFrame(VGA, View(640, 2, 1)))
    assert tiles.inferences == 2
    assert tiles.pixels == 2 * 512 * 640


def test_total_cost_adds_frames_after_the_last_report_by_their_views() -> None:
    frames = [InferredFrame(VGA, View(640))] * 8 + [InferredFrame(VGA, View(1280))] * 2
    small = 640 * 480
    worker = {"frames": 7.0, "inferences": 9.0, "input_pixels": 9.0 * small}
    assert total_cost(frames, [worker]) == (12, (9 + 1 + 8) * small)
    assert total_cost(frames, []) == (10, 16 * small)


def test_only_policies_that_choose_a_size_probe() -> None:
    found = policies(1280, 640)
    assert {name for name, policy in found.items() if policy.probes} == {"imgsz", "all", "all-eager"}
    assert found[REFERENCE].plain == View(1280)


def test_frames_are_read_with_their_views(tmp_path: Path) -> None:
    frames = [
        {"size_px": [640, 480], "view": None, "inferred": True},
        {"size_px": [640, 480], "view": "1280/2x1", "inferred": True},
        {"size_px": [640, 480], "view": None, "inferred": False},
    ]
    path = tmp_path / "clip.tracks.jsonl"
    path.write_text("".join(json.dumps(frame) + "\n" for frame in frames))
    assert list(read_inferred_frames(path, View(800))) == [
        InferredFrame(VGA, View(800)),
        InferredFrame(VGA, View(1280, 2, 1)),
        None,
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (walk(7, 1, 50), KeptTracks(1, 0, 0)),
        (walk(7, 4, 47), KeptTracks(1, 0, 0)),  # three frames are 0.3 s
        (walk(7, 5, 50), KeptTracks(1, 0, 1)),
        (walk(7, 1, 46), KeptTracks(1, 0, 1)),
        (walk(7, 1, 90), KeptTracks(1, 0, 0)),
        (walk(7, 1, 50, left=200.0), KeptTracks(1, 1, 0)),
        ({}, KeptTracks(1, 1, 0)),
        (together(walk(7, 1, 20), walk(8, 21, 50)), KeptTracks(1, 0, 1)),
    ],
)
def test_track_is_kept_lost_or_shortened(found: Rows, expected: KeptTracks) -> None:
    assert kept(walk(1, 1, 50), found, FPS) == expected


def test_track_matches_one_of_two_people_only() -> None:
    reference = together(walk(1, 1, 30), walk(2, 31, 50))
    assert kept(reference, walk(7, 1, 50), FPS) == KeptTracks(2, 1, 0)
    assert kept(reference, reference, FPS) == KeptTracks(2, 0, 0)
    assert kept({}, walk(7, 1, 50), FPS) == KeptTracks(0, 0, 0)


def test_recall_counts_boxes_regardless_of_identity() -> None:
    truth = together(walk(1, 1, 10), walk(2, 1, 10, left=300.0))
    assert recall(truth, truth) == 1.0
    assert recall(truth, walk(9, 1, 5)) == 0.25
    assert recall(truth, {}) == 0.0


def line(title: str, cpu_s: float, inferred: int, *, known: bool = True) -> PolicyResult:
    quality = {"recall": 0.9, "HOTA": 0.67, "IDF1": 0.891} if known else None
    kept = KeptTracks(10, 1, 2) if known else None
    return PolicyResult(
        title=title,
        video_s=36.0,
        frames=360,
        inferred=inferred,
        inferences=inferred,
        gflops=2.0 * inferred,
        cpu_s=(cpu_s,),
        start_cpu_s=(5.0,),
        wall_s=(9.0,),
        quality=quality,
        kept=kept,
    )


def test_table_shows_camera_hours_and_parts_of_the_reference(tmp_path: Path) -> None:
    lines = {REFERENCE: line("every frame at 1280", 105.0, 360, known=False), "all": line("all together", 10.0, 36)}
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table(lines, REFERENCE).splitlines()]
    assert rows[0] == list(HEAD)
    assert rows[2][:6] == ["every frame at 1280", "360 of 360", "36,000", "72,000", "10,000", "1.000"]
    assert rows[2][7:] == ["-"] * 5
    assert rows[3] == [
        *("all together", "36 of 360", "3,600", "7,200", "500", "0.050", "10.0"),
        *("0.900", "0.670", "0.891", "1 of 10", "2"),
    ]
    assert table({"all": lines["all"]}, REFERENCE).splitlines()[2].split("|")[6].strip() == "-"
    draw(tmp_path / "plot.png", "title", {"one": lines, "two": lines})
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
