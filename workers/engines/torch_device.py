"""The letterbox and the reading of detections as tensor operations, on the device that holds the tensors.

The arithmetic is that of `workers.images.preprocess` and `workers.outputs.postprocess`, for a whole batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from workers.detections import Detections, Head, Limits
from workers.images.preprocess import PADDING, Letterbox


def letterbox(images: Sequence[Any], fits: Sequence[Letterbox], dtype: Any) -> Any:
    """Return the input (B, 3, H, W) in 0..1, of `dtype`, channels last, from u8 RGB tensors (3, h, w) on one device.

    All of `fits` have the same `input_px`. Values are rounded to whole grey levels, as by OpenCV's resize.
    """
    import torch
    from torch.nn.functional import interpolate

    width_px, height_px = fits[0].input_px
    canvas = torch.full((len(images), 3, height_px, width_px), PADDING / 255, dtype=dtype, device=images[0].device)
    canvas = canvas.contiguous(memory_format=torch.channels_last)
    index = 0
    # Neighbours of equal size are resized together: launching kernels per picture takes longer than computing them.
    for (shape, fit), run in groupby(zip(images, fits, strict=True), key=lambda pair: (tuple(pair[0].shape), pair[1])):
        same = [image for image, _ in run]
        part = torch.stack(same).to(torch.float32)
        size = (fit.resized_px[1], fit.resized_px[0])
        if shape[1:] != size:
            part = interpolate(part, size=size, mode="bilinear", align_corners=False).round_()
        left, top = fit.offset_px
        rows, columns = slice(top, top + size[0]), slice(left, left + size[1])
        canvas[index : index + len(same), :, rows, columns] = part.div_(255).to(dtype)
        index += len(same)
    return canvas


def decode_in_fp32(head: Any) -> None:
    """Make ultralytics' pose head decode boxes and joints in fp32 while the network computes in lower precision.

    From 512 on, positions in fp16 have steps of half a pixel, in bf16 of four: they would jitter, the more the larger
    `imgsz` is. The convolutions are unchanged, and the added cost is negligible.
    """
    decode = head._inference
    head.dfl.float()

    def in_fp32(raw: dict[str, Any]) -> Any:
        feats = [feat.float() for feat in raw["feats"]]
        return decode({**{name: part.float() for name, part in raw.items() if name != "feats"}, "feats": feats})

    head._inference = in_fp32


def people_rows(output: Any, head: Head, limits: Limits) -> tuple[Any, Any]:
    """Return the people of a batch on the device, sorted by picture and score.

    Rows are (N, 5 + K * dims) with x1, y1, x2, y2, score, keypoints; the second tensor (N,) has each row's index in the
    batch. `output` (B, …) is in `head`'s layout. The host waits for the device, because N depends on the output.
    """
    import torch
    from torchvision.ops import batched_nms

    if head.end_to_end:
        picture, kept = torch.nonzero(output[..., 4] > limits.conf, as_tuple=True)
        rows = output[picture, kept]
        return _best(torch.cat((rows[:, :5], rows[:, 6:]), dim=1).float(), picture, len(output), limits.max_people)
    scores, classes = output[:, 4 : 4 + head.classes].max(dim=1)
    picture, anchors = torch.nonzero(scores > limits.conf, as_tuple=True)
    columns = output[picture, :, anchors].float()
    half = columns[:, 2:4] / 2
    boxes = torch.cat((columns[:, :2] - half, columns[:, :2] + half), dim=1)
    chosen = scores[picture, anchors].float()
    kept = batched_nms(boxes, chosen, picture * head.classes + classes[picture, anchors], limits.iou)
    rows = torch.cat((boxes[kept], chosen[kept, None], columns[kept, 4 + head.classes :]), dim=1)
    return _best(rows, picture[kept], len(output), limits.max_people)


def _best(rows: Any, picture: Any, count: int, max_people: int) -> tuple[Any, Any]:
    """Return the best `max_people` rows of each picture, sorted by picture; `rows` are sorted by score."""
    import torch

    order = torch.argsort(picture, stable=True)
    rows, picture = rows[order], picture[order]
    first = torch.searchsorted(picture, torch.arange(count, device=picture.device))
    place = torch.arange(len(picture), device=picture.device) - first[picture]
    within = place < max_people
    return rows[within], picture[within]


def detections(rows: Any, picture: Any, count: int, head: Head) -> list[Detections]:
    """Return the result of `people_rows` on the host, one `Detections` per picture."""
    table: np.ndarray[Any, np.dtype[np.float32]] = rows.cpu().numpy()
    ends = np.searchsorted(picture.cpu().numpy(), np.arange(1, count + 1))
    found = []
    for part in np.split(table, ends[:-1]):
        points = part[:, 5:].reshape(len(part), head.keypoints, head.keypoint_dims)
        if head.keypoint_dims == 2:
            points = np.concatenate((points, np.ones_like(points[..., :1])), axis=-1)
        found.append(Detections(part[:, :4].copy(), part[:, 4].copy(), np.ascontiguousarray(points)))
    return found
