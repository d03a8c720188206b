"""What each policy of economy saves and what it costs, alone and together, on the clips and on a simulated day.

    python -m benchmarks.economy --data ../shared/data [--clips TUD-Stadtmitte.mp4 day] [--policies reference all]

Each recording is run by `posebus run` with every frame at a large size, the reference, and by each policy; those that
choose no size have that of the reference. Told are frames inferred, and for a camera-hour what the network computes
(probes and tiles included) and the processor time of all processes, less that of starting them, which is that of a
small run over three frames: what a policy needs more in the beginning counts as its cost. Against them stand recall
(IoU 0.5), HOTA and IDF1 by the ground truth, or where there is none by the reference's own tracks, and how many tracks
of the reference are lost, or begin or end more than 0.3 s within theirs. The day (benchmarks/corridor/day.py) has the
people of one of the clips and nobody for nine tenths. A clip may also be the path of any other recording.

Inferences and quality are exact and the same on any machine; processor time wants a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.common.hota import score, without_distractors
from benchmarks.common.mot import Rows, read_distractors, read_mot
from benchmarks.economy.clips import CLIPS, DAY, OF_THE_DAY, ClipFile, clip_of, day_of, first_frames
from benchmarks.economy.policies import REFERENCE, SMALL, Policy, policies
from benchmarks.economy.report import PolicyResult, draw, table
from benchmarks.economy.run import PolicyRun, run
from benchmarks.economy.tracks import kept, recall


@dataclass(slots=True)
class Bench:
    """What is measured, in a folder of its own, and what is known so far: lines by recording and policy."""

    chosen: dict[str, Policy]
    reference: Policy
    small: Policy
    runs: int
    folder: Path
    lines: dict[str, dict[str, PolicyResult]] = field(default_factory=dict)
    found: dict[str, Path] = field(default_factory=dict)
    """MOTChallenge files of the reference, by recording."""


def main() -> None:
    """Measure, and write table, figures and picture. Ctrl-C leaves what there is."""
    arguments = _arguments()
    all_policies = policies(arguments.large, arguments.small)
    wanted = [name for name in all_policies if name in (arguments.policies or all_policies)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        chosen = {policy: all_policies[policy] for policy in wanted}
        bench = Bench(chosen, all_policies[REFERENCE], all_policies[SMALL], arguments.runs, Path(name))
        try:
            for clip in _clips(arguments, bench):
                measure(bench, clip)
                write(bench, arguments.out, " ".join(sys.argv[1:]))
        except KeyboardInterrupt:
            _say("stopped; what was measured until then:")
            write(bench, arguments.out, " ".join(sys.argv[1:]))
            raise SystemExit(130) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the clips")
    parser.add_argument("--clips", nargs="+", default=[*CLIPS, DAY], help=f"of {', '.join(CLIPS)} and {DAY}, or paths")
    parser.add_argument("--policies", nargs="+", choices=list(policies(1280, 640)), help="by default all")
    parser.add_argument("--runs", type=int, default=1, help="of each policy; processor times are medians")
    parser.add_argument("--day-minutes", type=float, default=12.0)
    parser.add_argument("--large", type=int, default=1280, help="size of the reference and of whoever chooses none")
    parser.add_argument("--small", type=int, default=640)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder for table and picture")
    return parser.parse_args()


def _clips(arguments: argparse.Namespace, bench: Bench) -> Iterator[ClipFile]:
    for name in arguments.clips:
        if name == DAY:
            source = clip_of(arguments.data / OF_THE_DAY)
            _say(f"making a day of {arguments.day_minutes:g} minutes")
            yield day_of(source.video, _reference(bench, source), arguments.day_minutes, bench.folder)
        else:
            known = arguments.data / name
            yield clip_of(known if known.is_file() else Path(name))


def measure(bench: Bench, clip: ClipFile) -> None:
    """All policies on `clip`, into `bench.lines`. The reference is run, too, where it is the only truth."""
    lines = bench.lines.setdefault(clip.name, {})
    start = first_frames(clip, bench.folder)
    if clip.truth is None and REFERENCE not in bench.chosen:
        _reference(bench, clip)
    # The first one may have to compile what later ones find in a cache.
    starts = [_run(bench, clip, bench.small, start).cpu_s for _ in range(1 + bench.runs)][1:]
    for name, policy in bench.chosen.items():
        done = [_run(bench, clip, policy) for _ in range(bench.runs)]
        if name == REFERENCE:
            bench.found[clip.name] = done[-1].mot
        lines[name] = _line(bench, clip, policy, done, starts)
        line = lines[name]
        _say(f"{clip.name}, {policy.title}: {line.inferred} of {line.frames} inferred, {line.cpu_per_hour_s:.0f} s / h")


def _line(
    bench: Bench, clip: ClipFile, policy: Policy, done: Sequence[PolicyRun], starts: Sequence[float]
) -> PolicyResult:
    last = done[-1]
    found = read_mot(last.mot)
    reference = bench.found.get(clip.name)
    own_truth = clip.truth is None and policy is bench.reference
    return PolicyResult(
        title=policy.title,
        video_s=last.video_s,
        frames=last.frames,
        inferred=last.inferred,
        inferences=last.computed.inferences,
        gflops=last.computed.gflops,
        cpu_s=tuple(one.cpu_s for one in done),
        start_cpu_s=tuple(starts),
        wall_s=tuple(one.wall_s for one in done),
        quality=None if own_truth else _quality(clip, reference, found),
        kept=None if reference is None else kept(read_mot(reference), found, clip.fps),
    )


def _quality(clip: ClipFile, reference: Path | None, found: Rows) -> dict[str, float] | None:
    """By the ground truth, else by the reference; None where there is nobody to be found."""
    if clip.truth is not None:
        truth = read_mot(clip.truth, truth=True)
        found = without_distractors(truth, read_distractors(clip.truth), found)
    else:
        truth = read_mot(reference) if reference is not None else {}
    if not truth:
        return None
    scores = score(truth, found)
    return {"recall": recall(truth, found), "HOTA": scores["HOTA"], "IDF1": scores["IDF1"]}


def _reference(bench: Bench, clip: ClipFile) -> Path:
    """The reference's tracks on `clip`, run unless they are there."""
    if clip.name not in bench.found:
        bench.found[clip.name] = _run(bench, clip, bench.reference).mot
    return bench.found[clip.name]


def _run(bench: Bench, clip: ClipFile, policy: Policy, start: Path | None = None) -> PolicyRun:
    _say(f"{clip.name}, {policy.title}{', a few frames' if start else ''} …")
    out = Path(tempfile.mkdtemp(dir=bench.folder))
    return run(start or clip.video, out, policy)


def write(bench: Bench, out: Path, options: str) -> None:
    """Table, figures and picture of what there is, as DATE-economy-policies.*; the table is printed, too."""
    measured = {clip: lines for clip, lines in bench.lines.items() if lines}
    if not measured:
        return
    today = datetime.now(UTC).date().isoformat()
    stem = out / f"{today}-economy-policies"
    parts = [
        f"# Economy: policies alone and together, {today}",
        _machine(),
        f"    python -m benchmarks.economy {options}",
    ]
    for clip, lines in measured.items():
        some = next(iter(lines.values()))
        parts += [f"## {clip}, {some.video_s:.1f} s"]
        parts += [f"Start-up, {some.start_s:.1f} s of processor time, is not in the hours.", table(lines, REFERENCE)]
    picture = stem.with_name(stem.name + ".png")
    draw(picture, "What policies save and what they cost", measured)
    parts += [f"![Quality over cost]({picture.name})"]
    text = "\n\n".join(parts) + "\n"
    stem.with_name(stem.name + ".md").write_text(text)
    figures = {clip: {name: line.as_dict() for name, line in lines.items()} for clip, lines in measured.items()}
    stem.with_name(stem.name + ".json").write_text(json.dumps(figures, indent=2))
    print(text, flush=True)


def _machine() -> str:
    from posebus.runtime.cpus import available_cpus

    kind = platform.processor() or platform.machine()
    return f"{available_cpus()} cores, {kind}, Python {platform.python_version()}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
