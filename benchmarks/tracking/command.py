"""Trackers on the same detections, scored by TrackEval against ground truth: ours and what else PyPI has.

    python -m benchmarks.tracking [--data DIR] [--imgsz 640 NAME=1280] [--trackers posebus,roboflow] [--out DIR]

Takes every NAME.gt.txt (MOTChallenge) with a video NAME.mp4, .avi, .mkv, ... beside it. Poses are computed once by
ultralytics' predictor and cached. All trackers get the same detections, their default settings, the clip's rate and
the frames' times where they ask for them, and the pictures where they look at them. For each clip: a table over every
frame, then the same with frames dropped, detections removed, boxes shaken and keypoints taken away. Then made-up scenes
and crowds, which have no colours, and the smoothness of our tracker. The row `bound` is the best that is possible with
these detections: each has the identity of the person whom it matches.

Microseconds are those of the tracker's own update call: the median over the frames, of that the median of --runs runs
in which the trackers take turns. Run it as a module from the repository's root: as a script its own name would hide the
package `tracking`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.common.clips import Clip, load_clip
from benchmarks.common.mot import read_distractors, read_mot
from benchmarks.common.paths import ROOT
from benchmarks.tracking.peers import TRACKERS, chosen, installed
from benchmarks.tracking.report import ComparisonReport, SequenceResult
from benchmarks.tracking.scores import AnnotatedClip, ReportProgress, Scores, compared, stressed
from benchmarks.tracking.smoothness import all_measured
from benchmarks.tracking.stresses import STRESSES
from benchmarks.tracking.table import Table, mean_lines, smoothness_table

VIDEOS = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".ts"})
CROWDS = {50: 10.0, 200: 4.0}
"""Seconds of a made-up crowd by people a frame; the large one is short because some trackers take 0.1 s a frame."""
CROWD_FPS = 25.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="videos and NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus" / "poses")
    parser.add_argument("--model", default="yolo11n-pose")
    parser.add_argument(
        "--imgsz", nargs="+", action="extend", metavar="N|NAME=N", help="of the network, for all or one clip (640)"
    )
    parser.add_argument(
        "--fps", nargs="+", action="extend", metavar="N|NAME=N", help="true rate of clips that say another"
    )
    parser.add_argument(
        "--trackers",
        default="posebus,ultralytics,roboflow,boxmot,norfair",
        help=f"families or names: {', '.join(TRACKERS)}",
    )
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs that times are taken from (3)")
    parser.add_argument("--no-stress", dest="stress", action="store_false")
    parser.add_argument("--scenes", type=int, default=2, help="made-up scenes of each kind; 0: none (2)")
    parser.add_argument("--no-crowds", dest="crowds", action="store_false")
    parser.add_argument("--no-smoothness", dest="smoothness", action="store_false")
    parser.add_argument("--out", type=Path, help="folder for results.json, results.md and plots")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def sequences(folder: Path) -> dict[str, tuple[Path, Path]]:
    """(video, ground truth) by name. SystemExit: there is none."""
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not a folder: name one with --data")
    found = {}
    for truth in sorted(folder.glob("*.gt.txt")):
        name = truth.name.removesuffix(".gt.txt")
        videos = [path for path in sorted(folder.glob(f"{name}.*")) if path.suffix.lower() in VIDEOS]
        if videos:
            found[name] = (videos[0], truth)
        else:
            print(f"{truth} is left out: no video {name}.mp4, .avi, .mkv, ... stands beside it", file=sys.stderr)
    if not found:
        raise SystemExit(f"{folder} holds no video with its ground truth NAME.gt.txt beside it")
    return found


def numbers_of(option: str, values: list[str] | None, names: list[str]) -> dict[str, float]:
    """Values of NAME=N by name, of N under "". SystemExit: no such name, or no number above 0."""
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
    """A line of progress on stderr while a terminal is there; refreshed by hand, as a thread would spoil the times."""
    print(title, file=sys.stderr, flush=True)
    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=total)

        def step(what: str) -> None:
            progress.update(task, advance=1, description=what, refresh=True)

        yield step


def show(table: Table) -> None:
    print(f"\n{table.text()}", flush=True)


def sequence(scene: AnnotatedClip, names: list[str], imgsz: int, options: argparse.Namespace) -> SequenceResult:
    """The plain comparison on one clip, and the stresses unless they are not wanted."""
    clip = scene.clip
    about = (clip.name, len(scene.frames), clip.fps, options.model, imgsz)
    with steps(f"{clip.name}: {len(names)} trackers, {options.runs} runs", options.runs * len(names)) as step:
        plain = compared(scene, names, options.runs, step)
    show(SequenceResult(*about, plain).tables()[0])
    if not options.stress:
        return SequenceResult(*about, plain)
    with steps(f"{clip.name}: {len(STRESSES)} stresses", len(STRESSES) * len(plain)) as step:
        found = SequenceResult(*about, plain, stressed(scene, plain, step))
    for table in found.tables()[1:]:
        show(table)
    return found


def load_scene(
    video: Path, truth_path: Path, imgsz: int, fps: float | None, options: argparse.Namespace
) -> AnnotatedClip:
    """A clip with its poses and its truth. SystemExit: one of the files is not what it should be."""
    truth = read_mot(truth_path, truth=True)
    if not truth:
        raise SystemExit(f"{truth_path} holds no row that counts")
    clip = load_clip(video, options.model, imgsz, options.cache, fps)
    if max(truth) > len(clip.frames):
        raise SystemExit(
            f"{truth_path} annotates frame {max(truth)} of {video.name}, which has {len(clip.frames)} frames: "
            "they do not belong together"
        )
    return AnnotatedClip(clip, truth, read_distractors(truth_path))


def scenes(names: list[str], seeds: int) -> dict[str, dict[str, Scores]]:
    """Lines by kind: means over `seeds` scenes of it, each tracker once over the frames."""
    from benchmarks.scenes.scene import KINDS, scene

    found = {}
    for kind in KINDS.values():
        with steps(f"made-up scenes, {kind.name}", seeds * len(names)) as step:
            lines = []
            for seed in range(seeds):
                frames, truth = scene(kind, seed)
                lines.append(compared(AnnotatedClip(Clip(kind.name, None, kind.fps, frames), truth), names, 1, step))
        found[kind.name] = mean_lines(lines)
    return found


def crowds(names: list[str]) -> dict[int, dict[str, Scores]]:
    """Lines by people a frame, each tracker once over the frames."""
    from benchmarks.scenes.scene import crowd

    found = {}
    for people, seconds in CROWDS.items():
        print(f"making a crowd of {people} people", file=sys.stderr, flush=True)
        frames, truth = crowd(people, seconds, CROWD_FPS, 0)
        scene = AnnotatedClip(Clip(f"crowd of {people}", None, CROWD_FPS, frames), truth)
        with steps(f"crowd of {people}: {len(frames)} frames", len(names)) as step:
            found[people] = compared(scene, names, 1, step)
    return found


def main() -> None:
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
        scene = load_scene(video, truth_path, imgsz, rates.get(name, rates.get("")), options)
        report.sequences.append(sequence(scene, names, imgsz, options))
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
