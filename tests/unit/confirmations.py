"""Confirmed labels, made up."""

from datetime import UTC, datetime, timedelta

from malaria.domain import Confirmation, Label, Said

P, U = Label.PARASITIZED, Label.UNINFECTED
MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


def row(
    cell: int,
    label: Label,
    said: Label | None = P,
    *,
    nonce: str = "",
    by: str = "ada",
    p: float | None = None,
    version: str = "v1",
    at: datetime = MONDAY,
    site: str | None = None,
    patient: str | None = None,
    review: bool = False,
) -> Confirmation:
    """Cell `cell` was said to be `said` and is confirmed as `label`, an hour later."""
    probability = p if p is not None else 0.9 if said == P else 0.1
    told = Said(nonce or f"{version}-{cell}", version, probability, 0.5, said, at, cell, review)
    return Confirmation(told, label, by, site, patient, at + timedelta(hours=1))


def many(counts: dict[tuple[Label, Label], int], first: int = 0, **other: object) -> list[Confirmation]:
    """Rows by (what was said, what it is)."""
    found: list[Confirmation] = []
    for (said, label), count in counts.items():
        start = first + len(found)
        found += [row(start + i, label, said, **other) for i in range(count)]  # type: ignore[arg-type]
    return found
