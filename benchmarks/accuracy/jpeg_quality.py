"""What sending pictures as JPEG costs in accuracy: detections with and without it, by quality.

    python -m benchmarks.accuracy.jpeg_quality [--imgsz 960] [--data ../shared/data]

Prints, for every quality: bytes a picture, and how far people and keypoints are from those of the untouched picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import simplejpeg

from benchmarks.accuracy.parity import ROOT, agreement, ours, pictures, settings_for
from ingest.publishing.encoding import encode
from ingest.sources.decoding.pixels import RowsImage
from posebus.config.loading import cache_folder
from posebus.config.settings import CameraSettings, Settings
from workers.detections import ImageArray
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator

QUALITIES = (80, 85, 90, 95)


def through_jpeg(image_bgr: ImageArray, quality: int) -> tuple[ImageArray, int]:
    """The picture as a worker gets it, BGR, and the bytes that travelled."""
    data = encode(RowsImage(image_bgr), CameraSettings(source="-", jpeg_quality=quality)).data
    return np.ascontiguousarray(simplejpeg.decode_jpeg(data, "BGR")), len(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments = parser.parse_args()
    settings = settings_for("openvino", "fp32", arguments.imgsz)
    estimator = PoseEstimator(load_engine(settings, cache_folder(Settings())), settings)
    for name, images in pictures(arguments.data).items():
        untouched = ours(estimator, images)
        for quality in QUALITIES:
            sent = [through_jpeg(image, quality) for image in images]
            kilobytes = np.mean([size for _, size in sent]) / 1000
            line = agreement(ours(estimator, [image for image, _ in sent]), untouched).line()
            print(f"{name:32s} quality {quality}  {kilobytes:4.0f} kB  {line}", flush=True)
    estimator.engine.close()


if __name__ == "__main__":
    main()
