from __future__ import annotations

import os
from pathlib import Path

from workers.weights.compiled import compiled_folder, drop_oldest_compiled


def test_only_the_newest_compiled_networks_are_kept(tmp_path: Path) -> None:
    folder = compiled_folder(tmp_path / "network.onnx")
    folder.mkdir()
    for number in range(5):
        file = folder / f"{number}.blob"
        file.write_bytes(b"x")
        os.utime(file, (1000 - number, 1000 - number))
    (folder / "other").write_bytes(b"x")
    drop_oldest_compiled(folder, kept=2)
    assert sorted(file.name for file in folder.iterdir()) == ["0.blob", "1.blob", "other"]


def test_folder_that_is_missing_needs_no_room(tmp_path: Path) -> None:
    drop_oldest_compiled(tmp_path / "none")
