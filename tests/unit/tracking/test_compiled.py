"""The cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

from tracking.compiled import sources_digest


def test_change_in_a_file_of_a_subfolder_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "motion").mkdir()
    (tmp_path / "tracker.py").write_text("")
    (tmp_path / "motion" / "kalman.py").write_text("NOISE = 1.0\n")
    before = sources_digest(tmp_path)
    (tmp_path / "motion" / "kalman.py").write_text("NOISE = 2.0\n")
    assert sources_digest(tmp_path) != before


def test_digest_is_the_same_for_the_same_sources(tmp_path: Path) -> None:
    (tmp_path / "tracker.py").write_text("NOISE = 1.0\n")
    assert sources_digest(tmp_path) == sources_digest(tmp_path)
