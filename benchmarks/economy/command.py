"""The savings and costs of each policy, alone and together, on the clips and on a simulated day.

    python -m benchmarks.economy --data ../shared/data [--clips TUD-Stadtmitte.mp4 day] [--policies reference all]

`posebus run` runs over each recording with every frame at a large size, which is the reference, and with each policy;
policies that choose no size use that of the reference. Costs are the inferred frames and, for a camera-hour, the
network's operations (including probes and tiles) and the processor time of all processes without start-up. Start-up is
measured by small runs over three frames, so that a policy's own start-up counts as its cost. Quality is recall (IoU
0.5), HOTA and IDF1 by the ground truth, or by the reference's tracks where there is none, and the numbers of the
reference's tracks that are lost, or that begin or end more than 0.3 s inside theirs. The day
(benchmarks/corridor/day.py) has the people of one of the clips, and none during nine tenths of it. A clip may also be
the path of any other recording.

Inferences and quality are exact and the same on any machine; processor time needs an otherwise idle machine.
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
from benchmarks.common.paths import DATA
from benchmarks.economy.clips import CLIPS, DAY, SOURCE_OF_DAY, ClipFile, clip_of, day_of, first_frames
from benchmarks.economy.policies import REFERENCE, SMALL, Policy, policies
from benchmarks.economy.report import PolicyResult, draw, table
from benchmarks.economy.run import PolicyRun, run
from benchmarks.economy.tracks import kept, recall


@dataclass(slots=True)
class Bench:
    """The policies to measure, a temporary folder, and the results so far by recording and policy.

    reference_tracks: MOTChallenge files of the reference, by recording.
    """

    chosen: dict[str, Policy]
    reference: Policy
    small: Policy
    runs: int
    folder: Path
    lines: dict[str, dict[str, PolicyResult]] = field(default_factory=dict)
    reference_tracks: dict[str, Path] = field(default_factory=dict)


def main() -> None:
    """Measure, and write table, figures and plot. Ctrl-C keeps the results so far."""
    arguments = _arguments()
    all_policies = policies(arguments.large, arguments.small)
    wanted = [name for name in all_policies if name in (arguments.policies or all_policies)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        chosen = {policy: all_policies[policy] for policy in wanted}
        bench = Bench(
            chosen=chosen,
            reference=all_policies[REFERENCE],
            small=all_policies[SMALL],
            runs=arguments.runs,
            folder=Path(name),
        )
        try:
            for clip in _clips(arguments, bench):
                measure(bench, clip)
                write(bench, arguments.out, " ".join(sys.argv[1:]))
        except KeyboardInterrupt:
            _say("stopped; the results so far:")
            write(bench, arguments.out, " ".join(sys.argv[1:]))
            raise SystemExit(130) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument(
        "--clips", nargs="+", default=[*CLIPS, DAY], help=f"any of {', '.join(CLIPS)} and {DAY}, or paths"
    )
    parser.add_argument(
        "--policies", nargs="+", choices=list(policies(1280, 640)), help="policies to measure, by default all"
    )
    parser.add_argument("--runs", type=int, default=1, help="runs of each policy; processor times are medians")
    parser.add_argument("--day-minutes", type=float, default=12.0, help="length of the day")
    parser.add_argument("--large", type=int, default=1280, help="size of the reference and of policies without one")
    parser.add_argument("--small", type=int, default=640, help="size of the policy small")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    return parser.parse_args()


def _clips(arguments: argparse.Namespace, bench: Bench) -> Iterator[ClipFile]:
    for name in arguments.clips:
        if name == DAY:
            source = clip_of(arguments.data / SOURCE_OF_DAY)
            _say(f"simulating a day of {arguments.day_minutes:g} minutes")
            yield day_of(source.video, _reference(bench, source), arguments.day_minutes, bench.folder)
        else:
            known = arguments.data / name
            yield clip_of(known if known.is_file() else Path(name))


def measure(bench: Bench, clip: ClipFile) -> None:
    """Measure all policies on `clip`. The reference also runs where its tracks are the only truth."""
    lines = bench.lines.setdefault(clip.name, {})
    first = first_frames(clip, bench.folder)
    if clip.truth is None and REFERENCE not in bench.chosen:
        _reference(bench, clip)
    # The first run may have to compile kernels that the later ones find in a cache.
    starts = [_run(bench, clip, bench.small, first).cpu_s for _ in range(1 + bench.runs)][1:]
    for name, policy in bench.chosen.items():
        done = [_run(bench, clip, policy) for _ in range(bench.runs)]
        if name == REFERENCE:
            bench.reference_tracks[clip.name] = done[-1].mot
        lines[name] = _result(bench, clip, policy, done, starts)
        result = lines[name]
        inferred = f"{result.inferred} of {result.frames} inferred"
        _say(f"{clip.name}, {policy.title}: {inferred}, {result.cpu_per_hour_s:.0f} s / h")


def _result(
    bench: Bench, clip: ClipFile, policy: Policy, done: Sequence[PolicyRun], starts: Sequence[float]
) -> PolicyResult:
    last = done[-1]
    found = read_mot(last.mot)
    reference = bench.reference_tracks.get(clip.name)
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
    """Quality by the ground truth, else by the reference; None where the truth has no people."""
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
    """The reference's tracks on `clip`, which runs unless they exist."""
    if clip.name not in bench.reference_tracks:
        bench.reference_tracks[clip.name] = _run(bench, clip, bench.reference).mot
    return bench.reference_tracks[clip.name]


def _run(bench: Bench, clip: ClipFile, policy: Policy, first: Path | None = None) -> PolicyRun:
    _say(f"{clip.name}, {policy.title}{', first frames' if first else ''} …")
    out = Path(tempfile.mkdtemp(dir=bench.folder))
    return run(first or clip.video, out, policy)


def write(bench: Bench, out: Path, options: str) -> None:
    """Write table, figures and plot of the results so far as DATE-economy-policies.*, and print the table."""
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
        parts += [
            f"Start-up, {some.start_s:.1f} s of processor time, is not counted in camera-hours.",
            table(lines, REFERENCE),
        ]
    picture = stem.with_name(stem.name + ".png")
    draw(picture, "Savings and costs of the policies", measured)
    parts += [f"![Quality over cost]({picture.name})"]
    text = "\n\n".join(parts) + "\n"
    stem.with_name(stem.name + ".md").write_text(text)
    figures = {clip: {name: line.as_dict() for name, line in lines.items()} for clip, lines in measured.items()}
    stem.with_name(stem.name + ".json").write_text(json.dumps(figures, indent=2))
    print(text, flush=True)


def _machine() -> str:
    from posebus.machine.cpus import available_cpus

    kind = platform.processor() or platform.machine()
    return f"{available_cpus()} cores, {kind}, Python {platform.python_version()}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
