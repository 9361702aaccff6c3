"""Opens a retraining once enough newly confirmed cells have gathered, or fewer on which the served model errs
more often than it says; off unless the operator asks for it.

A round is `rounds/{number}.json` among the kept pictures, made with a conditional create: of many processes
one opens it, and it says which cells it is made of. Everything after that may be done twice, by anyone, also
after a restart: the same round is the same upload, hence the same job.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from malaria import codec
from malaria.domain import Confirmation, Job, JobState, Label, RetrainOptions
from malaria.drift import excess
from malaria.errors import AlreadyExists, BadInput, NotFound
from malaria.feedback import Settled, settle
from malaria.keeping import Kept
from malaria.packing import pack
from malaria.services import Services

ROUNDS = "rounds/"
WORK, LONGEST = "confirmed-", 3600.0
"""How folders for a round's ZIP begin, and the seconds after which nobody fills one any more."""
EACH = 10
"""Fewest cells of each class: a fifth is kept for judging, and an adaptation learns from 5 of each or
more."""


@dataclass(frozen=True)
class Round:
    """Cells of which one retraining is made. cells: by fingerprint. drift: what is off, where that opened it.
    job: once it is handed over, and then the rows are gone; '' where nothing could be made of it."""

    cells: tuple[int, ...]
    rows: tuple[Confirmation, ...] = ()
    drift: str = ""
    job: str | None = None


def look(services: Services) -> Job | None:
    """Open a retraining if one is due and none waits or runs, or hand over one that was cut short; the job,
    or None.

    Raises Busy where the store or the ledger fail, OSError where there is no room for the ZIP; look again.
    """
    kept, settings = services.kept, services.settings
    if not settings.opens_retrainings or not kept.days:
        return None
    newest = _newest(kept)
    if newest and (begun := _read(kept, newest)).job is None:
        return _hand_over(services, newest, begun)
    fewest = EACH * len(Label) if settings.retrain_drift else settings.retrain_confirmed
    if len(kept.pool()) < fewest or _at_work(services):
        return None
    due = _due(services)
    if due is None:
        return None
    try:
        kept.objects.create(_key(newest + 1), _written(due))
    except AlreadyExists:
        return None  # another process was first, and hands it over
    return _hand_over(services, newest + 1, due)


def _at_work(services: Services) -> bool:
    """Whether a retraining waits or runs: what it brings changes what is due."""
    return any(services.jobs.list(state=state, limit=1) for state in (JobState.QUEUED, JobState.RUNNING))


def _due(services: Services) -> Round | None:
    """The pool's settled cells with their rows, if they are enough; what was handed over is removed."""
    wanted = services.settings.retrain_confirmed
    known = settle(services.feedback.list()).by_picture()
    cells = tuple(sorted(_fresh(services.kept) & known.keys()))
    rows = tuple(known[cell] for cell in cells)
    counts = Counter(row.label for row in rows)
    if any(counts[label] < EACH for label in Label):
        return None
    if wanted and len(cells) >= wanted:
        return Round(cells, rows)
    drift = _drift(services, rows)
    return Round(cells, rows, drift) if drift else None


def _fresh(kept: Kept) -> set[int]:
    """The pool without the cells of earlier rounds, whose pictures are removed once they were handed over."""
    pool, used = kept.pool(), set[int]()
    for number in range(1, _newest(kept) + 1):
        past = _read(kept, number)
        used.update(past.cells)
        if past.job is not None:  # else another process is about to read these pictures
            for cell in pool.intersection(past.cells):
                kept.remove(cell)
    return pool - used


def _drift(services: Services, rows: Iterable[Confirmation]) -> str:
    """What the served model does worse than it says, to follow a count; '' where that is not sure enough."""
    least, newest = services.settings.retrain_drift, services.registry.newest()
    if not least or newest is None:
        return ""
    found = excess(row for row in rows if row.said.version == newest.version)
    if found.deviations < least:
        return ""
    return f"; {found.wrong} of {found.cells} answered wrongly, {found.expected:.1f} expected"


def _hand_over(services: Services, number: int, begun: Round) -> Job | None:
    """Make the round's ZIP and submit it as any upload; then the round's pictures are no longer needed."""
    kept = services.kept
    lost: list[int] = []
    job: Job | None = None
    _sweep(services.home / "work")
    with tempfile.TemporaryDirectory(prefix=WORK, dir=services.home / "work") as folder:
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
                options=RetrainOptions(note=f"{len(begun.cells) - len(lost)} confirmed cells{begun.drift}"),
                actor="policy",
            )
    kept.objects.put(_key(number), _written(replace(begun, rows=(), job=job.id if job else "")))
    for cell in begun.cells:
        kept.remove(cell)
    return job


def _sweep(work: Path) -> None:
    """Remove what hand-overs that were killed left behind: pictures may not outlive their days."""
    for folder in work.glob(f"{WORK}*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if time.time() - folder.stat().st_mtime > LONGEST:
                shutil.rmtree(folder)


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
