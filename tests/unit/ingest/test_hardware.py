from __future__ import annotations

from pathlib import Path

import pytest
from av.codec.hwaccel import hwdevices_available

from ingest.sources.decoding.hardware import choose_hardware, open_hardware, usable_hardware
from posebus.errors import SourceRejected


def test_auto_without_cards_decodes_in_software(tmp_path: Path) -> None:
    assert usable_hardware(tmp_path) == []
    assert open_hardware("auto", dev=tmp_path) is None
    assert open_hardware("off", dev=tmp_path) is None


def test_a_named_card_that_is_missing_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(
        SourceRejected, match=r"hardware_decoding is vaapi, .* \(usable: none\).* set it to auto or off"
    ):
        open_hardware("vaapi", dev=tmp_path)


def test_auto_chooses_the_most_capable_card_and_a_name_chooses_that_card() -> None:
    assert choose_hardware("auto", ["vaapi", "cuda"]) == "cuda"
    assert choose_hardware("vaapi", ["vaapi", "cuda"]) == "vaapi"
    assert choose_hardware("off", ["cuda"]) is None


def test_a_card_is_usable_if_it_has_a_device_file_and_answers(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidiactl").touch()
    asked: list[str] = []

    def answers(name: str) -> bool:
        asked.append(name)
        return False

    assert usable_hardware(tmp_path, answers) == []
    assert asked == [name for name in ("cuda",) if name in hwdevices_available()]
    assert usable_hardware(tmp_path, lambda name: True) == asked


def test_a_device_file_without_a_driver_is_not_usable(tmp_path: Path) -> None:
    if any(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has a card that would answer")
    (tmp_path / "nvidia0").touch()
    assert open_hardware("auto", dev=tmp_path) is None
