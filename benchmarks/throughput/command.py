"""`posebus run` compared with its own bare engine and with ultralytics' `model.track`, end to end and alternating.

    python -m benchmarks.throughput ../shared/data/TUD-Stadtmitte.mp4 --gt ../shared/data/TUD-Stadtmitte.gt.txt
    python -m benchmarks.throughput CLIP --runs 5 --int8       (after `posebus engines build --precision int8 …`)

All sides run as processes of their own, one after the other, in N rounds; medians are printed, and ratios within each
round. `posebus run` is timed from the first frame published to the last track published, `model.track` from the first
frame read to the last result, both with warm engines; the bare engine has the same frames ready in memory.
`model.track` uses ByteTrack, with its OpenVINO export of exactly the clip's shape, or with torch and its defaults.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.common.hota import score_mot
from benchmarks.throughput.sides import Side, SideResult, bare, export_theirs, ours, theirs

OURS, BARE = "posebus run", "bare engine"
OURS_INT8, BARE_INT8 = "posebus run, int8", "bare engine, int8"
OPENVINO, TORCH = "model.track, OpenVINO", "model.track, torch"
RATIOS = ((OURS, BARE), (OURS_INT8, BARE_INT8), (OURS, OPENVINO), (OURS_INT8, OPENVINO), (OURS, TORCH))


def main() -> None:
    """Measure all sides, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, help="clip to run over")
    parser.add_argument("--gt", type=Path, help="MOTChallenge ground truth: adds HOTA and IDF1")
    parser.add_argument("--runs", type=int, default=3, help="alternating rounds")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--precision", default="auto", help="precision of posebus run and of the bare engine")
    parser.add_argument("--int8", action="store_true", help="also measure the 8-bit engine, which must have been built")
    parser.add_argument("--no-torch", action="store_true", help="leave out model.track with torch, the slowest side")
    parser.add_argument("--tracker", default="bytetrack.yaml", help="tracker of model.track")
    parser.add_argument("options", nargs="*", help="further options of posebus run, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = chosen_sides(arguments, folder)
        results: dict[str, list[SideResult]] = {side: [] for side in sides}
        for run in range(arguments.runs):
            for number, (side, measure) in enumerate(sides.items()):
                place = folder / f"{run}-{number}"
                place.mkdir()
                results[side].append(measure(place))
                print(f"{side}: {results[side][-1].fps:.1f} fps", file=sys.stderr, flush=True)
        report(results, arguments.gt)


def chosen_sides(arguments: argparse.Namespace, folder: Path) -> dict[str, Side]:
    """The sides to measure by name, in the order of a round."""
    video = arguments.video.resolve()
    size_px = input_size(video, arguments.imgsz)
    torch_model, openvino_model = export_theirs(folder, size_px)
    imgsz = ["--imgsz", str(arguments.imgsz), *arguments.options]
    sides = {
        BARE: bare(video, arguments.precision, arguments.imgsz),
        OURS: ours(video, [*imgsz, "--precision", arguments.precision]),
        OPENVINO: theirs(openvino_model, video, size_px, arguments.tracker),
    }
    if arguments.int8:
        sides[BARE_INT8] = bare(video, "int8", arguments.imgsz)
        sides[OURS_INT8] = ours(video, [*imgsz, "--precision", "int8"])
    if not arguments.no_torch:
        sides[TORCH] = theirs(torch_model, video, size_px, arguments.tracker)
    return sides


def input_size(video: Path, imgsz: int) -> tuple[int, int]:
    """(width, height) of the network's input for `video`."""
    import av

    from workers.images.preprocess import Letterbox

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return Letterbox.fit((stream.width, stream.height), imgsz).input_px


def report(results: Mapping[str, Sequence[SideResult]], truth: Path | None) -> None:
    """Print the tables in Markdown."""
    print(f"\n{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print("| | fps median | min | max | HOTA | IDF1 |\n|---|---|---|---|---|---|")
    for side, runs in results.items():
        speeds = [run.fps for run in runs]
        last = runs[-1].mot
        scores = score_mot(truth, last) if truth is not None and last is not None else {}
        quality = " | ".join(f"{scores[key]:.3f}" if key in scores else "-" for key in ("HOTA", "IDF1"))
        print(f"| {side} | {statistics.median(speeds):.1f} | {min(speeds):.1f} | {max(speeds):.1f} | {quality} |")
    print("\n| ratio within a round | median | min | max |\n|---|---|---|---|")
    for one, other in RATIOS:
        if one in results and other in results:
            ratios = [a.fps / b.fps for a, b in zip(results[one], results[other], strict=True)]
            print(f"| {one} / {other} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |")
