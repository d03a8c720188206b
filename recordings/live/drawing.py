"""The annotated video of a live camera, from the pictures that were kept while it was recorded."""

from __future__ import annotations

import time
from itertools import tee
from pathlib import Path

import cv2
import numpy as np

from posebus.config.cameras.privacy import HEADS
from posebus.errors import OutputError
from posebus.machine.kept_pictures import KeptPictures
from recordings.privacy.timeline import HeadTimeline
from recordings.progress import Progress
from recordings.results.files import writing
from recordings.results.tally import rate
from recordings.results.video import PLAIN, Mp4Writer, Style, read_tracks


def draw_kept(
    pictures: Path,
    jsonl: Path,
    target: Path,
    fps: float | None,
    progress: Progress,
    *,
    style: Style = PLAIN,
) -> int:
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
            frames, ahead = tee(read_tracks(jsonl))
            heads = HeadTimeline(ahead) if style.privacy == HEADS else None
            for frame in frames:
                jpeg = kept.jpeg(frame.captured_at_ns)
                image_bgr = None if jpeg is None else cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
                if image_bgr is None:
                    missing += 1
                    continue
                if heads is not None:
                    heads.hide(image_bgr, frame.captured_at_ns)
                video.add(style.apply(image_bgr, frame), frame.captured_at_ns)
                fps_now = rate(video.frames, time.monotonic() - started_at_s)
                progress.update(task, video.frames, len(kept), fps_now)
            video.complete()
    except OSError as error:
        raise OutputError(f"the kept pictures {pictures} cannot be read: {error.strerror or error}") from None
    finally:
        progress.finish(task)
    return missing
