"""How often the gate patients were looked at: kept with the registry, one object for each comparison.

Whoever compares often finds somebody who looks better than they are. Of k challengers that are all equal to
the champion the best one is seen to be better by at most s * sqrt(2 ln k), where s is the spread of what is
seen (Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, section 2.5). Where that reaches the
margin within which a fall is borne, the gate says little more, and fresh gate patients are due.
"""

import json
import math
import re
from dataclasses import asdict, dataclass
from datetime import datetime

from malaria import codec
from malaria.errors import AlreadyExists
from malaria.ports import ObjectStore
from malaria.stored import encoded

FOLDER = "gate-looks/"
_KEY = re.compile(r"gate-looks/(\d{8})\.json")


@dataclass(frozen=True, slots=True)
class GateLook:
    """One comparison on base gate patients. champion, challenger: digests of the models. job: that asked."""

    number: int
    at: datetime
    champion: str
    challenger: str
    job: str
    verdict: str
    cells: int
    patients: int


class GateLooks:
    """The record in an object store; numbers count up, and none is given twice."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def add(self, look: GateLook) -> int:
        """Keep a look under the next number, whatever number it came with, and return that."""
        number = self.count() + 1
        while True:
            told = encoded(codec.to_json({**asdict(look), "number": number}))
            try:
                self._objects.create(f"{FOLDER}{number:08}.json", told)
                return number
            except AlreadyExists:  # of another writer
                number += 1

    def count(self) -> int:
        """How many looks are kept."""
        return sum(_KEY.fullmatch(found.key) is not None for found in self._objects.list(FOLDER))

    def read(self) -> list[GateLook]:
        """Every look, the oldest first."""
        keys = sorted(found.key for found in self._objects.list(FOLDER) if _KEY.fullmatch(found.key))
        return [codec.from_json(GateLook, json.loads(self._objects.get(key))) for key in keys]


def looks_borne(spread: float, margin: float) -> int:
    """How many equal challengers may be looked at until the best of them is expected to be seen better by the
    margin. spread: the standard deviation of what is seen of one, in the margin's unit."""
    return math.floor(math.exp((margin / max(spread, margin / 6)) ** 2 / 2))  # who looks ten million times?
