"""What a picture shows, as the subject network inside a served graph tells it, and what follows from that.

A picture that is surely not one good cell gets no answer; one that may be none is for a person to look at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from malaria.domain import Reason, Screen

Floats = npt.NDArray[np.floating[Any]]

SIDE = 64
"""Pixels across a picture as the subject network sees it."""
OUTPUT = "subject"
"""The name of the graph's output."""


class Subject(IntEnum):
    """What a picture may show; the number is the place in the network's answer."""

    CELL = 0
    SEVERAL = 1
    BLURRED = 2
    EXPOSED = 3
    OTHER = 4
    NOTHING = 5


WHY: dict[Subject, tuple[str, str, str]] = {
    Subject.SEVERAL: ("several-cells", "several cells or a whole field", "Send the crop of one cell."),
    Subject.BLURRED: ("out-of-focus", "a cell out of focus", "Focus and take it again."),
    Subject.EXPOSED: (
        "badly-exposed",
        "a cell too dark or too bright",
        "Mend the light and take it again.",
    ),
    Subject.OTHER: ("other-blood-cell", "a white cell or a platelet", "Send red cells only."),
    Subject.NOTHING: ("no-cell", "no single stained cell", "Send the crop of one red cell of a thin smear."),
}
"""Code, what is seen, and what to do."""


class Judged(NamedTuple):
    """Whether a picture gets no answer, and why that is, or why a person should look; None where nobody
    need."""

    refused: bool
    reason: Reason | None


PASSED = Judged(False, None)


def judged(shown: npt.NDArray[np.float32] | None, screen: Screen | None) -> Judged:
    """What follows from the probability of each Subject, (6,); all passes where nothing is told."""
    if shown is None or screen is None or shown[Subject.CELL] >= screen.review:
        return PASSED
    code, seen, remedy = WHY[Subject(1 + int(np.argmax(shown[1:])))]
    if shown[Subject.CELL] < screen.refuse:
        return Judged(True, Reason(code, f"This looks like {seen}, so nothing is said of it. {remedy}"))
    return Judged(False, Reason(code, f"This may be {seen}. A person should look at it."))


MOST_REFUSED, MOST_SENT = 0.01, 0.05
"""Of the validation cells of each laboratory: the shares that may get no answer, and that may be refused or
sent to a person."""
RULE = (
    "Chosen on validation cells: the highest bounds at which, in every laboratory, at most "
    f"{MOST_REFUSED:.0%} of the cells get no answer, also under each disturbance of the suite of `malaria "
    f"evaluate`, and at most {MOST_SENT:.0%} of them, undisturbed, get none or are for a person."
)
"""For a person, with the model card."""


def choose(cells: Mapping[str, Floats], disturbed: Iterable[Floats], network: str) -> Screen:
    """The screen of a subject network that gave validation cells so: P(cell), (n,), by laboratory.

    The highest bounds that keep to MOST_REFUSED and MOST_SENT in every laboratory. disturbed: what it gave
    them under each disturbance, of each laboratory; to the first bound these are laboratories too, as the
    next one may be: what it sends may be for a person, but is not to be refused. network: its SHA-256.
    """

    def highest(share: float, those: Iterable[Floats]) -> float:
        return min(float(np.quantile(p, share, method="lower")) for p in those)

    review, hundredth = highest(MOST_SENT, cells.values()), highest(0.01, cells.values())
    refuse = min(highest(MOST_REFUSED, [*cells.values(), *disturbed]), review)
    drawn = Screen(refuse, review, network, 0.0, 0.0, hundredth)
    shares = [screened(p, drawn) for p in cells.values()]
    return replace(drawn, refused=max(r for r, _ in shares), reviewed=max(r for _, r in shares))


def screened(cells: Floats, screen: Screen) -> tuple[float, float]:
    """The shares of pictures with these P(cell), (n,), that are refused, and that are sent to a person."""
    refused = cells < screen.refuse
    return float(refused.mean()), float((~refused & (cells < screen.review)).mean())
