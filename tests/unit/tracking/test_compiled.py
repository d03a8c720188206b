"""The cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

from tracking.compiled import folder_name, sources_digest


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


def test_machine_code_of_a_copy_at_another_place_is_not_taken_for_its_own(tmp_path: Path) -> None:
    """numba compiles it again there, which takes minutes: the tracker has to say so."""
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "tracker.py").write_text("NOISE = 1.0\n")
    one, two = tmp_path / "one", tmp_path / "two"
    assert sources_digest(one) == sources_digest(two)
    assert folder_name(one) != folder_name(two)
    assert folder_name(one) == folder_name(one)
