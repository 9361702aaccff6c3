"""Whether a run may pass: what was counted, held against bounds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from load.course import SATURATED, Kind, Shape, Step, saturated
from load.figures import Figures, percentile


@dataclass(frozen=True, slots=True)
class Bounds:
    """failures, refused: shares of what was asked. p95, p95_batch: milliseconds; 0 for none. min_users: that
    a ramp must bear. creep: how many times as slow as at first a soak may become; 0 for any."""

    failures: float = 0.001
    refused: float = 0.0
    p95: float = 1000.0
    p95_batch: float = 10_000.0
    min_users: int = 1
    creep: float = 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """One bound and how it was met."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Verdict:
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        return all(line.passed for line in self.lines)


def judge(
    figures: Figures, steps: Sequence[Step], shape: Shape | None, bounds: Bounds, errors: int = 0
) -> Verdict:
    """Hold a run against its bounds. errors: in the code of the users, not of the server."""
    lines = [_answers(figures), _failures(figures, bounds)]
    if shape is Shape.RAMP:
        lines += [_bears(steps, bounds), *_comes_back(steps)]
    else:
        lines += [_refusals(figures, bounds), *_times(figures, bounds)]
    if shape is Shape.SOAK:
        lines += _creep(steps, bounds)
    if errors:
        lines.append(Line("users", False, f"{errors} kinds of errors in the users' own code; see above"))
    return Verdict(tuple(lines))


def _answers(figures: Figures) -> Line:
    return Line(
        "answers", figures.answered > 0, f"{figures.answered:,} right answers to {figures.asked:,} requests"
    )


def _failures(figures: Figures, bounds: Bounds) -> Line:
    text = f"{figures.failed:,} failed, {figures.failed_share:.2%} (bound {bounds.failures:.2%})"
    return Line("failures", figures.failed_share <= bounds.failures, text)


def _refusals(figures: Figures, bounds: Bounds) -> Line:
    text = f"{figures.refused:,} refused and told when to come back, {figures.refused_share:.2%}"
    return Line("refused", figures.refused_share <= bounds.refused, f"{text} (bound {bounds.refused:.2%})")


def _times(figures: Figures, bounds: Bounds) -> list[Line]:
    found = []
    for name, times, most in (
        ("p95", figures.times, bounds.p95),
        ("p95 of batches", figures.batch_times, bounds.p95_batch),
    ):
        late = percentile(times, 0.95)
        if most and late is not None:
            found.append(Line(name, late <= most, f"{late:,} ms (bound {most:,.0f} ms)"))
    return found


def _bears(steps: Sequence[Step], bounds: Bounds) -> Line:
    climbs = [step for step in steps if step.stage.kind is Kind.CLIMB]
    borne = [step for step in climbs if not saturated(step, bounds.p95)]
    most = max(borne, key=lambda step: step.stage.users, default=None)
    users = most.stage.users if most else 0
    text = f"bears {users} users" + (f" at {most.rate:.1f} answers a second" if most else "")
    over = [step.stage.users for step in climbs if saturated(step, bounds.p95)]
    text += f", is saturated by {min(over)}" if over else ", and was not saturated"
    return Line("users", users >= bounds.min_users, f"{text} (bound {bounds.min_users})")


def _comes_back(steps: Sequence[Step]) -> list[Line]:
    """After saturation the few of the beginning are answered as they were then.

    One refusal is no sign of the contrary: those who left may have had a request under way.
    """
    ease = next((step for step in steps if step.stage.kind is Kind.EASE), None)
    if ease is None:
        return []
    first, share = steps[0].figures.refused_share, ease.figures.refused_share
    text = f"{share:.1%} refused once few ask again, {first:.1%} at first"
    lone = ease.figures.refused <= 1 and ease.figures.answered > 0
    return [Line("comes back", lone or share <= first + SATURATED, text)]


def _creep(steps: Sequence[Step], bounds: Bounds) -> list[Line]:
    """Medians of the second and the last slice: in the first, users are still beginning."""
    medians = [percentile(step.figures.times, 0.5) for step in steps]
    told = [median for median in medians[1:] if median]
    if not bounds.creep or len(told) < 2:
        return []
    grown = told[-1] / told[0]
    text = f"median at the end {grown:.2f} times that of the beginning (bound {bounds.creep:g})"
    return [Line("creep", grown <= bounds.creep, text)]


def told(verdict: Verdict, figures: Figures, steps: Sequence[Step], seconds: float) -> dict[str, Any]:
    """The verdict and what it rests on, for programs."""
    return {
        "passed": verdict.passed,
        "bounds": [asdict(line) for line in verdict.lines],
        "seconds": round(seconds, 1),
        **_summary(figures, seconds),
        "steps": [
            {
                "kind": step.stage.kind.value,
                "users": step.stage.users,
                "seconds": round(step.seconds, 1),
                **_summary(step.figures, step.seconds),
            }
            for step in steps
        ],
    }


def _summary(figures: Figures, seconds: float) -> dict[str, Any]:
    return {
        "answered": figures.answered,
        "refused": figures.refused,
        "failed": figures.failed,
        "answers_a_second": round(figures.answered / seconds, 2) if seconds else None,
        "p50_ms": percentile(figures.times, 0.5),
        "p95_ms": percentile(figures.times, 0.95),
        "p99_ms": percentile(figures.times, 0.99),
        "p95_batch_ms": percentile(figures.batch_times, 0.95),
    }


def lines(verdict: Verdict, steps: Sequence[Step], shape: Shape | None) -> list[str]:
    """The verdict for people; of a ramp or a spike each stage, too."""
    found = [f"{'ok  ' if line.passed else 'FAIL'}  {line.name}: {line.text}" for line in verdict.lines]
    if shape in (Shape.RAMP, Shape.SPIKE) and steps:
        found = [*_table(steps), "", *found]
    return [*found, f"The run {'passed' if verdict.passed else 'failed'}."]


def _table(steps: Sequence[Step]) -> list[str]:
    rows = ["stage  users  answers/s  p95 ms  refused  failed"]
    for step in steps:
        late = percentile(step.figures.times, 0.95)
        rows.append(
            f"{step.stage.kind.value:5}  {step.stage.users:5}  {step.rate:9.1f}  "
            f"{'-' if late is None else late:>6}  {step.figures.refused_share:7.1%}  {step.figures.failed:6}"
        )
    return rows
