"""What a model takes for one good cell, measured: cells of several laboratories, and pictures of all else."""

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from malaria import branches, codec, contact_sheet, preprocess, report
from malaria.contact_sheet import Block, Tile
from malaria.domain import ModelVersion, Progress, Screen
from malaria.errors import BadOptions
from malaria.evaluation import Rate
from malaria.ports import Report
from malaria.predict import Model, interpret
from malaria.report import Table
from malaria.shares import share
from malaria.subject import OUTPUT, Subject, judged
from malaria.subject_kinds import CELL, Shown

ON_SHEET = 8
"""Pictures of each kind on the contact sheet: those that fare worst."""
TIMED = 200
"""Pictures by which the time of the subject network is told."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """Pictures of one kind and source. groups: patients, fields or pictures that are resampled as one.

    refused: the share without an answer. at_99: what is caught while 99% of validation cells pass. stopped:
    the share refused, or sent to a person as near to it, which is what is caught while 95% pass. looked_at:
    the share at which a person is to look for any reason, an uncertain probability among them. called: what
    those that are stopped are most often taken for, as a code; "" where none is.
    """

    kind: str
    source: str
    pictures: int
    groups: int
    refused: Rate
    at_99: Rate
    stopped: Rate
    looked_at: Rate
    called: str


@dataclass(frozen=True, slots=True)
class Found:
    """A model's screen put to the test. milliseconds: of a picture, median, with and without the subject
    network in the graph, measured in turn."""

    version: str
    digest: str
    screen: Screen
    kinds: tuple[OfKind, ...]
    milliseconds: tuple[float, float]


@dataclass
class _Seen:
    """What was said of the pictures of one kind and source. worst: a heap of what fared worst."""

    groups: list[str] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    at_99: list[bool] = field(default_factory=list)
    looked_at: list[bool] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    worst: list[tuple[float, int, Image.Image, str]] = field(default_factory=list)


def measure(
    model: Model,
    content: bytes,
    shown: Iterable[Shown],
    report: Report,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[Found, Image.Image]:
    """Score pictures by kind. content: of the model's file, to time it. Returns figures and a contact sheet.

    Raises BadOptions where the model has no subject network.
    """
    screen = model.info.screen
    if screen is None:
        raise BadOptions(
            f"Version {model.info.version} has no subject network. `malaria subject graft` gives it one."
        )
    seen = _seen(model, screen, shown, report)
    kinds = tuple(_of_kind(key, of, draws, seed) for key, of in seen.items())
    found = Found(model.info.version, model.info.digest, screen, kinds, timed(content, model.info))
    return found, contact_sheet.sheet([_block(key, of) for key, of in seen.items()])


def _seen(
    model: Model, screen: Screen, shown: Iterable[Shown], report: Report
) -> dict[tuple[str, str], _Seen]:
    seen: dict[tuple[str, str], _Seen] = {}
    waiting: list[Shown] = []

    def squares() -> Iterator[preprocess.Pixels]:
        for one in shown:
            waiting.append(one)
            yield preprocess.to_square(one.image, model.info.input_size)

    for number, scored in enumerate(model.score_many(squares())):
        one = waiting.pop(0)
        assert scored.subject is not None, "the version has a screen"
        told, of = judged(scored.subject, screen), seen.setdefault((one.kind, one.source), _Seen())
        of.groups.append(one.group)
        of.refused.append(told.refused)
        of.looked_at.append(interpret(scored, model.info).review is not None)
        of.codes.append(told.reason.code if told.reason else "")
        likely = float(scored.subject[Subject.CELL])
        of.at_99.append(likely < screen.hundredth)
        _keep(
            of,
            -likely if one.kind.startswith(CELL) else likely,
            number,
            one.image,
            f"P {likely:.3g} {of.codes[-1]}",
        )
        if number % 64 == 0:
            report(Progress("subject", message=f"{number:,} pictures, {one.kind} of {one.source}"))
    return seen


def _keep(of: _Seen, badness: float, number: int, image: Image.Image, line: str) -> None:
    if len(of.worst) < ON_SHEET or badness > of.worst[0][0]:
        small = image.copy()
        small.thumbnail((2 * contact_sheet.SIDE, 2 * contact_sheet.SIDE))
        push = heapq.heappush if len(of.worst) < ON_SHEET else heapq.heapreplace
        push(of.worst, (badness, -number, small, line))


def _of_kind(key: tuple[str, str], of: _Seen, draws: int, seed: int) -> OfKind:
    groups = np.array(of.groups, np.str_)
    told = (of.refused, of.at_99, [bool(code) for code in of.codes], of.looked_at)
    refused, at_99, stopped, looked_at = (share(np.array(those), groups, draws, seed) for those in told)
    codes, counts = np.unique([code for code in of.codes if code], return_counts=True)
    return OfKind(
        *key,
        pictures=len(groups),
        groups=len(np.unique(groups)),
        refused=refused,
        at_99=at_99,
        stopped=stopped,
        looked_at=looked_at,
        called=str(codes[counts.argmax()]) if len(codes) else "",
    )


def timed(content: bytes, info: ModelVersion) -> tuple[float, float]:
    """Milliseconds of a picture, median of TIMED, with the subject network and without it, in turn."""
    models = [Model(c, info, interpreters=1) for c in (content, branches.without(content, OUTPUT))]
    picture = np.full((info.input_size, info.input_size, 3), 128, np.uint8)
    took: list[list[float]] = [[], []]
    for _ in range(TIMED):
        for model, times in zip(models, took, strict=True):
            began = time.perf_counter()
            model.score(picture)
            times.append(1000 * (time.perf_counter() - began))
    return float(np.median(took[0])), float(np.median(took[1]))


def _block(key: tuple[str, str], of: _Seen) -> Block:
    kind, source = key
    which = "least" if kind.startswith(CELL) else "most"
    tiles = [Tile(image, [line]) for _, _, image, line in sorted(of.worst, key=lambda w: (-w[0], -w[1]))]
    return Block(
        f"{kind}, {source}: the {len(tiles)} of {len(of.groups):,} that look {which} like a cell", tiles
    )


def told(found: Found) -> dict[str, Any]:
    """The figures as JSON."""
    return codec.to_json(found)


def tables(found: Found) -> list[Table]:
    """What passes and what is caught."""
    screen, (with_it, without) = found.screen, found.milliseconds
    cells = [of for of in found.kinds if of.kind.startswith(CELL)]
    rest = [of for of in found.kinds if not of.kind.startswith(CELL)]
    note = (
        f"Below a P(cell) of {screen.refuse:.3g} a picture gets no answer, below {screen.review:.3g} a "
        f"person is asked to look; below {screen.hundredth:.3g} lies one in a hundred validation cells. "
        "For a person in all: also what has a probability of a parasite near to the threshold."
    )
    caught = (
        "Caught at 99%, at 95%: while so many validation cells pass, in every laboratory that was learnt "
        "from. What is caught at 95% and gets an answer is sent to a person."
    )
    time_rows = [
        ("with it, milliseconds", f"{with_it:.2f}"),
        ("without it, milliseconds", f"{without:.2f}"),
        ("the one as a share of the other", f"{with_it / without:.3f}"),
    ]
    return [
        Table("Cells", _COLUMNS, [_row(of) for of in cells], note),
        Table("What is not one good cell", _COLUMNS, [_row(of) for of in rest], caught),
        Table("What the subject network costs", ("a picture", "median"), time_rows, "Measured in turn."),
    ]


_COLUMNS = (
    *("shows", "of", "pictures", "patients, fields or pictures"),
    *("no answer", "caught at 99%", "caught at 95%", "for a person in all", "mostly called"),
)


def _row(of: OfKind) -> Sequence[object]:
    shares = (of.refused, of.at_99, of.stopped, of.looked_at)
    rates = (report.with_interval(rate.value, rate.interval) for rate in shares)
    return (of.kind, of.source, f"{of.pictures:,}", of.groups, *rates, of.called or None)
