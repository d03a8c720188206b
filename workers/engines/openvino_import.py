"""Importing OpenVINO without its telemetry.

Importing `openvino` tells a Google server about it, and writes an identifier into ~/intel, if `openvino_telemetry` can
be imported; NNCF does the same for what is asked of it. A worker stays off the network and out of the home folder.
There is no switch for it except in a file under ~/intel.
"""

from __future__ import annotations

import sys
from typing import Any

_TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """The module `openvino`; raises ImportError where it is not installed."""
    switch_telemetry_off()
    import openvino

    return openvino


def switch_telemetry_off() -> None:
    """From now on `openvino_telemetry` is as if it were not installed, which OpenVINO and NNCF expect to happen."""
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
