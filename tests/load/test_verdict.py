"""What a run may pass with: each bound passes at its value and fails beyond it, by its name."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from load.course import Kind, Shape, Stage, Step
from load.figures import Figures
from load.verdict import Bounds, Verdict, judge, lines, told

GOOD = Figures(10_000, 0, 0, Counter({40: 9_500, 900: 500}), Counter({3000: 100}))


def failed(verdict: Verdict) -> list[str]:
    return [line.name for line in verdict.lines if not line.passed]


@pytest.mark.parametrize("shape", [None, Shape.STEADY, Shape.SPIKE, Shape.SOAK])
@pytest.mark.parametrize(
    ("figures", "bounds", "wrong"),
    [
        (GOOD, Bounds(), []),
        (Figures(), Bounds(), ["answers"]),
        (replace(GOOD, answered=9_990, failed=10), Bounds(), []),
        (replace(GOOD, answered=9_989, failed=11), Bounds(), ["failures"]),
        (replace(GOOD, refused=1), Bounds(), ["refused"]),
        (replace(GOOD, answered=9_000, refused=1_000), Bounds(refused=0.1), []),
        (replace(GOOD, answered=8_999, refused=1_001), Bounds(refused=0.1), ["refused"]),
        (replace(GOOD, times=Counter({1000: 1})), Bounds(), []),
        (replace(GOOD, times=Counter({1001: 1})), Bounds(), ["p95"]),
        (replace(GOOD, times=Counter({1001: 1})), Bounds(p95=0), []),
        (replace(GOOD, times=Counter({40: 95, 5000: 5})), Bounds(), []),
        (replace(GOOD, times=Counter({40: 94, 5000: 6})), Bounds(), ["p95"]),
        (replace(GOOD, batch_times=Counter({10_001: 1})), Bounds(), ["p95 of batches"]),
        (replace(GOOD, batch_times=Counter()), Bounds(), []),
    ],
)
def test_a_run_is_held_to_its_bounds(
    figures: Figures, bounds: Bounds, wrong: list[str], shape: Shape | None
) -> None:
    verdict = judge(figures, [], shape, bounds)
    assert failed(verdict) == wrong
    assert verdict.passed is (not wrong)


def test_errors_of_the_users_themselves_pass_nothing() -> None:
    assert failed(judge(GOOD, [], None, Bounds(), errors=2)) == ["users"]


def step(kind: Kind, users: int, refused: int = 0, late: int = 40) -> Step:
    return Step(Stage(kind, users, 1, 10), 10.0, Figures(100 - refused, refused, 0, Counter({late: 100})))


CLIMB = [step(Kind.CLIMB, 10), step(Kind.CLIMB, 20), step(Kind.CLIMB, 30, refused=40)]
END = [step(Kind.HOLD, 30, refused=50), step(Kind.EASE, 10)]


def test_a_ramp_may_be_refused_and_tells_what_is_borne() -> None:
    verdict = judge(Figures(410, 90, 0), [*CLIMB, *END], Shape.RAMP, Bounds())
    assert verdict.passed
    told_so = " ".join(line.text for line in verdict.lines)
    assert "bears 20 users at 10.0 answers a second, is saturated by 30" in told_so
    assert "refused" not in [line.name for line in verdict.lines]


def test_a_ramp_fails_below_the_users_that_it_must_bear() -> None:
    figures = Figures(410, 90, 0)
    assert failed(judge(figures, [*CLIMB, *END], Shape.RAMP, Bounds(min_users=20))) == []
    assert failed(judge(figures, [*CLIMB, *END], Shape.RAMP, Bounds(min_users=21))) == ["users"]
    at_once = [step(Kind.CLIMB, 10, refused=40), *END]
    assert "users" in failed(judge(figures, at_once, Shape.RAMP, Bounds()))


def test_a_ramp_is_saturated_by_late_answers_too() -> None:
    climb = [step(Kind.CLIMB, 10), step(Kind.CLIMB, 20, late=1500)]
    verdict = judge(Figures(200, 0, 0), climb, Shape.RAMP, Bounds())
    assert "bears 10 users" in verdict.lines[2].text
    assert verdict.passed


def test_a_ramp_must_find_the_server_as_it_was_once_few_ask_again() -> None:
    stuck = [step(Kind.HOLD, 30, refused=50), step(Kind.EASE, 10, refused=30)]
    assert failed(judge(Figures(380, 120, 0), [*CLIMB, *stuck], Shape.RAMP, Bounds())) == ["comes back"]


def test_a_lone_refusal_of_a_ramps_end_may_be_of_one_who_left() -> None:
    for answered, refused, wrong in ((2, 1, []), (2, 2, ["comes back"]), (0, 1, ["comes back"])):
        ease = replace(step(Kind.EASE, 10), figures=Figures(answered, refused, 0))
        assert failed(judge(Figures(380, 120, 0), [*CLIMB, ease], Shape.RAMP, Bounds())) == wrong


def test_a_ramp_that_never_ended_a_climb_bears_nobody() -> None:
    assert failed(judge(Figures(5, 0, 0), [], Shape.RAMP, Bounds())) == ["users"]


def soak(*medians: int) -> list[Step]:
    return [step(Kind.EVEN, 10, late=median) for median in medians]


def test_a_soak_may_not_become_slow() -> None:
    assert failed(judge(GOOD, soak(500, 40, 45, 80), Shape.SOAK, Bounds())) == []
    assert failed(judge(GOOD, soak(20, 40, 45, 81), Shape.SOAK, Bounds())) == ["creep"]
    assert failed(judge(GOOD, soak(20, 40, 45, 81), Shape.SOAK, Bounds(creep=0))) == []
    assert failed(judge(GOOD, soak(20, 40, 45, 81), Shape.STEADY, Bounds())) == []


def test_the_verdict_is_told_to_people_and_to_programs() -> None:
    steps = [*CLIMB, *END]
    verdict = judge(Figures(410, 90, 0), steps, Shape.RAMP, Bounds())
    text = "\n".join(lines(verdict, steps, Shape.RAMP))
    assert text.endswith("The run passed.")
    assert "climb     30" in text and "40.0%" in text
    whole = json.loads(json.dumps(told(verdict, GOOD, steps, 50.0)))
    assert (whole["passed"], whole["answered"], whole["p95_ms"]) == (True, 10_000, 40)
    assert whole["answers_a_second"] == 200.0
    assert [one["users"] for one in whole["steps"]] == [10, 20, 30, 30, 10]
    bad = judge(replace(GOOD, failed=500), [], None, Bounds())
    assert "FAIL  failures: 500 failed, 4.76% (bound 0.10%)" in lines(bad, [], None)


def test_the_example_in_the_documents_is_what_was_measured(root: Path) -> None:
    steps = json.loads((root / "docs" / "results" / "load" / "ramp.json").read_text())["steps"]
    text, first = (root / "docs" / "load.md").read_text(), steps[0]
    for one in steps:
        asked = one["answered"] + one["refused"] + one["failed"]
        row = (
            f"| {one['kind']} | {one['users']} | {one['answers_a_second'] / first['answers_a_second']:.2f} "
            f"| {one['p95_ms'] / first['p95_ms']:.1f} | {one['refused'] / asked:.1%} | {one['failed']} |"
        )
        assert row in text
