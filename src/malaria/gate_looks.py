"""How often the gate patients were looked at: kept with the registry, one object for each comparison.

Whoever compares often finds somebody who looks better than they are. Of k challengers that are all equal to
the champion the best one is seen to be better by at most s * sqrt(2 ln k), where s is the spread of what is
seen (Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, section 2.5). Where that reaches the
margin within which a fall is borne, the gate says little more, and fresh gate patients are due.

A look names the set of gate cells that was looked at, and each set's looks are counted apart: with a release
that brings fresh gate patients the count begins anew. Looks that were kept before they named it count as of
whatever set is at hand, which is the safe side.
"""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from malaria import codec
from malaria.domain import Role
from malaria.errors import AlreadyExists
from malaria.memory import Memory
from malaria.ports import ObjectStore
from malaria.stored import encoded

FOLDER = "gate-looks/"
_KEY = re.compile(r"gate-looks/(\d{8})\.json")


@dataclass(frozen=True, slots=True)
class GateLook:
    """One comparison on base gate patients. champion, challenger: digests of the models. job: that asked.
    of: the set that was looked at, see `set_of`; "" for looks that were kept before they named it."""

    number: int
    at: datetime
    champion: str
    challenger: str
    job: str
    verdict: str
    cells: int
    patients: int
    of: str = ""


def set_of(memory: Memory) -> str:
    """What to call the base gate cells that a memory holds, whatever their order; gate cells of uploads take
    no part. Memories of several networks hold the same cells, and so the same set."""
    cells = np.sort(memory.of(Role.GATE, base=True).fingerprints)
    return hashlib.sha256(cells.astype("<u8").tobytes()).hexdigest()[:16]


class GateLooks:
    """The record in an object store; numbers count up over all sets, and none is given twice."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def add(self, look: GateLook) -> int:
        """Keep a look under the next number, whatever number it came with, and return how many there are of
        its set up to it."""
        number = len(self._keys()) + 1
        while True:
            told = encoded(codec.to_json({**asdict(look), "number": number}))
            try:
                self._objects.create(f"{FOLDER}{number:08}.json", told)
                break
            except AlreadyExists:  # of another writer
                number += 1
        return sum(before.number <= number for before in self.at(look.of))

    def count(self, of: str) -> int:
        """How many looks at a set are kept, those among them that name none."""
        return len(self.at(of))

    def at(self, of: str) -> list[GateLook]:
        """Every look at a set, the oldest first, those among them that name none."""
        return [look for look in self.read() if look.of in (of, "")]

    def read(self) -> list[GateLook]:
        """Every look at any set, the oldest first."""
        return [codec.from_json(GateLook, json.loads(self._objects.get(key))) for key in self._keys()]

    def _keys(self) -> list[str]:
        return sorted(found.key for found in self._objects.list(FOLDER) if _KEY.fullmatch(found.key))


def looks_borne(spread: float, margin: float) -> int:
    """How many equal challengers may be looked at until the best of them is expected to be seen better by the
    margin. spread: the standard deviation of what is seen of one, in the margin's unit."""
    return math.floor(math.exp((margin / max(spread, margin / 6)) ** 2 / 2))  # who looks ten million times?
