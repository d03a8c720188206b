"""Importing OpenVINO without its telemetry.

If `openvino_telemetry` can be imported, importing `openvino` reports to a Google server and writes an identifier into
~/intel, and NNCF reports its calls. A worker must use neither that network connection nor the home folder, and the only
switch is a file under ~/intel.
"""

from __future__ import annotations

import sys
from typing import Any

_TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """Return the module `openvino`; raises ImportError where it is not installed."""
    switch_telemetry_off()
    import openvino

    return openvino


def switch_telemetry_off() -> None:
    """Make `openvino_telemetry` fail to import from now on, a case that OpenVINO and NNCF handle."""
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
