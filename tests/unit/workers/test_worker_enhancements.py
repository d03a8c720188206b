"""What the process report shows of enhanced frames."""

from __future__ import annotations

from posebus.bus.frame_consumer import CAMERAS_KNOWN
from posebus.telemetry.process_report import Enhancement
from workers.inference.enhancements import CAMERAS_REPORTED, EnhancementLog


def test_last_enhanced_frame_of_each_camera_is_kept() -> None:
    log = EnhancementLog()
    log.record("door", 10, "dark")
    log.record("yard", 20, "hazy")
    log.record("door", 30, "noisy")
    assert log.newest() == {
        "door": Enhancement(captured_at_ns=30, text="noisy"),
        "yard": Enhancement(captured_at_ns=20, text="hazy"),
    }


def test_cameras_whose_frames_are_newest_are_reported_first() -> None:
    log = EnhancementLog()
    for number in range(CAMERAS_REPORTED + 5):
        log.record(f"camera {number}", number, "dark")
    assert list(log.newest()) == [f"camera {number}" for number in range(CAMERAS_REPORTED + 4, 4, -1)]


def test_log_of_very_many_cameras_starts_anew() -> None:
    log = EnhancementLog()
    for number in range(CAMERAS_KNOWN + 1):
        log.record(f"camera {number}", number, "dark")
    assert list(log.newest()) == [f"camera {CAMERAS_KNOWN}"]
