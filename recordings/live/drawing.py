"""The annotated video of a live camera, from the pictures that were kept while it was recorded."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from posebus.errors import OutputError
from posebus.machine.kept_pictures import KeptPictures
from recordings.progress import Progress
from recordings.results.draw import draw_tracks
from recordings.results.files import writing
from recordings.results.tally import rate
from recordings.results.video import Mp4Writer, read_tracks


def draw_kept(pictures: Path, jsonl: Path, target: Path, fps: float | None, progress: Progress) -> int:
    """Write the video `target`: each frame in `jsonl` with its own picture, at the times of their capture.

    Returns how many frames had no picture, because keeping them had stopped. Raises OutputError.
    """
    task = f"{target.name.removesuffix('.annotated.mp4')} (video)"
    started_at_s = time.monotonic()
    missing = 0
    try:
        with writing(pictures):
            opened = KeptPictures(pictures)
        with opened as kept, Mp4Writer(target, fps) as video:
            for frame in read_tracks(jsonl):
                jpeg = kept.jpeg(frame.captured_at_ns)
                image_bgr = None if jpeg is None else cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
                if image_bgr is None:
                    missing += 1
                    continue
                draw_tracks(image_bgr, frame)
                video.add(image_bgr, frame.captured_at_ns)
                fps_now = rate(video.frames, time.monotonic() - started_at_s)
                progress.update(task, video.frames, len(kept), fps_now)
            video.complete()
    except OSError as error:
        raise OutputError(f"the kept pictures {pictures} cannot be read: {error.strerror or error}") from None
    finally:
        progress.finish(task)
    return missing
