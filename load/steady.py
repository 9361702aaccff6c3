"""What must hold between answers: which versions may answer, and that one picture gets one answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from load.answers import must

LAG = 60.0
"""Seconds for which a version may still answer after a newer one did: instances on AWS look for a promotion
every 20 seconds, and a long batch began before."""
NEAR = 1e-3
"""How far the probability of one picture may differ between machines."""


@dataclass
class Versions:
    """The versions that were seen to be served, by the numbers of their promotions."""

    monotonic: Callable[[], float] = time.monotonic
    _number: int = -1
    _current: str = ""
    _replaced: dict[str, float] = field(default_factory=dict)

    def learn(self, number: int, version: str) -> None:
        """A promotion; one before that which is known says nothing new, since instances may lag.

        Raises Wrong where a promotion has two versions.
        """
        if number == self._number:
            must(version == self._current, "one promotion has two versions")
        if number <= self._number:
            return
        if self._current and version != self._current:
            self._replaced[self._current] = self.monotonic()
        self._number, self._current = number, version

    def knows(self, version: str) -> bool:
        """Whether this is the version that serves, or did until a moment ago."""
        replaced = self._replaced.get(version)
        return version == self._current or (replaced is not None and self.monotonic() - replaced <= LAG)


class Remembered:
    """What was said of each picture by each version: under load as alone, one picture gets one answer."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], tuple[str | None, float | None]] = {}

    def compare(self, version: str, picture: str, said: str | None, probability: float | None) -> None:
        """Raises Wrong where another answer was given before."""
        before = self._said.setdefault((version, picture), (said, probability))
        must((before[1] is None) == (probability is None), "one picture was answered and refused")
        if probability is not None and before[1] is not None:
            same = before[0] == said and abs(before[1] - probability) <= NEAR
            must(same, "one picture got two answers: answers are mixed up")
