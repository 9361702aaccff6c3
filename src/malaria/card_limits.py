"""The limits of a model, read off its figures: where it is worst, where little was seen, what is missing."""

from collections.abc import Iterator

from malaria import evaluation_tables
from malaria.card_evidence import Evidence
from malaria.card_figures import (
    ALL,
    UPLOADS,
    elsewhere,
    laboratory_sets,
    of_patients,
    patient_sets,
)
from malaria.card_text import Section, between, bullets, listed, many, share
from malaria.domain import Role
from malaria.lineage import DERIVED
from malaria.metrics import SPREAD_CELLS, Metrics

WIDE = 0.1
"""Width of an interval from which a rate is called unsure."""
CLEAN_SMEAR = 5000
"""Cells of a clean smear, to say what its share of false alarms comes to."""
MISCALIBRATED = 0.05
"""Calibration error from which probabilities are said to mean something else there."""
SURROUND = 0.03
"""Difference between raw and masked crops from which a model is said to look at the surround."""
RATES = {"sensitivity": "sensitivity", "specificity": "specificity", "auc": "ROC AUC"}
GROUPS = "patients or fields"


def limits(of: Evidence) -> Section:
    lines = [*_false_alarms(of), *_worst_patient(of), *_one_class(of), *_unsure(of), *_worst_set(of)]
    lines += [*_calibrated(of), *_surround(of), *_no_cells(of), *_weakest(of), *_stained(of), *_labels(of)]
    lines += _missing(of)
    return Section("limits", "Limits", (bullets(lines),), {"limits": lines})


def _first(of: Evidence) -> tuple[str, Metrics] | None:
    """The figures of patients that say most: all cells of the gate, else the first there are."""
    return next(((_who(name), found) for name, found in patient_sets(of).items()), None)


def _who(name: str) -> str:
    """A set in a sentence: `gate patients`, `gate patients, cells not listed as suspect`."""
    patients, _, which = name.partition(", ")
    called = patients if patients == UPLOADS else f"{patients} patients"
    return called if which in ("", ALL) else f"{called}, cells {which}"


def _false_alarms(of: Evidence) -> Iterator[str]:
    found = _first(of)
    if found is not None and found[1].specificity is not None:
        name, specificity = found[0], found[1].specificity
        yield (
            f"At the specificity of {share(specificity)} seen on {name}, a clean smear of {CLEAN_SMEAR:,} "
            f"cells shows about {CLEAN_SMEAR * (1 - specificity):,.0f} parasites that are not there."
        )


def _worst_patient(of: Evidence) -> Iterator[str]:
    found = _first(of)
    if found is None:
        return
    name, figures = found
    told = {
        "sensitivity": ("parasitized", "found"),
        "false_positive_rate": ("uninfected", "called parasitized"),
    }
    for figure, (class_, done) in told.items():
        spread = figures.spread.get(figure)
        if spread is not None and spread.patients > 1:
            yield (
                f"Patients differ: of {spread.patients} {name} with {SPREAD_CELLS} {class_} cells or more, "
                f"the worst has {share(spread.worst)} of them {done}, the median {share(spread.median)}."
            )


def _one_class(of: Evidence) -> Iterator[str]:
    """Where no parasitized cell was seen, what is missed cannot be known."""
    learnt = [c.origin for c in of.cells if c.role == Role.TRAIN.value and not c.parasitized]
    if learnt:
        moved = any((step.recipe.get("shares") or {}).get("transplanted") for step in of.trainings)
        more = "; parasites of other cells were moved onto theirs" if moved else ""
        yield f"{listed(map(of.origin, learnt))}: no parasitized cell to learn from{more}."
    bare = [name for name, views, _ in laboratory_sets(of) if not any(m.parasitized for m in views.values())]
    if bare:
        yield f"What is missed on cells like those of {listed(bare)} is not known: none is parasitized."


def _unsure(of: Evidence) -> Iterator[str]:
    for name, figures in _sets(of):
        for rate, called in RATES.items():
            value, interval = getattr(figures, rate), figures.intervals.get(rate)
            if value is not None and interval is not None and interval[1] - interval[0] > WIDE:
                class_ = "uninfected" if rate == "specificity" else "parasitized"
                cells, groups = getattr(figures, class_), many(figures.patients, "patient or field", GROUPS)
                yield (
                    f"The {called} on {name} is unsure: {share(value)}{between(interval)}, from {cells:,} "
                    f"{class_} cells; {groups} in all."
                )


def _sets(of: Evidence) -> Iterator[tuple[str, Metrics]]:
    """Patients, without the cells that a list names, which are few and doubted; then raw crops of others."""
    for name, figures in patient_sets(of).items():
        if not name.endswith(f", {evaluation_tables.SETS['listed']}"):
            yield _who(name), figures
    for name, views, _ in laboratory_sets(of):
        yield name, next(iter(views.values()))


def _worst_set(of: Evidence) -> Iterator[str]:
    told = {"specificity": ("uninfected", "called parasitized"), "sensitivity": ("parasitized", "missed")}
    for rate, (class_, done) in told.items():
        values = [(getattr(m, rate), name) for name, m in _sets(of) if getattr(m, rate) is not None]
        if len(values) > 1:
            value, name = min(values)
            yield f"The worst {rate} was seen on {name}: {share(1 - value)} of the {class_} cells are {done}."


def _calibrated(of: Evidence) -> Iterator[str]:
    for name, figures in _sets(of):
        if figures.ece is not None and figures.ece >= MISCALIBRATED:
            yield f"Probabilities mean something else on {name}: calibration error {share(figures.ece)}."


def _surround(of: Evidence) -> Iterator[str]:
    for one in elsewhere(of):
        raw, masked = one.found.metrics, one.found.masked
        for rate in ("sensitivity", "specificity"):
            before, after = getattr(raw, rate), getattr(masked, rate, None)
            if before is not None and after is not None and abs(before - after) >= SURROUND:
                yield (
                    f"What is about a cell counts: on {of.named(one)} {rate} is {share(before)} raw and "
                    f"{share(after)} with all but the cell in black."
                )


def _no_cells(of: Evidence) -> Iterator[str]:
    told = []
    for one in elsewhere(of):
        for kind in one.found.not_cells:
            rate = kind.rates["raw"]
            counted = f"{kind.kind} of {of.named(one)} ({kind.cells:,})"
            told.append(f"{counted} {share(rate.value)}{between(rate.interval)}")
    if told and of.info.screen is None:
        yield f"What is no red cell gets an answer too. Share called parasitized: {'; '.join(told)}."
    elif told:
        yield (
            "What is no red cell may get an answer. Share called parasitized, whether or not it would be "
            f"refused: {'; '.join(told)}."
        )


def _weakest(of: Evidence) -> Iterator[str]:
    for one in of_patients(of):
        drops = [
            (drop.points, drop.interval, f"{disturbed.kind}, {disturbed.setting}", rate)
            for disturbed in one.found.corruptions
            for rate, drop in disturbed.drops.items()
            if drop is not None and rate in ("sensitivity", "specificity")
        ]
        sure = [drop for drop in drops if drop[1][0] > 0]
        if sure:
            points, (low, high), what, rate = max(sure)
            yield (
                f"Of the disturbances measured this costs most: {what}, {rate} {points:.1f} points lower "
                f"({low:.1f} to {high:.1f})."
            )
        elif drops:
            yield "None of the disturbances measured costs sensitivity or specificity beyond doubt."


def _stained(of: Evidence) -> Iterator[str]:
    """The simulated stain under which most parasites are missed."""
    for one in of_patients(of):
        met = [(m.metrics.sensitivity, m) for m in one.found.stains if m.metrics.sensitivity is not None]
        if met:
            value, worst = min(met, key=lambda pair: pair[0])
            seen = between(worst.metrics.intervals.get("sensitivity"))
            yield f"Of the stains simulated {worst.stain} costs most: sensitivity {share(value)}{seen}."


def _labels(of: Evidence) -> Iterator[str]:
    for one in of_patients(of):
        doubted = one.found.suspects.get("listed")
        if doubted is not None:
            wrong, of_all = _errors(doubted), _errors(one.found.metrics)
            who, part = listed(sorted(one.roles)), 100 * doubted.cells / one.found.metrics.cells
            yield (
                f"{wrong:,} of the {of_all:,} errors on {who} patients are on the {part:.1f}% of cells whose "
                "label is doubted; whether model or label is wrong there is not known."
            )


def _errors(of: Metrics) -> int:
    return of.confusion["fp"] + of.confusion["fn"]


def _missing(of: Evidence) -> Iterator[str]:
    there = {
        "test patients": bool(of.looks),
        "crops of other laboratories, raw against masked": bool(elsewhere(of)),
        "disturbances of light, focus, colour and compression": any(m.found.corruptions for m in of.told),
        "doubted labels": any(m.found.suspects for m in of.told),
    }
    missing = [name for name, measured in there.items() if not measured]
    if missing:
        parent = of.lineage.get("parent") if of.lineage.get("method") in DERIVED else None
        more = f" What was measured of {parent}, its parent, stands in that one's card." if parent else ""
        yield f"Not measured with this version: {'; '.join(missing)}.{more}"
