"""The cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

from tracking.compiled import sources_digest


def test_change_in_a_subfolder_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "motion").mkdir()
    (tmp_path / "tracker.py").write_text("")
    (tmp_path / "motion" / "kalman.py").write_text("NOISE = 1.0\n")
    before = sources_digest(tmp_path)
    (tmp_path / "motion" / "kalman.py").write_text("NOISE = 2.0\n")
    assert sources_digest(tmp_path) != before


def test_same_sources_have_the_same_digest(tmp_path: Path) -> None:
    (tmp_path / "tracker.py").write_text("NOISE = 1.0\n")
    assert sources_digest(tmp_path) == sources_digest(tmp_path)
