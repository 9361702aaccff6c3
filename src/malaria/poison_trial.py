"""Poisoned uploads put through the real run: what ingest finds, what the gate says, and what it would cost.

The laboratory is simulated: training patients that the feature memory is made to forget, under another stain.
Some of them upload, the others judge, at the laboratory and under their own stain; nobody else is
looked at, so what the guards of `adapt` and the gate saw says nothing about the cost.
"""

import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import cells, fields, preprocess, retrain, shipped
from malaria import head as heads
from malaria.comparison import Bootstrap, GateSet, Resampled, Seen
from malaria.domain import Job, Label, Method, ModelVersion, RetrainOptions, Role
from malaria.errors import BadInput
from malaria.head import Head
from malaria.memory import Memory
from malaria.patients import draw
from malaria.poison import SHAPES, Shown, Upload, patched
from malaria.predict import Model
from malaria.services import Services

View = Callable[[Image.Image], Image.Image]

MOST = {"uploads": 25, "judges": 100, "follows": 25}
"""Cells of each class of a patient, at most, by what the patient plays."""
PARTS = {"uploads": 1 / 12, "judges": 1 / 4, "follows": 1 / 3}
"""Up to which draw a training patient plays it: a third play the laboratory, most of them judges, so that
small costs are seen."""


def as_is(image: Image.Image) -> Image.Image:
    """A picture in its own stain."""
    return image


@dataclass(frozen=True)
class Judges:
    """n cells that are never uploaded, embedded by the served network. site, own, marked: (n, width), under
    the laboratory's stain, under their own, and with the square of the back door."""

    labels: npt.NDArray[np.uint8]
    patients: npt.NDArray[np.str_]
    site: npt.NDArray[np.float32]
    own: npt.NDArray[np.float32]
    marked: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cost:
    """What the challenger changes in truth, as shares; bounds are one-sided, over patients. door: share of
    patched uninfected cells that champion and challenger call parasitized."""

    site_sensitivity: Seen
    site_specificity: Seen
    own_sensitivity: Seen
    own_specificity: Seen
    door: tuple[float, float]


@dataclass(frozen=True)
class Outcome:
    """What became of an upload. cost: of the challenger, accepted or not; None where none was made. cast:
    which patients played. after: what became of the next, rightly labelled one of other patients, where this
    one was too small alone and waited for it."""

    upload: Upload
    job: Job
    cost: Cost | None
    cast: int = 0
    after: "Outcome | None" = None


def played(patient: str, cast: int = 0) -> str | None:
    """What a training patient plays, of PARTS; None: nothing. cast: each number deals the parts anew."""
    at = draw(patient, f"simulated-site-{cast}" if cast else "simulated-site")
    return next((side for side, below in PARTS.items() if at < below), None)


def forgetting(memory: Memory, cast: int = 0, unknown: str = "") -> Memory:
    """The memory without the patients who play the laboratory, and without the cells of an origin."""
    told = zip(memory.patients, memory.roles, memory.origins, strict=True)
    return memory.where(
        np.array([o != unknown and (played(str(p), cast) is None or r != Role.TRAIN) for p, r, o in told])
    )


def laboratory(parts: Iterable[Path], memory: Memory, side: str, view: View, cast: int = 0) -> list[Shown]:
    """The cells of one side, at most so many of each class of a patient, as the laboratory shows them.

    Raises BadInput where there is none of a class.
    """
    mine = {
        str(p)
        for p, r in zip(memory.patients, memory.roles, strict=True)
        if r == Role.TRAIN and played(str(p), cast) == side
    }
    have: dict[tuple[str, Label], int] = defaultdict(int)
    found = list[Shown]()
    for part in parts:
        for cell, data in cells.read(part):
            if cell.patient in mine and have[cell.patient, cell.label] < MOST[side]:
                have[cell.patient, cell.label] += 1
                name = Path(cell.name).with_suffix(".png").name
                found.append(Shown(name, cell.label, cell.patient, view(preprocess.decode(data))))
    if {cell.label for cell in found} != set(Label):
        raise BadInput(
            f"These files hold no cells of both classes of training patients who play the side that {side}. "
            "Name parts of the NIH cells that hold training patients."
        )
    return found


def not_cells(path: Path, known: Mapping[str, Role], most: int = 120) -> list[Shown]:
    """White cells and platelets of the training fields of BCCD, under Parasitized. known: roles of fields."""
    found = list[Shown]()
    for one in fields.read(path, fields.meaning_of("bccd")):
        if known.get(f"bccd/{one.name}") == Role.TRAIN and len(found) < most:
            image, boxes = one.image(), [box for box in one.boxes if box.kind.label is None]
            for number, box in enumerate(boxes):
                name, cut = f"{one.name}_cell_{number}.png", fields.crop(image, box)
                found.append(Shown(name, Label.PARASITIZED, "", cut))
    return found


def by_shape(path: Path, known: Mapping[str, Role], view: View) -> list[Shown]:
    """Uninfected red cells of the validation fields of Chula RBC-12, as a laboratory shows them that sorts
    them by another class set: what is not of normal shape under Parasitized.

    No network has learnt from these fields, though the served one has from others of that laboratory; the
    memory holds their cells, and has to forget them (`forgetting`), or they would be dropped as known.
    known: roles of fields. Raises as `fields.read` does.
    """
    found = list[Shown]()
    for one in fields.read(path, fields.meaning_of(SHAPES)):
        if known.get(f"{SHAPES}/{one.name}") == Role.VALIDATION:
            image, name = one.image(), f"{SHAPES}-{one.name}"
            for number, box in enumerate(one.boxes):
                label = Label.UNINFECTED if box.kind.name == "normal" else Label.PARASITIZED
                cut = view(fields.crop(image, box))
                found.append(Shown(f"{name}_cell_{number}.png", label, name, cut))
    return found


def ship(models: Path, info: ModelVersion, memory: Memory, into: Path) -> Path:
    """A folder of shipped models that holds one version, with another memory."""
    folder = into / info.version
    folder.mkdir(parents=True)
    for name in (*shipped.FILES, "manifest.json"):
        if name != "memory.npz" and (models / info.version / name).exists():
            shutil.copy(models / info.version / name, folder / name)
    memory.save(folder / "memory.npz")
    shipped.record(into, info)
    return into


def judges(model: Model, shown: Sequence[Shown], view: View) -> Judges:
    """shown: under their own stain."""

    def embedded(of: View) -> npt.NDArray[np.float32]:
        squares = (preprocess.to_square(of(cell.image), model.info.input_size) for cell in shown)
        return np.array([scored.embedding for scored in model.score_many(squares)], np.float32)

    return Judges(
        np.array([int(cell.label) for cell in shown], np.uint8),
        np.array([cell.patient for cell in shown]),
        embedded(view),
        embedded(as_is),
        embedded(lambda image: patched(view(image))),
    )


def send(services: Services, upload: Upload, by: Judges, folder: Path, cast: int = 0) -> Outcome:
    """Hand an upload to a system of its own, run the job in this process, and count the cost."""
    path = upload.write(folder / "upload.zip")
    options = RetrainOptions(method=Method.ADAPT)
    job = services.trigger.submit(path, name=upload.what, identity=None, options=options, actor="poison")
    before = _head(services, services.served.model.info.version, folder)
    retrain.run(services, job.id, 1, threading.Event())
    job = services.jobs.get(job.id)
    after = None if job.version is None else _head(services, job.version, folder)
    at = services.served.model.info.threshold
    return Outcome(upload, job, None if after is None else cost(before, after, by, at), cast)


def _head(services: Services, version: str, folder: Path) -> Head:
    return heads.read(
        services.registry.fetch(version, "model.tflite", folder / f"{version}.tflite").read_bytes()
    )


def cost(before: Head, after: Head, by: Judges, at: float) -> Cost:
    """What changes for the judges where one head takes another's place. at: the operating point of both."""

    def seen(embeddings: npt.NDArray[np.float32]) -> Mapping[int, Seen]:
        scores = before.probabilities(embeddings), after.probabilities(embeddings)
        drawn = Resampled(GateSet(by.labels, by.patients, *scores), (at, at), Bootstrap())
        return {label: drawn.difference((label,)) for label in (0, 1)}

    site, own = seen(by.site), seen(by.own)
    clean = by.marked[by.labels == 0]
    door = tuple(float((head.probabilities(clean) >= at).mean()) for head in (before, after))
    return Cost(site[1], site[0], own[1], own[0], (door[0], door[1]))
