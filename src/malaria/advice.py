"""What helps after a verdict: what to do, or how many cells or patients to bring."""

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from malaria.comparison import GateSet
from malaria.criteria import (
    BASE,
    CALIBRATION,
    CLASSES,
    DOUBTED,
    EARLIER,
    FILE_SIZE,
    FIRST,
    GAIN,
    GROUPS,
    LABELS,
    LEARNING,
    PARITY,
    SITE,
    SITE_CLASSES,
    SIZE,
    Criterion,
    GateSettings,
    site_sizes,
)
from malaria.domain import Verdict
from malaria.roles import SITE_GATE_SHARE

MOST_ASKED = 500
"""Patients. An advice to bring more than a laboratory ever could is none."""


@dataclass(frozen=True, slots=True)
class Advised:
    """One piece of advice. code: kebab-case and stable; text: for a person. numbers: those that stand in it;
    rule: the one that it is about, where it names one."""

    code: str
    text: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    rule: str = ""


_LOOK = Advised(
    "look-at-labels",
    "Have somebody else label those that the receipt lists, without seeing the folders, and upload again. "
    "Where the labels are right, the served model does not know such cells: `malaria models promote` serves "
    "the new one.",
)
_DRIFTED = Advised(
    "drifted",
    "Each step was small; together they cost base patients more than one may, or it cannot be ruled out. Go "
    "back to an earlier version (`malaria models rollback`) and adapt that one, or train the whole network, "
    "`--method full`.",
)
_EARLIER = Advised(
    "costs-earlier",
    "Cells of an earlier upload or another laboratory, which the served model has learnt from, would be "
    "answered worse, or that cannot be ruled out. Cells of more patients steady what is learnt; the method "
    "`full` learns from the earlier upload anew. `malaria models promote` serves the new model all the same.",
)
_TRADE = "Where that trade is wanted, `malaria models promote` makes it."


def advice(
    verdict: Verdict, rules: Mapping[str, Criterion], base: GateSet, site: GateSet, settings: GateSettings
) -> tuple[Advised, ...]:
    """What to do or to bring, in numbers where they can be told; nothing for what is accepted."""
    if verdict == Verdict.ACCEPTED:
        return ()
    if verdict == Verdict.REJECTED:
        return (_rejected({name for name, rule in rules.items() if rule.passed is False}),)
    if _open(rules, LABELS) or _open(rules, DOUBTED):
        return (_LOOK,)
    told = [_learning(rules[LEARNING])] if LEARNING in rules else []
    if rules[SIZE].passed is None:
        told.append(_size(site_sizes(site, settings)))
    if _open(rules, SITE):
        told.append(_site(math.ceil(_more(rules[SITE], site.groups()) / SITE_GATE_SHARE)))
    told += [_site_class(label) for label, name in SITE_CLASSES.items() if _open(rules, name)]
    told += [_base(rules[name], base.groups(label)) for label, name in BASE.items() if _open(rules, name)]
    told += [_DRIFTED] if any(_open(rules, name) for name in FIRST.values()) else []
    told += [_EARLIER] if any(_open(rules, name) for name in EARLIER.values()) else []
    if _open(rules, CALIBRATION):
        told.append(_base(rules[CALIBRATION], base.groups()))
    if _open(rules, GAIN):
        text = "Bring cells that the served model answers wrongly, if there are such cells."
        told.append(Advised("bring-wrong", text))
    return tuple(told)


def _rejected(broken: AbstractSet[str]) -> Advised:
    if LABELS in broken:
        return Advised("put-right", "Put the pictures into the right folders and upload again.")
    if broken <= {PARITY, FILE_SIZE}:
        text = "The file is at fault, not what it has learnt. Train again, or a smaller network."
        return Advised("file-at-fault", text)
    if broken <= set(FIRST.values()):
        return _DRIFTED
    if broken <= set(EARLIER.values()):
        return _EARLIER
    if SITE in broken:
        text = "The served model answers this site better and stays. Check the labels if that surprises you."
        return Advised("site-better-served", text)
    if broken <= set(SITE_CLASSES.values()):
        return Advised("trade", f"One class is paid for with the other at this site. {_TRADE}")
    return Advised(
        "costs-others",
        "Learning from this upload costs too much on other patients. Check its labels and stain. Cells of "
        "more patients steady what is learnt, and the method `full` can learn more than `adapt`.",
    )


def _open(rules: Mapping[str, Criterion], name: str) -> bool:
    """Whether a rule was asked and could not be decided."""
    return name in rules and rules[name].passed is None


def _site(upload: int) -> Advised:
    """upload: so many more patients or fields would tell the models apart at the site."""
    if upload > MOST_ASKED:
        text = "The two models are so close at this site that more cells will hardly tell them apart."
        return Advised("too-close", text)
    return Advised(
        "more-groups",
        f"Bring cells of about {upload:,} more patients or fields; a fifth is kept to compare on. This "
        "upload counts together with the next.",
        {"groups": upload},
    )


def _site_class(label: int) -> Advised:
    return Advised(
        f"more-{CLASSES[label]}",
        f"Bring more {CLASSES[label]} cells; this upload counts together with the next. Look at those that "
        f"only the served model answers rightly. {_TRADE}",
    )


def _learning(rule: Criterion) -> Advised:
    if rule.value is not None:
        short = round(rule.bound - rule.value)
        return Advised(
            "few-to-learn",
            f"Bring at least {short} more cells of the class that is short; a fifth of an upload is not "
            "learnt from. This upload counts together with the next.",
            {"cells": short},
        )
    return Advised(
        "nothing-to-mend",
        "Where the served model answers these cells well, there is nothing to mend. Else bring cells of more "
        "patients, or train the whole network: `--method full`.",
    )


def _size(sizes: Mapping[str, tuple[int, int]]) -> Advised:
    short = {what: math.ceil((least - count) / SITE_GATE_SHARE) for what, (count, least) in sizes.items()}
    wanted = {what: more for what, more in short.items() if more > 0}
    each = ", ".join(f"{more} more {what}" for what, more in wanted.items())
    return Advised(
        "bring-to-compare",
        f"Bring about {each}: a fifth of an upload is kept apart to compare on. Patients are told apart by a "
        "patients.csv in the ZIP or by NIH-style file names. This upload counts together with the next.",
        {what.replace(GROUPS, "groups"): more for what, more in wanted.items()},
    )


def _base(rule: Criterion, groups: int) -> Advised:
    if rule.value is None:
        text = f"The served model remembers too few gate patients for {rule.name}: see `malaria doctor`."
        return Advised("few-gate-patients", text, rule=rule.name)
    more = _more(rule, groups)
    if more > MOST_ASKED:
        text = f"More cells to learn from may settle {rule.name}."
        return Advised("more-to-learn", text, rule=rule.name)
    settled = f"would settle {rule.name}; more cells to learn from may too."
    text = f"About {more:,} more base gate patients {settled}"
    return Advised("more-base", text, {"groups": more}, rule.name)


def _more(rule: Criterion, groups: int) -> int:
    """How many more patients would narrow the bound enough if the difference stays as it is; at least one."""
    if rule.value is None or rule.low is None:
        return 1
    width, room = rule.value - rule.low, max(rule.value - rule.bound, 0.001)
    return max(1, min(math.ceil(groups * ((width / room) ** 2 - 1)), 10_000))
