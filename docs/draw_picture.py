"""Draws the README's picture: the skeletons of one frame of a run, without the photograph they came from.

posebus run CLIP.mp4 --out out --no-video
python -m docs.draw_picture out/CLIP.tracks.jsonl 160 docs/skeletons.png
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from recordings.results.draw import skeletons_only
from recordings.results.video import read_tracks

WIDTH_PX = 1280
MARGIN_PX = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tracks", type=Path, help="NAME.tracks.jsonl of a run")
    parser.add_argument("seq", type=int, help="number of the frame, from 0")
    parser.add_argument("picture", type=Path, help="PNG to write")
    arguments = parser.parse_args()
    frame = next(islice(read_tracks(arguments.tracks), arguments.seq, None))
    width, height = frame.size_px
    picture = skeletons_only(frame, (WIDTH_PX, round(WIDTH_PX * height / width)))
    used_rows = np.flatnonzero((picture != picture[-1, -1]).any(axis=(1, 2)))
    picture = picture[max(0, used_rows[0] - MARGIN_PX) : used_rows[-1] + MARGIN_PX]
    cv2.imwrite(str(arguments.picture), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
