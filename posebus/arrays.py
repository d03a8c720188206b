"""Names for the array types of the code base, so that a name means the same dtype in every file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
FloatingArray = npt.NDArray[np.floating[Any]]
"""Any floating-point precision, for functions whose results have the precision of their arguments."""
BoolArray = npt.NDArray[np.bool_]
Int64Array = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]
UInt8Array = npt.NDArray[np.uint8]
