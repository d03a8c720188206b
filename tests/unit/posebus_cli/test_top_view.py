"""`top` on terminals of all sizes: it fits, whole words only, and what has no room is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from posebus.telemetry.overview import CameraRow, Overview, ProcessRow
from posebus.telemetry.stage_times import Work, WorkRow
from posebus_cli.observe.screen.top_view import TopView

STEPS = dict.fromkeys(("read", "decode", "queue", "infer", "people", "commit"), (1.25, 13.5))
WORK = Work(busy_share=1.0, batch_frames=4.0, age_ms=(609.0, 984.0), steps_ms=STEPS, skipped_per_s={"too old": 13.3})


def camera(number: int, state: str = "online") -> CameraRow:
    return CameraRow(
        name=f"door-{number}",
        source="network",
        delivery="live",
        state=state,
        trouble="no answer within 5 s" if state == "offline" else None,
        fps_in=12.5,
        fps_out=12.4,
        age_ms=80.5,
        people=3,
        backlog_frames=4,
        backlog_bytes=400_000,
        backlog_limit_bytes=8_000_000,
        poses_bytes=1_000_000,
        tracks_bytes=500_000,
        dropped=17,
        infer="1280 px, 12.5/s",
    )


def deployment(cameras: int, workers: int = 1, offline: int = 0) -> Overview:
    rows = [camera(number, "offline" if number >= cameras - offline else "online") for number in range(cameras)]
    processes = [ProcessRow(f"ingest-{n}", "ingest", "host", 100 + n, None, f"door-{n}") for n in range(cameras)]
    does = "openvino bf16 on cpu, imgsz auto, 159 skipped, 2 dead-lettered"
    processes += [ProcessRow(f"w{n}", "worker", "host", 900 + n, 22.2, does, WORK) for n in range(workers)]
    work = [WorkRow("worker", 1, 900 + number, WORK) for number in range(workers)]
    return Overview(rows, processes, work, 3_000_000, 2_000_000_000, warnings=["events: 90% full"])


def screen(shown: Overview, width: int, height: int) -> list[str]:
    """The lines of a terminal that shows the table, as `top` does."""
    console = Console(width=width, height=height, force_terminal=False)
    with console.capture() as capture:
        console.print(TopView(shown, "redis://127.0.0.1:6399"))
    return capture.get().splitlines()


@pytest.mark.parametrize("cameras", [0, 1, 2, 9, 60])
@pytest.mark.parametrize("workers", [0, 1, 12])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 12), (200, 50)])
def test_it_fits_into_the_terminal(cameras: int, workers: int, width: int, height: int) -> None:
    lines = screen(deployment(cameras, workers), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_80x24_shows_the_important_columns_of_a_small_deployment_whole() -> None:
    lines = screen(deployment(3), 80, 24)
    header = next(line for line in lines if line.startswith("camera"))
    for name in ("state", "fps in", "fps out", "people", "age ms", "infer", "dropped"):
        assert name in header
    (row,) = (line for line in lines if line.startswith("door-2"))
    for value in ("online", "12.5", "12.4", "80.5", "1280 px, 12.5/s", "17"):
        assert value in row
    assert "…" not in row
    (worker,) = (line for line in lines if line.startswith("worker") and "openvino" in line)
    assert "openvino bf16 on cpu" in worker
    assert any("infer 1.2/14" in line for line in lines), "there is room for the times of the steps"


def test_names_of_columns_are_never_cut() -> None:
    for width in range(40, 140):
        for line in screen(deployment(2), width, 24):
            if line.startswith(("camera", "process")):
                assert "…" not in line


def test_cameras_that_are_off_on_purpose_are_no_trouble() -> None:
    off = [camera(1, "paused"), camera(2, "off"), camera(3, "offline")]
    off[0], off[1] = replace(off[0], trouble="paused"), replace(off[1], trouble="off until Mon 07:00 CET")
    cells = [cell for line in TopView(replace(deployment(0), cameras=off), "here").lines(100, 24) for cell in line]
    notes = {cell.text: cell.style for cell in cells if cell.text.startswith("door-") and ":" in cell.text}
    assert notes == {"door-2: off until Mon 07:00 CET": "dim", "door-3: no answer within 5 s": "red"}
    names = [cell.text.strip() for cell in cells if cell.text.startswith("door-") and ":" not in cell.text]
    assert names == ["door-3", "door-1", "door-2"]


def test_rows_without_room_are_counted_and_cameras_in_trouble_come_first() -> None:
    lines = screen(deployment(60, workers=12, offline=2), 80, 24)
    shown = [line.split()[0] for line in lines if line.startswith("door-") and "line" in line]
    assert shown[:2] == ["door-58", "door-59"]
    left = 60 - len(shown)
    assert f"… {left} more cameras: {left} online" in lines
    assert any(line.startswith("worker") for line in lines)
    assert any(line.startswith("… ") and "more processes: 60 ingest, " in line for line in lines)
    assert any("door-58: no answer within 5 s" in line for line in lines)


def test_once_shows_all_rows_whatever_the_height() -> None:
    shown = deployment(60, workers=2)
    lines = ["".join(cell.text for cell in line) for line in TopView(shown, "redis://h", whole=True).lines(80, None)]
    assert sum(line.startswith("door-") for line in lines) == 60
    assert not any("more camera" in line for line in lines)


def test_an_empty_deployment_says_so() -> None:
    text = "\n".join(screen(Overview(), 80, 24))
    assert "No camera has published a frame yet." in text
    assert "No process reports to this broker." in text


def texts(view: TopView, width: int, height: int) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in view.lines(width, height)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 12)])
def test_scrolling_shows_every_camera_and_every_process_once_in_order(width: int, height: int) -> None:
    shown = deployment(60, workers=12, offline=2)
    seen: list[str] = []
    last = TopView(shown, "redis://h", with_keys=True).hidden(width, height)
    for position in range(last + 2):
        lines = texts(TopView(shown, "redis://h", position=position, with_keys=True), width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert "q quits" in lines[-1]
        header = next(line for line in lines if line.startswith("camera"))
        assert "state" in header, "name and state are always whole"
        for row in lines:
            words = row.split() or [""]
            if words[0] in ("ingest", "worker") or (words[0].startswith("door-") and words[1] in ("online", "offline")):
                key = words[0] if words[0].startswith("door-") else " ".join(words)
                seen += [key] if key not in seen else []
    expected = [*(f"door-{n}" for n in (58, 59, *range(58)))]
    assert [key for key in seen if key.startswith("door-")] == expected
    whole = texts(TopView(shown, "redis://h", whole=True), width, 10**6)
    processes = {" ".join(line.split()) for line in whole if line.startswith(("ingest ", "worker "))}
    assert {key for key in seen if not key.startswith("door-")} >= processes - {
        one for one in processes if "read" in one
    }


def test_long_names_are_whole_and_other_columns_give_way() -> None:
    long = "the-camera-above-the-northern-entrance-of-hall-7"
    shown = Overview([replace(camera(0), name=long)])
    assert any(line.startswith(f"{long}  online") for line in texts(TopView(shown, "redis://h"), 80, 24))
    narrow = texts(TopView(shown, "redis://h"), 40, 12)
    assert any(line.startswith("the-camera-above-the-north") and line.endswith("…  online") for line in narrow)


def test_what_limits_the_deployment_stands_first_even_on_a_low_terminal() -> None:
    shown = replace(
        deployment(3, offline=1), bottlenecks=["engine busy 100 %: one more worker would serve 2 more cameras"]
    )
    assert texts(TopView(shown, "redis://h"), 80, 24)[1].startswith("engine busy 100 %")
    low = texts(TopView(shown, "redis://h"), 40, 12)
    assert low[1:3] == ["engine busy 100 %: one more worker would", "  serve 2 more cameras"]
    assert low[3].startswith("camera")
