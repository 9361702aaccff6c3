"""Who a cell came from, read off its file name.

Cells of one patient resemble each other, so a patient must never stand on both sides of a split. The
NIH file names carry the patient; this is the only place that reads them, but for the page, which counts
groups before anything is sent (ui/src/parts/groups.ts).
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from unicodedata import normalize

_NIH_PATIENT = re.compile(r"(C\d+)[AB]?(P\d+)?(N)?")
_FIELD = re.compile(r"^(.*?)[_-]?cell[_-]?\d+$", re.IGNORECASE)


def patient_of(name: str) -> str | None:
    """The patient named by an NIH-style file name, or None where it names none.

    `C33P1thinF_IMG_...` is C33P1, `C6NThinF_...` is C6N and `C37BP2thinF_...` is C37P2: slides A and B
    of one person are one patient.
    """
    found = _NIH_PATIENT.match(PurePosixPath(name).name.upper())
    return "".join(part for part in found.groups() if part) if found else None


def alike(patient: str) -> str:
    """What ids of one patient have in common, who may be written in other case, spaces or kind of accents."""
    return " ".join(normalize("NFC", patient).casefold().split())


class Spelling:
    """One spelling for each patient, who would else stand on both sides, once under each.

    known: spellings that stand; else the first one met does.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        self.others: dict[str, str] = {}
        """What was met in another spelling, with the one that counts."""
        for patient in known:
            self.of(patient)
        self.others.clear()

    def of(self, patient: str) -> str:
        """The spelling that counts."""
        found = self._known.setdefault(alike(patient), patient)
        if found != patient:
            self.others[patient] = found
        return found


def field_of(name: str) -> str | None:
    """The microscope field a cell was cut from (`..._IMG_7_cell_12.png` -> `..._IMG_7`), or None."""
    found = _FIELD.match(PurePosixPath(name).stem)
    return found.group(1) or None if found else None


def draw(key: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on `key` alone: the same patient is drawn alike for ever."""
    digest = hashlib.sha256(f"{salt}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
