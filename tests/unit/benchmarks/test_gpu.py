"""The pure parts of the GPU benchmark: its tables, its load, and its parser of nvidia-smi's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gpu import command as gpu
from benchmarks.gpu.pipeline import Load, frame, pipeline_settings
from benchmarks.gpu.report import BareRun, Measurements, PeerRun, PipelineRun, ratios, report
from benchmarks.gpu.usage import parse


def measured() -> Measurements:
    """Two runs; in the second one the whole machine was twice as fast."""
    return Measurements(
        {"GPU": "some card", "torch": "2.14"},
        bare=[BareRun(0, 16, 1000.0), BareRun(0, 8, 500.0), BareRun(1, 16, 2000.0)],
        ours=[
            PipelineRun(0, 16, 1, 800.0, 300.0, 70.0, 2000.0),
            PipelineRun(0, 16, 2, 950.0, 310.0, 90.0, 4000.0),
            PipelineRun(1, 16, 1, 1600.0, 305.0, 80.0, 2000.0),
            PipelineRun(1, 16, 2, 1840.0, 0.0),
        ],
        theirs=[PeerRun(0, 120.0), PeerRun(1, 130.0)],
    )


def test_ratios_compare_only_sides_of_the_same_run() -> None:
    assert ratios(measured(), 16, 1) == [0.8, 0.8]
    assert ratios(measured(), 16, 2) == [0.95, 0.92]
    assert ratios(measured(), 8, 1) == []


def test_report_names_the_machine_and_shows_medians_and_ranges() -> None:
    text = report(measured())
    assert text.startswith("GPU some card, torch 2.14\n")
    assert "| 8 | 500.0 |" in text
    assert "| 16 | 1500.0 (1000.0 to 2000.0) |" in text
    assert "| 16 | 1 | 1200.0 (800.0 to 1600.0) | 0.80 | 80 | 75 % | 2000 MB | 302 |" in text
    assert "| 16 | 2 | 1395.0 (950.0 to 1840.0) | 0.94 | 93 | 90 % | 4000 MB | 155 |" in text
    assert "reached (0.94 at batch 16 with 2 workers)" in text
    assert "one stream: 125.0 (120.0 to 130.0) frames/s" in text


def test_report_states_a_missed_target_and_omits_what_was_not_measured() -> None:
    slow = Measurements({}, bare=[BareRun(0, 8, 100.0)], ours=[PipelineRun(0, 8, 1, 50.0, 0.0)])
    assert "missed (0.50 at batch 8 with 1 workers)" in report(slow)
    assert "| 8 | 1 | 50.0 | 0.50 | 3 | - | - | 0 (too few) |" in report(slow)
    assert report(Measurements({"GPU": "some card"})) == "GPU some card"


def test_json_holds_every_run(tmp_path: Path) -> None:
    measured().write(tmp_path / "gpu.json")
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert [len(found[side]) for side in ("bare", "ours", "theirs")] == [3, 4, 2]
    assert found["ours"][3]["gpu_percent"] is None


@pytest.mark.parametrize(
    ("text", "sample"),
    [("97, 2210\n", (97.0, 2210.0)), ("[N/A], 10\n", None), ("", None), ("No devices were found\n", None)],
)
def test_answer_of_nvidia_smi_is_parsed_or_ignored(text: str, sample: tuple[float, float] | None) -> None:
    assert parse(text) == sample


def test_neighbouring_cameras_show_different_pictures() -> None:
    load = Load((b"a", b"b", b"c"), (640, 480), 2, 0.0, 1.0)
    assert [frame(load, place, 1, seq).data for seq in (0, 1, 2) for place in (0, 1)] == [
        b"a", b"b", b"b", b"c", b"c", b"a",
    ]  # fmt: skip
    assert frame(load, 1, 1, 0).camera == "bench-1"


def test_backlog_exceeds_the_frames_in_flight() -> None:
    load = Load((bytes(60_000), bytes(80_000)), (640, 480), 32, 0.0, 1.0)
    held = 4 * 32 * 4
    assert load.backlog_bytes(batch=32, workers=4) * 32 == pytest.approx(3 * held * 70_000)
    assert load.backlog_bytes(batch=1, workers=1) == 1_000_000


def test_deployment_has_workers_only() -> None:
    options = gpu.parse(["--precision", "bf16"])
    settings = pipeline_settings("unix:///x", gpu.worker_settings(options, 8), 4, Path("/cache"), (640, 480))
    assert (settings.fleet.workers, settings.fleet.trackers) == (4, 0)
    assert (settings.worker.engine, settings.worker.batch, settings.worker.precision) == ("torch", 8, "bf16")
    assert settings.worker.warm_up_px == ((640, 480),)


def test_machine_without_a_gpu_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "has_cuda", lambda: False)
    assert gpu.main([]) == 1
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.count("\n") == 1
    assert "no CUDA device" in errors
