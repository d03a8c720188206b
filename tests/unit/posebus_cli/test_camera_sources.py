"""`posebus camera` writes no source that can never be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.errors import ConfigError
from posebus_cli.change.sources import refuse_unusable


def test_a_scheme_that_nothing_reads_is_refused() -> None:
    with pytest.raises(ConfigError, match="nope://x has a scheme that FFmpeg does not know"):
        refuse_unusable({"source": "nope://x"})


@pytest.mark.parametrize("fields", [{"source": "rtsp://192.0.2.1/live"}, {"source": "none.mp4"}, {"max_fps": 5}, {}])
def test_what_may_come_later_is_written(
    fields: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refuse_unusable(fields)
