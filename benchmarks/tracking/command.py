"""Trackers on the same detections, scored by TrackEval against ground truth: ours and those on PyPI.

    python -m benchmarks.tracking [--data DIR] [--imgsz 640 NAME=1280] [--trackers posebus,roboflow] [--out DIR]

The clips are all NAME.gt.txt (MOTChallenge) with a video NAME.mp4, .avi, .mkv, ... beside it. Poses are predicted once
by ultralytics and cached. All trackers get the same detections, their default settings, the clip's rate and the frames'
times if they accept them, and the pictures if they use them. Each clip gives a table over every frame, and tables with
frames dropped, detections removed, boxes shaken and keypoints removed. Then follow synthetic scenes and crowds, which
have no colour histograms, and the smoothness of our tracker. The row `bound` is the best possible result with these
detections: each detection has the identity of the person that it matches.

Microseconds are those of a tracker's own update call: the median over the frames, and of that the median of --runs
runs, in which the trackers alternate. Run it as a module from the repository's root: as a script, its name would hide
the package `tracking`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.common.annotated import AnnotatedClip
from benchmarks.common.clips import Clip, load_clip
from benchmarks.common.mot import read_distractors, read_mot
from benchmarks.common.paths import DATA, poses_cache
from benchmarks.tracking.peers import TRACKERS, chosen, installed
from benchmarks.tracking.report import ComparisonReport, SequenceResult
from benchmarks.tracking.scores import ReportProgress, Scores, compared, stressed
from benchmarks.tracking.smoothness import all_measured
from benchmarks.tracking.stresses import STRESSES
from benchmarks.tracking.table import Table, mean_lines, smoothness_table

VIDEOS = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".ts"})
CROWDS = {50: 10.0, 200: 4.0}
"""Seconds of a synthetic crowd by people a frame; the larger one is short because some trackers take 0.1 s a frame."""
CROWD_FPS = 25.0


def arguments() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of videos and NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=poses_cache(), help="folder of cached poses")
    parser.add_argument("--model", default="yolo11n-pose", help="network whose poses are tracked")
    parser.add_argument(
        "--imgsz", nargs="+", action="extend", metavar="N|NAME=N", help="input size for all clips or for one (640)"
    )
    parser.add_argument(
        "--fps", nargs="+", action="extend", metavar="N|NAME=N", help="frame rate of clips whose file has a wrong one"
    )
    parser.add_argument(
        "--trackers",
        default="posebus,ultralytics,roboflow,boxmot,norfair",
        help=f"families or names of trackers: {', '.join(TRACKERS)}",
    )
    parser.add_argument("--runs", type=int, default=3, help="alternating runs for the median time (3)")
    parser.add_argument("--no-stress", dest="stress", action="store_false", help="only the table over every frame")
    parser.add_argument("--scenes", type=int, default=2, help="synthetic scenes of each kind (2)")
    parser.add_argument("--no-crowds", dest="crowds", action="store_false", help="leave out synthetic crowds")
    parser.add_argument("--no-smoothness", dest="smoothness", action="store_false", help="leave out smoothness")
    parser.add_argument("--out", type=Path, help="folder for results.json, results.md and plots")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def sequences(folder: Path) -> dict[str, tuple[Path, Path]]:
    """(video, ground truth) by name. Raises SystemExit if there is none."""
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not a folder: name one with --data")
    found = {}
    for truth in sorted(folder.glob("*.gt.txt")):
        name = truth.name.removesuffix(".gt.txt")
        videos = [path for path in sorted(folder.glob(f"{name}.*")) if path.suffix.lower() in VIDEOS]
        if videos:
            found[name] = (videos[0], truth)
        else:
            print(f"{truth} is left out: there is no video {name}.mp4, .avi, .mkv, ... beside it", file=sys.stderr)
    if not found:
        raise SystemExit(f"{folder} holds no video with its ground truth NAME.gt.txt beside it")
    return found


def numbers_of(option: str, values: list[str] | None, names: list[str]) -> dict[str, float]:
    """Values of NAME=N by name, and of N under the empty name. Raises SystemExit for an unknown name or a number not
    above 0."""
    numbers: dict[str, float] = {}
    for value in values or []:
        name, _, number = value.rpartition("=")
        if name and name not in names:
            raise SystemExit(f"{option} {value}: the clips are {', '.join(names)}")
        try:
            numbers[name] = float(number)
        except ValueError:
            numbers[name] = 0.0
        if not numbers[name] > 0:
            raise SystemExit(f"{option} {value}: expected a number above 0, or NAME=number")
    return numbers


@contextmanager
def steps(title: str, total: int) -> Iterator[ReportProgress]:
    """Show progress on stderr while the context is open.

    The display is refreshed by each step, because a refreshing thread would disturb the measured times.
    """
    print(title, file=sys.stderr, flush=True)
    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=total)

        def step(done: str) -> None:
            progress.update(task, advance=1, description=done, refresh=True)

        yield step


def show(table: Table) -> None:
    """Print a table for a terminal."""
    print(f"\n{table.text()}", flush=True)


def sequence(annotated: AnnotatedClip, names: list[str], imgsz: int, options: argparse.Namespace) -> SequenceResult:
    """The comparison on one clip over every frame, and under the stresses unless --no-stress is given."""
    clip = annotated.clip
    result = SequenceResult(
        name=clip.name, frames=len(annotated.frames), fps=clip.fps, model=options.model, imgsz=imgsz, plain={}
    )
    with steps(f"{clip.name}: {len(names)} trackers, {options.runs} runs", options.runs * len(names)) as step:
        result = replace(result, plain=compared(annotated, names, options.runs, step))
    show(result.tables()[0])
    if not options.stress:
        return result
    with steps(f"{clip.name}: {len(STRESSES)} stresses", len(STRESSES) * len(result.plain)) as step:
        result = replace(result, stressed=stressed(annotated, result.plain, step))
    for table in result.tables()[1:]:
        show(table)
    return result


def load_annotated(
    video: Path, truth_path: Path, imgsz: int, fps: float | None, options: argparse.Namespace
) -> AnnotatedClip:
    """A clip with its poses and its ground truth. Raises SystemExit for a file that does not fit."""
    truth = read_mot(truth_path, truth=True)
    if not truth:
        raise SystemExit(f"{truth_path} holds no row with a person that counts")
    clip = load_clip(video, options.model, imgsz, options.cache, fps)
    if max(truth) > len(clip.frames):
        raise SystemExit(
            f"{truth_path} annotates frame {max(truth)} of {video.name}, which has {len(clip.frames)} frames: "
            "they do not belong together"
        )
    return AnnotatedClip(clip, truth, read_distractors(truth_path))


def scenes(names: list[str], seeds: int) -> dict[str, dict[str, Scores]]:
    """Scores by kind of synthetic scene and tracker: means over `seeds` scenes, each tracker runs once over the
    frames."""
    from benchmarks.scenes.scene import KINDS, scene

    found = {}
    for kind in KINDS.values():
        with steps(f"synthetic scenes, {kind.name}", seeds * len(names)) as step:
            lines = []
            for seed in range(seeds):
                frames, truth = scene(kind, seed)
                lines.append(compared(AnnotatedClip(Clip(kind.name, None, kind.fps, frames), truth), names, 1, step))
        found[kind.name] = mean_lines(lines)
    return found


def crowds(names: list[str]) -> dict[int, dict[str, Scores]]:
    """Scores by people a frame and tracker; each tracker runs once over the frames."""
    from benchmarks.scenes.scene import crowd

    found = {}
    for people, seconds in CROWDS.items():
        print(f"simulating a crowd of {people} people", file=sys.stderr, flush=True)
        frames, truth = crowd(people, seconds, CROWD_FPS, 0)
        annotated = AnnotatedClip(Clip(f"crowd of {people}", None, CROWD_FPS, frames), truth)
        with steps(f"crowd of {people}: {len(frames)} frames", len(names)) as step:
            found[people] = compared(annotated, names, 1, step)
    return found


def main() -> None:
    """Compare the trackers, and print and write the tables as soon as they are measured."""
    options = arguments()
    clips = sequences(options.data)
    sizes = numbers_of("--imgsz", options.imgsz, list(clips))
    rates = numbers_of("--fps", options.fps, list(clips))
    names, missing = installed(chosen(options.trackers.split(",")))
    for sentence in missing:
        print(sentence, file=sys.stderr)
    report = ComparisonReport()

    def keep() -> None:
        if options.out:
            report.write(options.out)

    for name, (video, truth_path) in clips.items():
        imgsz = int(sizes.get(name, sizes.get("", 640)))
        annotated = load_annotated(video, truth_path, imgsz, rates.get(name, rates.get("")), options)
        report.sequences.append(sequence(annotated, names, imgsz, options))
        keep()
    if len(report.sequences) > 1:
        show(report.mean_table())
    if options.scenes:
        report.scenes = scenes(names, options.scenes)
        show(report.scenes_table())
        keep()
    if options.crowds:
        report.crowds = crowds(names)
        show(report.crowds_table())
        keep()
    if options.smoothness and "posebus" in names:
        report.smoothness = all_measured()
        show(smoothness_table(report.smoothness))
        keep()
