"""The picture of a frame as it was sent to the workers."""

from __future__ import annotations

import cv2
import numpy as np

from posebus.errors import BadPicture
from posebus.messages import Frame
from recordings.results.draw import Image


def decoded(frame: Frame) -> Image:
    """Return its picture, BGR (H, W, 3), in square pixels. Raises BadPicture."""
    data = np.frombuffer(frame.data, np.uint8)
    width_px, height_px = frame.image_size_px
    if frame.encoding == "raw" and data.size == width_px * height_px * 3:
        return data.reshape(height_px, width_px, 3).copy()
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if frame.encoding == "jpeg" and data.size else None
    if image is None:
        raise BadPicture(f"the picture of frame {frame.seq} of camera {frame.camera} cannot be decoded")
    return np.asarray(image, np.uint8)
