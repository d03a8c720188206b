"""The columns of a table of tracks, one row for each track in each frame: names, types, units. Pure.

CSV and Parquet files hold `FILE_COLUMNS`, in this order. In a table that was read, `SOURCE_COLUMNS` come before them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.coco import COCO_KEYPOINT_NAMES

Array = npt.NDArray[Any]

KEYPOINTS = len(COCO_KEYPOINT_NAMES)


class TrackColumn(NamedTuple):
    """One column: `kind` is its type (`text` or the name of a numpy type), `missing` what stands where none is known.

    `meaning` says what it holds, with the unit.
    """

    name: str
    kind: str
    meaning: str
    missing: Any = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of the column; texts are as long as the longest."""
        return np.dtype("U" if self.kind == "text" else self.kind)

    def empty(self, rows: int) -> Array:
        """Return a column without a known value."""
        return np.full(rows, self.missing, None if self.kind == "text" else self.dtype)


_NAN = float("nan")

SOURCE_COLUMNS = (
    TrackColumn("camera", "text", "the camera, or the name of the recording", ""),
    TrackColumn("epoch", "int64", "the run of the camera's source; 1 in the files of a recording", 1),
)

_TRACK_COLUMNS = (
    TrackColumn("frame", "int64", "number of the frame, from 0"),
    TrackColumn("time_s", "float64", "seconds from the start of the recording", _NAN),
    TrackColumn("captured_at_ns", "int64", "capture time in nanoseconds, as in the messages"),
    TrackColumn("track_id", "int64", "number of the person"),
    TrackColumn("state", "text", "tentative, confirmed (present), lost or ended", "confirmed"),
    TrackColumn("coasted", "bool", "whether box and keypoints are predicted: not detected in this frame"),
    TrackColumn("inferred", "bool", "whether the network saw this frame", True),
    TrackColumn("frame_width_px", "int32", "width of the frame in pixels"),
    TrackColumn("frame_height_px", "int32", "height of the frame in pixels"),
    TrackColumn("score", "float32", "score of the detection, 0 to 1", _NAN),
    TrackColumn("age_s", "float32", "seconds since the person's first frame", _NAN),
    TrackColumn("box_x1_px", "float32", "left side of the box, pixels from the left border of the frame", _NAN),
    TrackColumn("box_y1_px", "float32", "upper side of the box, pixels from the upper border of the frame", _NAN),
    TrackColumn("box_x2_px", "float32", "right side of the box", _NAN),
    TrackColumn("box_y2_px", "float32", "lower side of the box", _NAN),
    TrackColumn("velocity_x_px_s", "float32", "velocity of the box's centre to the right, pixels per second", _NAN),
    TrackColumn("velocity_y_px_s", "float32", "velocity of the box's centre downwards, pixels per second", _NAN),
)

_FLOOR_COLUMNS = (
    TrackColumn("position_x_m", "float32", "x of the feet on the floor in metres, with a ground plane", _NAN),
    TrackColumn("position_y_m", "float32", "y of the feet on the floor in metres", _NAN),
    TrackColumn("speed_m_s", "float32", "speed on the floor over about a second, metres per second", _NAN),
    TrackColumn("distance_m", "float32", "metres walked on the floor since the person's first frame", _NAN),
)

_KEYPOINT_COLUMNS = tuple(
    column
    for keypoint in COCO_KEYPOINT_NAMES
    for column in (
        TrackColumn(f"{keypoint}_x_px", "float32", "pixels from the left border of the frame", _NAN),
        TrackColumn(f"{keypoint}_y_px", "float32", "pixels from the upper border of the frame", _NAN),
        TrackColumn(f"{keypoint}_confidence", "float32", "confidence of the network, 0 to 1", _NAN),
        TrackColumn(f"{keypoint}_visibility", "uint8", "0 unknown, 1 hidden (predicted), 2 visible, as in COCO"),
    )
)

FLOOR_COLUMNS = tuple(column.name for column in _FLOOR_COLUMNS)

NEEDED = ("frame", "track_id")
"""Columns without which a file does not hold tracks; a missing one of the others gets the value for an unknown one."""

FILE_COLUMNS = _TRACK_COLUMNS + _KEYPOINT_COLUMNS + _FLOOR_COLUMNS
"""The columns of CSV and Parquet files, in their order."""

COLUMNS = SOURCE_COLUMNS + FILE_COLUMNS
"""The columns of a table that was read."""

RECORDING = TrackColumn("recording", "text", "name of the recording's files", "")
"""The first column of a table that was read from a folder."""

REPEATED_TEXTS = (RECORDING.name, "camera", "state")
"""Columns of few different texts: categories in data frames, a dictionary in Arrow and Parquet."""

BOX_COLUMNS = tuple(f"box_{side}_px" for side in ("x1", "y1", "x2", "y2"))


def keypoint_columns(part: str) -> list[str]:
    """Return the names of the columns with `part` (x_px, y_px, confidence or visibility) of all keypoints."""
    return [f"{keypoint}_{part}" for keypoint in COCO_KEYPOINT_NAMES]
