"""What confirmed labels say of pictures: which of them count.

Rows are those of a FeedbackStore, oldest first. Nothing here knows of the predictions that nobody confirmed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from malaria.domain import Confirmation
from malaria.patients import Spelling


@dataclass(frozen=True)
class Settled:
    """cells: the newest confirmation of each picture and model, with what the picture is. disputed: by
    picture, everything that was said of it, where people do not agree."""

    cells: Sequence[Confirmation]
    disputed: Mapping[int, Sequence[Confirmation]]

    def by_picture(self) -> dict[int, Confirmation]:
        """One confirmation for each picture, by fingerprint: label, patient and site are those of all of
        them."""
        return {row.said.fingerprint: row for row in self.cells}


def settle(rows: Iterable[Confirmation]) -> Settled:
    """What each picture is, by everything that was said of it.

    Of one person the newest word about a picture counts, whichever of its answers it confirms. Where people
    then disagree, the picture is disputed and counts nowhere. Site and patient are the newest that were told.
    People, sites and patients who are written in another case or with other spaces are one, as in an upload,
    under the spelling that was met first.
    """
    pictures: dict[int, list[Confirmation]] = defaultdict(list)
    for row in _spelt(rows):
        pictures[row.said.fingerprint].append(row)
    cells: list[Confirmation] = []
    disputed: dict[int, Sequence[Confirmation]] = {}
    for cell, told in pictures.items():
        site, patient = (
            next((v for row in reversed(told) if (v := getattr(row, name)) is not None), None)
            for name in ("site", "patient")
        )
        known = [replace(row, site=site, patient=patient) for row in told]
        words = _last(known, lambda row: row.by)
        if len({row.label for row in words}) > 1:
            disputed[cell] = known
            continue
        newest = _last(known, lambda row: row.said.version)
        cells += [replace(row, label=words[0].label) for row in newest]
    return Settled(cells, disputed)


def _spelt(rows: Iterable[Confirmation]) -> Iterable[Confirmation]:
    people, sites, patients = Spelling(), Spelling(), Spelling()
    for row in rows:
        site = row.site and sites.of(row.site)
        yield replace(row, by=people.of(row.by), site=site, patient=row.patient and patients.of(row.patient))


def _last(rows: Iterable[Confirmation], key: Callable[[Confirmation], str]) -> list[Confirmation]:
    """The last row of each key, in the order of these rows."""
    last: dict[str, Confirmation] = {}
    for row in rows:
        last.pop(key(row), None)
        last[key(row)] = row
    return list(last.values())
