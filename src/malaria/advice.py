"""What helps after a verdict: what to do, or how many cells or patients to bring."""

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from malaria.comparison import GateSet
from malaria.criteria import (
    BASE,
    CALIBRATION,
    CLASSES,
    DOUBTED,
    FILE_SIZE,
    FIRST,
    GAIN,
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
_LOOK = (
    "Have somebody else label those that the receipt lists, without seeing the folders, and upload again. "
    "Where the labels are right, the served model does not know such cells: `malaria models promote` serves "
    "the new one."
)
_DRIFTED = (
    "Each step was small; together they cost base patients more than one may, or it cannot be ruled out. Go "
    "back to an earlier version (`malaria models rollback`) and adapt that one, or train the whole network, "
    "`--method full`."
)
_TRADE = "Where that trade is wanted, `malaria models promote` makes it."


def advice(
    verdict: Verdict, rules: Mapping[str, Criterion], base: GateSet, site: GateSet, settings: GateSettings
) -> str:
    """What to do or to bring, in numbers where they can be told; "" for what is accepted."""
    if verdict == Verdict.ACCEPTED:
        return ""
    if verdict == Verdict.REJECTED:
        return _rejected({name for name, rule in rules.items() if rule.passed is False})
    if _open(rules, LABELS) or _open(rules, DOUBTED):
        return _LOOK
    told = [_learning(rules[LEARNING])] if LEARNING in rules else []
    if rules[SIZE].passed is None:
        told.append(_size(site_sizes(site, settings)))
    if _open(rules, SITE):
        upload = math.ceil(_more(rules[SITE], site.groups()) / SITE_GATE_SHARE)
        told.append(
            f"Bring cells of about {upload:,} more patients or fields; a fifth is kept to compare on. This "
            "upload counts together with the next."
            if upload <= MOST_ASKED
            else "The two models are so close at this site that more cells will hardly tell them apart."
        )
    told += [_site_class(label) for label, name in SITE_CLASSES.items() if _open(rules, name)]
    told += [_base(rules[name], base.groups(label)) for label, name in BASE.items()]
    told += [_DRIFTED] if any(_open(rules, name) for name in FIRST.values()) else []
    if _open(rules, CALIBRATION):
        told.append(_base(rules[CALIBRATION], base.groups()))
    if _open(rules, GAIN):
        told.append("Bring cells that the served model answers wrongly, if there are such cells.")
    return " ".join(part for part in told if part)


def _rejected(broken: AbstractSet[str]) -> str:
    if LABELS in broken:
        return "Put the pictures into the right folders and upload again."
    if broken <= {PARITY, FILE_SIZE}:
        return "The file is at fault, not what it has learnt. Train again, or a smaller network."
    if broken <= set(FIRST.values()):
        return _DRIFTED
    if SITE in broken:
        return "The served model answers this site better and stays. Check the labels if that surprises you."
    if broken <= set(SITE_CLASSES.values()):
        return f"One class is paid for with the other at this site. {_TRADE}"
    return (
        "Learning from this upload costs too much on other patients. Check its labels and stain. Cells of "
        "more patients steady what is learnt, and the method `full` can learn more than `adapt`."
    )


def _open(rules: Mapping[str, Criterion], name: str) -> bool:
    """Whether a rule was asked and could not be decided."""
    return name in rules and rules[name].passed is None


def _site_class(label: int) -> str:
    return (
        f"Bring more {CLASSES[label]} cells; this upload counts together with the next. Look at those that "
        f"only the served model answers rightly. {_TRADE}"
    )


def _learning(rule: Criterion) -> str:
    if rule.value is not None:
        return (
            f"Bring at least {rule.bound - rule.value:.0f} more cells of the class that is short; a fifth of "
            "an upload is not learnt from. This upload counts together with the next."
        )
    return (
        "Where the served model answers these cells well, there is nothing to mend. Else bring cells of more "
        "patients, or train the whole network: `--method full`."
    )


def _size(sizes: Mapping[str, tuple[int, int]]) -> str:
    short = {what: math.ceil((least - count) / SITE_GATE_SHARE) for what, (count, least) in sizes.items()}
    each = ", ".join(f"{more} more {what}" for what, more in short.items() if more > 0)
    return (
        f"Bring about {each}: a fifth of an upload is kept apart to compare on. Patients are told apart by a "
        "patients.csv in the ZIP or by NIH-style file names. This upload counts together with the next."
    )


def _base(rule: Criterion, groups: int) -> str:
    if rule.passed is not None:
        return ""
    if rule.value is None:
        return f"The served model remembers too few gate patients for {rule.name}: see `malaria doctor`."
    more = _more(rule, groups)
    if more > MOST_ASKED:
        return f"More cells to learn from may settle {rule.name}."
    return (
        f"About {more:,} more base gate patients would settle {rule.name}; more cells to learn from may too."
    )


def _more(rule: Criterion, groups: int) -> int:
    """How many more patients would narrow the bound enough if the difference stays as it is; at least one."""
    if rule.value is None or rule.low is None:
        return 1
    width, room = rule.value - rule.low, max(rule.value - rule.bound, 0.001)
    return max(1, min(math.ceil(groups * ((width / room) ** 2 - 1)), 10_000))
