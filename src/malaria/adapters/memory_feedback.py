"""Confirmed labels in memory, for tests: same behaviour as the others, told by the same contract suite."""

import threading

from malaria.domain import Confirmation


class MemoryFeedback:
    """A FeedbackStore that lives as long as its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[Confirmation] = []

    def add(self, row: Confirmation) -> Confirmation:
        with self._lock:
            same = [one for one in self._rows if one.said.nonce == row.said.nonce]
            standing = row.repeated(same)
            if standing is None:
                self._rows.append(row)
            return standing or row

    def list(self) -> list[Confirmation]:
        with self._lock:
            return list(self._rows)
