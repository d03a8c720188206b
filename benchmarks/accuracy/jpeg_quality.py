"""The loss of accuracy by JPEG: detections with and without it, by quality.

    python -m benchmarks.accuracy.jpeg_quality [--imgsz 960] [--data ../shared/data]

It prints for every quality the bytes of a picture, and the distances between the people and keypoints of the compressed
and the original picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.accuracy.parity import agreement, ours, pictures, settings_for
from benchmarks.common.paths import DATA
from ingest.publishing.encoding import encode
from ingest.sources.decoding.pixels import RowsImage
from posebus.config.loading import cache_folder
from posebus.config.settings import CameraSettings, Settings
from workers.detections import ImageArray
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator

QUALITIES = (80, 85, 90, 95)


def through_jpeg(image_bgr: ImageArray, quality: int) -> tuple[ImageArray, int]:
    """The picture that a worker decodes, u8 BGR, and the bytes that were sent."""
    data = encode(RowsImage(image_bgr), CameraSettings(source="-", jpeg_quality=quality)).data
    return np.ascontiguousarray(simplejpeg.decode_jpeg(data, "BGR")), len(data)


def main() -> None:
    """Print a line for each quality."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    arguments = parser.parse_args()
    settings = settings_for("openvino", "fp32", arguments.imgsz)
    estimator = PoseEstimator(load_engine(settings, cache_folder(Settings())), settings)
    for name, images in pictures(arguments.data).items():
        original = ours(estimator, images)
        for quality in QUALITIES:
            sent = [through_jpeg(image, quality) for image in images]
            kilobytes = np.mean([size for _, size in sent]) / 1000
            line = agreement(ours(estimator, [image for image, _ in sent]), original).line()
            print(f"{name:32s} quality {quality}  {kilobytes:4.0f} kB  {line}", flush=True)
    estimator.engine.close()


if __name__ == "__main__":
    main()
