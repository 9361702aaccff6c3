"""How often the gate is right about a challenger whose truth is known: a power study by simulation.

Patients are drawn with replacement from those on whom the served model was measured but did not learn, each
with all its cells, so that what cells of a patient share stays (Davison and Hinkley, Bootstrap Methods and
their Application, 1997, section 3.8). A challenger's truth is its difference over all of these patients. It
is set exactly, in ways that differ in what they change:

related    answers as another network that ships, those nearest to 0.5 turned until the difference is so
distant    as the champion, but for cells that twice the difference of the two networks turns, dealt anew
           among the cells of a patient: two networks that agree less
scattered  as the champion, but for single cells of random patients
same       as the champion, but surer than it should be: to ask the rule of the calibration alone

Each draw is put before the rules of the gate, as `judge` asks them, with as many bootstrap draws. What is
dealt or scattered is so anew at each draw: at few patients some deals are far luckier than others.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from malaria.comparison import GateSet, Resampled, Seen
from malaria.criteria import BASE, CALIBRATION, Criterion, GateSettings, within
from malaria.domain import Progress, Role, Verdict
from malaria.head import Floats, Head, sigmoid, temperature
from malaria.memory import BASE as NIH
from malaria.memory import FIELDS, Memory
from malaria.operating import logit
from malaria.ports import Report
from malaria.ruling import base_rules, verdict_of

Rows = npt.NDArray[np.intp]

RELATED, DISTANT, SCATTERED, SAME = "related", "distant", "scattered", "same"
WAYS = (RELATED, DISTANT, SCATTERED)
DEALT = (DISTANT, SCATTERED)
EVEN = (0.5, 0.5)
"""Operating points of both models: logits are told from there."""
CHANGED = 0.01
"""Share of a class's cells that change hands in a scattered challenger that is neither better nor worse."""


@dataclass(frozen=True)
class Population:
    """n cells of patients of whom a draw is made. labels: (n,) 0 or 1. patients: (n,) numbers from 0.

    champion, other: (n,) logits of the served network and of another, from 0 up where a cell is called
    parasitized. gate: how many patients with and how many without parasites the gate has.
    """

    labels: npt.NDArray[np.uint8]
    patients: Rows
    champion: Floats
    other: Floats
    gate: tuple[int, int]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether the champion is, (n,)."""
        return self.is_right(self.champion)

    def is_right(self, logits: Floats) -> npt.NDArray[np.bool_]:
        """Which of n logits answer rightly, (n,)."""
        return np.asarray((logits >= 0) == (self.labels == 1), np.bool_)

    @cached_property
    def members(self) -> tuple[list[Rows], list[Rows]]:
        """The rows of each patient: of those with, and of those without parasites."""
        each = [np.flatnonzero(self.patients == number) for number in np.unique(self.patients)]
        return [r for r in each if self.labels[r].any()], [r for r in each if not self.labels[r].any()]


class Truth(NamedTuple):
    """How much a challenger is better over the whole population, as shares: -0.015 is 1.5 points worse."""

    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Case:
    """A challenger of a known truth, made in a way, before so many times the patients of the gate.

    sharper: what its logits are multiplied with, 1 or above: over-sure at the same calls.
    """

    way: str
    truth: Truth
    patients: int = 1
    sharper: float = 1.0


@dataclass(frozen=True)
class Tried:
    """What the rules saw in m draws of a case. sensitivity, specificity, calibration: what each rule saw.
    ece: by how much the calibration error of the first over the whole population is lower."""

    case: Case
    ece: float
    sensitivity: Sequence[Seen]
    specificity: Sequence[Seen]
    calibration: Sequence[Seen]

    def verdicts(self, settings: GateSettings) -> list[Verdict]:
        """What the base rules come to by these margins, of each draw."""
        margins = (settings.base_margin, settings.base_margin, settings.ece_margin)
        draws = zip(self.sensitivity, self.specificity, self.calibration, strict=True)
        return [verdict_of([within(s, m) for s, m in zip(seen, margins, strict=True)]) for seen in draws]

    def rate(self, verdict: Verdict, settings: GateSettings) -> tuple[int, int]:
        """How many of how many draws come to a verdict."""
        found = self.verdicts(settings)
        return found.count(verdict), len(found)


def population(memory: Memory, head: Head, threshold: float, other: tuple[Memory, Head, float]) -> Population:
    """NIH patients of role validation and gate, as two networks that remember the same cells answer them.

    threshold, and the last of `other`: the operating points. Raises ValueError where cells differ.
    """
    mine, theirs = (_held(of) for of in (memory, other[0]))
    if not np.array_equal(mine.fingerprints, theirs.fingerprints):
        raise ValueError("the two memories hold different validation and gate cells")
    kinds = [
        len(np.unique(mine.patients[(mine.roles == Role.GATE.value) & (_infected(mine) == has)]))
        for has in (True, False)
    ]
    return Population(
        mine.labels,
        np.unique(mine.patients, return_inverse=True)[1].reshape(-1).astype(np.intp),
        head.logits(mine.embeddings) - float(logit(threshold)),
        other[1].logits(theirs.embeddings) - float(logit(other[2])),
        (kinds[0], kinds[1]),
    )


def _held(memory: Memory) -> Memory:
    """NIH patients that no version has learnt from, test patients apart; in an order that memories share."""
    held = memory.where((memory.origins == NIH) & np.isin(memory.roles, [Role.VALIDATION, Role.GATE]))
    order = np.argsort(held.fingerprints)
    return replace(held, **{name: getattr(held, name)[order] for name in FIELDS if name != "scale"})


def _infected(cells: Memory) -> npt.NDArray[np.bool_]:
    """Whether each cell's patient has parasites, (n,)."""
    return np.isin(cells.patients, cells.patients[cells.labels == 1])


def challenger(of: Population, case: Case, seed: int) -> Floats:
    """Its logits, (n,), which differ from the champion's over the population as the case says, to a cell."""
    rng = np.random.default_rng(seed)
    if case.way == RELATED:
        logits = _nearest_turned(of, of.other, case.truth)
        return logits / temperature(logits, of.labels)  # as any training sets it
    right = of.right
    if case.way == DISTANT:
        right = of.is_right(_nearest_turned(of, of.champion + 2 * _dealt(of, rng), case.truth))
    elif case.way == SCATTERED:
        right = _scattered(of, case.truth, rng)
    return _answering(of, right, rng) * case.sharper


def _dealt(of: Population, rng: np.random.Generator) -> Floats:
    """By how much the other network's logits differ, (n,), dealt anew among a patient's cells of a class."""
    apart = of.other - of.champion
    for number in np.unique(of.patients):
        for label in (0, 1):
            rows = np.flatnonzero((of.patients == number) & (of.labels == label))
            apart[rows] = rng.permutation(apart[rows])
    return apart


def _nearest_turned(of: Population, logits: Floats, truth: Truth) -> Floats:
    """The logits with those of a class turned that are nearest to the operating point, until by so much more
    of it is answered rightly than by the champion. Raises ValueError where there is not so much to gain."""
    turned = logits.copy()
    for label, by in ((1, truth.sensitivity), (0, truth.specificity)):
        rows = np.flatnonzero(of.labels == label)
        right = of.is_right(logits)[rows]
        more = round(of.right[rows].sum() + by * len(rows)) - int(right.sum())
        these = rows[~right] if more > 0 else rows[right]
        if abs(more) > len(these):
            raise ValueError(f"no challenger is better by {by}: {(~of.right[rows]).mean():.4f} are wrong")
        nearest = these[np.argsort(np.abs(logits[these]))][: abs(more)]
        turned[nearest] = -logits[nearest]
    return turned


def _scattered(of: Population, truth: Truth, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Whether a challenger is right, (n,), that turns single cells of the champion's."""
    right = of.right.copy()
    for label, by in ((1, truth.sensitivity), (0, truth.specificity)):
        rows = of.labels == label
        had, missed = np.flatnonzero(rows & of.right), np.flatnonzero(rows & ~of.right)
        won = min(round((CHANGED / 2 + max(by, 0.0)) * rows.sum()), len(missed))
        right[rng.permutation(missed)[:won]] = True
        right[rng.permutation(had)[: won - round(by * rows.sum())]] = False
    return right


def _answering(of: Population, right: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """The champion's logits, changed where another cell is to be right, (n,), and there as sure as the
    champion is where it is right, or where it errs."""
    logits = of.champion.copy()
    for label, is_right in itertools.product((0, 1), (False, True)):
        alike = (of.labels == label) & (of.right == is_right)
        rows = (of.labels == label) & (right == is_right) & ~alike
        towards = 1.0 if (label == 1) == is_right else -1.0
        logits[rows] = towards * np.abs(rng.choice(of.champion[alike], int(rows.sum())))
    return logits


def draws(of: Population, answers: Iterable[Floats], times: int, seed: int) -> Iterator[GateSet]:
    """Gate sets of patients drawn from the population, each as if it were another one. answers: a
    challenger's logits, (n,), for each draw."""
    rng, champion = np.random.default_rng(seed), sigmoid(of.champion)
    for logits in answers:
        yield gate_set(of, some_patients(of, rng, times), champion, sigmoid(logits))


def challengers(of: Population, case: Case, count: int, seed: int) -> Iterator[Floats]:
    """So many of a case: all alike, or where chance makes them each by a seed of its own."""
    first = challenger(of, case, seed)
    for number in range(count):
        yield challenger(of, case, seed + 1_000_003 * number) if case.way in DEALT else first


def some_patients(of: Population, rng: np.random.Generator, times: int = 1) -> list[Rows]:
    """The rows of patients drawn with replacement, as many of each kind as the gate has, or so many times as
    many."""
    kinds = zip(of.members, of.gate, strict=True)
    return [who[i] for who, many in kinds if who for i in rng.integers(len(who), size=many * times)]


def some_cells(of: Population, rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    """At most so many cells of each class of one patient."""
    mixed = rng.permutation(rows)
    return np.concatenate([mixed[of.labels[mixed] == label][:most] for label in (0, 1)])


def gate_set(of: Population, taken: Sequence[Rows], champion: Floats, answers: Floats) -> GateSet:
    """Cells of patients, given by their rows, each with a name of its own."""
    rows, names = np.concatenate(taken), np.array([f"P{number}" for number in range(len(taken))])
    return GateSet(
        of.labels[rows], np.repeat(names, [len(one) for one in taken]), champion[rows], answers[rows]
    )


def cases() -> list[Case]:
    """What the study asks: with the patients there are, and with twice and four times as many."""
    worse, equal = (Truth(-0.015, 0.0), Truth(0.0, -0.015)), Truth(0.0, 0.0)
    asked = [
        Case(way, truth) for truth in (*worse, equal, Truth(0.005, 0.005), Truth(0.01, 0.01)) for way in WAYS
    ]
    further = (-0.03, -0.02, -0.01, -0.005)
    asked += [Case(RELATED, Truth(by, 0.0)) for by in further] + [
        Case(RELATED, Truth(0.0, by)) for by in further
    ]
    asked += [
        Case(RELATED, traded) for traded in (Truth(-0.015, 0.01), Truth(0.01, -0.015), Truth(-0.015, -0.015))
    ]
    asked += [Case(SAME, equal, sharper=by) for by in (0.5, 0.67, 1.5, 2.0, 4.0)]
    for times in (2, 4):
        asked += [Case(way, truth, times) for truth in (*worse, equal) for way in WAYS]
        asked += [Case(RELATED, Truth(by, 0.0), times) for by in (-0.01, -0.005)]
    return asked


def simulate(
    of: Population, asked: Sequence[Case], count: int, settings: GateSettings, seed: int, report: Report
) -> list[Tried]:
    """Put each case before the base rules, so many times; every case has draws of its own."""
    found = []
    for number, case in enumerate(asked):
        report(Progress("simulate", percent=100.0 * number / len(asked), message=_told(case)))
        found.append(_tried(of, case, count, settings, seed + 1000 * number))
    return found


def _told(case: Case) -> str:
    return f"{case.way}, {100 * case.truth.sensitivity:+.1f} and {100 * case.truth.specificity:+.1f} points"


def _tried(of: Population, case: Case, count: int, settings: GateSettings, seed: int) -> Tried:
    seen: dict[str, list[Seen]] = {name: [] for name in (BASE[1], BASE[0], CALIBRATION)}
    for cells in draws(of, challengers(of, case, count, seed), case.patients, seed + 1):
        for rule in base_rules(cells, EVEN, settings):
            seen[rule.name].append(_seen(rule))
    answers = sigmoid(challenger(of, case, seed))
    whole = gate_set(of, [np.arange(len(answers))], sigmoid(of.champion), answers)
    ece = Resampled(whole, EVEN, replace(settings, draws=1)).calibration().value
    return Tried(case, ece, seen[BASE[1]], seen[BASE[0]], seen[CALIBRATION])


def _seen(rule: Criterion) -> Seen:
    assert rule.value is not None and rule.low is not None and rule.high is not None
    return Seen(rule.value, rule.low, rule.high, 0)
