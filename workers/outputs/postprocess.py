"""Read people from a network's output: candidates by score, non-maximum suppression, and keypoints of those kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array, IndexArray
from posebus.boxes import iou_matrix
from workers.detections import Detections, Head, Limits

MAX_CANDIDATES = 30_000
"""At most this many boxes, the best ones, enter suppression; the same bound as in ultralytics."""

_BLOCK = 256
_CLASS_GAP_PX = np.float32(7680)


def detections_from_output(output: Float32Array, head: Head, limits: Limits) -> Detections:
    """Return the people in one frame's output (layouts: see `Head`), in pixels of the network's input.

    Only boxes of one class suppress each other. End-to-end heads suppress inside the network, so their boxes are only
    filtered. All classes count as people, because pose models have one. The result holds no reference to `output`.
    """
    return _from_rows(output, head, limits) if head.end_to_end else _from_dense(output, head, limits)


def _from_rows(rows: Float32Array, head: Head, limits: Limits) -> Detections:
    kept = np.flatnonzero(rows[:, 4] > limits.conf)[: limits.max_people]
    chosen = rows[kept]
    return Detections(
        boxes_xyxy_px=chosen[:, :4].copy(),
        scores=chosen[:, 4].copy(),
        keypoints_px=_keypoints(chosen[:, 6:], head),
    )


def _from_dense(dense: Float32Array, head: Head, limits: Limits) -> Detections:
    first_keypoint_row = 4 + head.classes
    class_scores = dense[4:first_keypoint_row]
    # One pass over the score row; the other 55 rows are read only in the few columns that pass.
    best = class_scores[0] if head.classes == 1 else class_scores.max(axis=0)
    candidates = np.flatnonzero(best > limits.conf)
    order = np.argsort(-best[candidates], kind="stable")[:MAX_CANDIDATES]
    candidates = candidates[order]
    scores = best[candidates]
    boxes = xyxy(dense[:4, candidates].T)
    separated = boxes
    if head.classes > 1:
        classes = class_scores[:, candidates].argmax(axis=0).astype(np.float32)
        separated = boxes + classes[:, None] * _CLASS_GAP_PX
    kept = suppress(separated, limits.iou, limits.max_people)
    return Detections(
        boxes_xyxy_px=np.ascontiguousarray(boxes[kept]),
        scores=np.ascontiguousarray(scores[kept]),
        keypoints_px=_keypoints(dense[first_keypoint_row:, candidates[kept]].T, head),
    )


def suppress(boxes_xyxy_px: Float32Array, iou: float, max_kept: int) -> IndexArray:
    """Greedy non-maximum suppression: return the indices of the boxes (N, 4) that no better kept box overlaps.

    Boxes are sorted by score. They are processed in blocks, so that thousands of candidates need no N x N matrix, and a
    few dozen need a single one.
    """
    kept = np.empty(0, np.intp)
    for start in range(0, len(boxes_xyxy_px), _BLOCK):
        block = boxes_xyxy_px[start : start + _BLOCK]
        free = np.all(iou_matrix(boxes_xyxy_px[kept], block) <= iou, axis=0)
        kept = np.concatenate((kept, start + _suppress_block(block, free, iou)))
        if len(kept) >= max_kept:
            break
    return kept[:max_kept]


def _suppress_block(block: Float32Array, free: npt.NDArray[np.bool_], iou: float) -> IndexArray:
    """Return the indices kept within a block; `free` marks boxes that earlier blocks leave, and is overwritten."""
    too_close = iou_matrix(block, block) > iou
    kept = []
    for index in range(len(block)):
        if free[index]:
            kept.append(index)
            free &= ~too_close[index]
    return np.array(kept, np.intp)


def xyxy(boxes_cxcywh: Float32Array) -> Float32Array:
    """Convert boxes (N, 4) from centre and size to left, top, right, bottom."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate((boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half), axis=1)


def _keypoints(values: Float32Array, head: Head) -> Float32Array:
    """Reshape (N, K * dims) to (N, K, 3); without keypoint confidences, the confidence is 1."""
    points = values.reshape(len(values), head.keypoints, head.keypoint_dims)
    if head.keypoint_dims == 2:
        points = np.concatenate((points, np.ones_like(points[..., :1])), axis=-1)
    return np.ascontiguousarray(points, dtype=np.float32)
