"""Opens a retraining once enough newly confirmed cells have gathered; off unless the operator asks for it.

A round is `rounds/{number}.json` among the kept pictures, made with a conditional create: of many processes
one opens it, and it says which cells it is made of. Everything after that may be done twice, by anyone, also
after a restart: the same round is the same upload, hence the same job.
"""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from malaria import codec
from malaria.domain import Confirmation, Job, Label, RetrainOptions
from malaria.errors import AlreadyExists, BadInput, NotFound
from malaria.feedback import Settled, settle
from malaria.keeping import Kept
from malaria.packing import pack
from malaria.services import Services

ROUNDS = "rounds/"
EACH = 10
"""Fewest cells of each class: a fifth is kept for judging, and an adaptation learns from 5 of each or
more."""


@dataclass(frozen=True)
class Round:
    """Cells of which one retraining is made. cells: by fingerprint. job: once it is handed over, and then the
    rows are gone; '' where nothing could be made of it."""

    cells: tuple[int, ...]
    rows: tuple[Confirmation, ...] = ()
    job: str | None = None


def look(services: Services) -> Job | None:
    """Open a retraining if one is due, or hand over one that was cut short; the job, or None.

    Raises Busy where the store or the ledger fail; look again.
    """
    kept, wanted = services.kept, services.settings.retrain_confirmed
    if not wanted or not kept.days:
        return None
    newest = _newest(kept)
    if newest and (begun := _read(kept, newest)).job is None:
        return _hand_over(services, newest, begun)
    if len(kept.pool()) < wanted:
        return None
    begun = Round(*_due(services, wanted))
    if not begun.cells:
        return None
    try:
        kept.objects.create(_key(newest + 1), _written(begun))
    except AlreadyExists:
        return None  # another process was first, and hands it over
    return _hand_over(services, newest + 1, begun)


def _due(services: Services, wanted: int) -> tuple[tuple[int, ...], tuple[Confirmation, ...]]:
    """The pool's settled cells with their rows, if they are enough; what was handed over is removed."""
    kept, pool = services.kept, services.kept.pool()
    used: set[int] = set()
    for number in range(1, _newest(kept) + 1):
        past = _read(kept, number)
        used.update(past.cells)
        if past.job is not None:  # else another process is about to read these pictures
            for cell in pool.intersection(past.cells):
                kept.remove(cell)
    known = settle(services.feedback.list()).by_picture()
    cells = tuple(sorted((pool - used) & known.keys()))
    counts = Counter(known[cell].label for cell in cells)
    if len(cells) < wanted or any(counts[label] < EACH for label in Label):
        return (), ()
    return cells, tuple(known[cell] for cell in cells)


def _hand_over(services: Services, number: int, begun: Round) -> Job | None:
    """Make the round's ZIP and submit it as any upload; then the round's pictures are no longer needed."""
    kept = services.kept
    lost: list[int] = []
    job: Job | None = None
    with tempfile.TemporaryDirectory(prefix="confirmed-", dir=services.home / "work") as folder:
        path = Path(folder) / "confirmed.zip"
        try:
            pack(Settled(begun.rows, {}), _pictures(kept, begun, lost), path)
            written = True
        except BadInput:  # its pictures were removed meanwhile
            written = False
        if lost and _read(kept, number).job is not None:
            return None  # another process has handed it over, and so removed them
        if written:
            job = services.trigger.submit(
                path,
                name=f"confirmed-{number}.zip",
                identity=f"policy:{number}:{hashlib.sha256(_written(begun)).hexdigest()}",
                options=RetrainOptions(note=f"{len(begun.cells) - len(lost)} confirmed cells"),
                actor="policy",
            )
    kept.objects.put(_key(number), _written(replace(begun, rows=(), job=job.id if job else "")))
    for cell in begun.cells:
        kept.remove(cell)
    return job


def _pictures(kept: Kept, begun: Round, lost: list[int]) -> Iterator[tuple[str, None, bytes]]:
    for cell in begun.cells:
        try:
            yield f"{cell:016x}", None, kept.read(cell)
        except NotFound:
            lost.append(cell)


def _newest(kept: Kept) -> int:
    """The number of the newest round; 0 where there was none."""
    return max((int(PurePosixPath(info.key).stem) for info in kept.objects.list(ROUNDS)), default=0)


def _read(kept: Kept, number: int) -> Round:
    return codec.from_json(Round, json.loads(kept.objects.get(_key(number))))


def _written(begun: Round) -> bytes:
    return json.dumps(codec.to_json(begun)).encode()


def _key(number: int) -> str:
    return f"{ROUNDS}{number:08}.json"
