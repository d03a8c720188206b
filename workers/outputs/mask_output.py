"""Read outlined people from a segmentation network's outputs (pose networks: see `postprocess`).

As in YOLACT (Bolya et al. 2019) and ultralytics, a mask is a weighted sum of prototypes, cropped to the person's box.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, Head, Limits
from workers.outputs.outline import outline
from workers.outputs.postprocess import MAX_CANDIDATES, detections_from_output, suppress, xyxy

CELL_PX = 4
"""Side of a prototype's cell, in pixels of the network's input."""


def people_in(outputs: Sequence[Float32Array], head: Head, limits: Limits) -> Detections:
    """Return the people in one frame's outputs (pose or segmentation network), in pixels of the network's input."""
    if head.mask_class is None:
        return detections_from_output(outputs[0], head, limits)
    return outlined_people(outputs[0], outputs[1], head, limits)


def outlined_people(output: Float32Array, prototypes: Float32Array, head: Head, limits: Limits) -> Detections:
    """Return people with masks and without keypoints.

    output: in the layout of `Head`, with C coefficients instead of keypoints: (4 + classes + C, anchors), or end to end
    (rows, 6 + C). prototypes: (C, H, W), `CELL_PX` pixels per cell. The result holds no reference to either.
    """
    read = _from_rows if head.end_to_end else _from_dense
    boxes, scores, coefficients = read(output, head, limits)
    return Detections(
        boxes_xyxy_px=boxes,
        scores=scores,
        keypoints_px=np.zeros((len(scores), 0, 3), np.float32),
        masks=tuple(mask_outline(row, prototypes, box) for row, box in zip(coefficients, boxes, strict=True)),
    )


def mask_outline(coefficients: Float32Array, prototypes: Float32Array, box_xyxy_px: Float32Array) -> Float32Array:
    """Return the polygon (M, 2) around one person's mask.

    The mask is where the sum of the prototypes (C, H, W), weighted by `coefficients` (C,) and enlarged, is positive
    inside the box (4,). Only the cells under the box are computed.
    """
    _, height, width = prototypes.shape
    size_px = np.tile((CELL_PX * width, CELL_PX * height), 2)
    left, top, right, bottom = np.clip(np.ceil(box_xyxy_px), 0, size_px).astype(int)
    if right <= left or bottom <= top:
        return np.zeros((0, 2), np.float32)
    # One cell more on each side, because pixels at the edge are interpolated between two cells.
    first_column, first_row = max(left // CELL_PX - 1, 0), max(top // CELL_PX - 1, 0)
    cells = prototypes[:, first_row : bottom // CELL_PX + 2, first_column : right // CELL_PX + 2]
    rows, columns = cells.shape[1:]
    coarse = (coefficients @ cells.reshape(len(cells), -1)).reshape(rows, columns)
    fine = cv2.resize(coarse, (CELL_PX * columns, CELL_PX * rows), interpolation=cv2.INTER_LINEAR)
    x, y = left - CELL_PX * first_column, top - CELL_PX * first_row
    polygon = outline(fine[y : y + bottom - top, x : x + right - left] > 0)
    return polygon + np.array((left, top), np.float32)


def _from_rows(rows: Float32Array, head: Head, limits: Limits) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return boxes (N, 4), scores (N,) and coefficients (N, C), best score first."""
    kept = np.flatnonzero((rows[:, 4] > limits.conf) & (rows[:, 5] == head.mask_class))[: limits.max_people]
    return rows[kept, :4], rows[kept, 4], rows[kept, 6:]


def _from_dense(dense: Float32Array, head: Head, limits: Limits) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return the same as `_from_rows`; a box whose score is higher for another class is not a person."""
    first_coefficient = 4 + head.classes
    classes = dense[4:first_coefficient]
    people = classes[head.mask_class]
    candidates = np.flatnonzero(people > limits.conf)
    candidates = candidates[people[candidates] >= classes[:, candidates].max(axis=0)]
    candidates = candidates[np.argsort(-people[candidates], kind="stable")[:MAX_CANDIDATES]]
    boxes = xyxy(dense[:4, candidates].T)
    kept = suppress(boxes, limits.iou, limits.max_people)
    candidates = candidates[kept]
    return boxes[kept], people[candidates], np.ascontiguousarray(dense[first_coefficient:, candidates].T)
