"""Poisoned uploads put through the real run: what ingest finds, what the gate says, and what it would cost.

The laboratory is simulated: training patients that the feature memory is made to forget, under another stain.
Some of them upload, the others judge, at the laboratory and under their own stain; nobody else is
looked at, so what the guards of `adapt` and the gate saw says nothing about the cost.
"""

import shutil
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from malaria import cells, fields, preprocess, retrain, shipped
from malaria import head as heads
from malaria.domain import Job, Label, Method, ModelVersion, RetrainOptions, Role
from malaria.errors import BadInput
from malaria.grafting import FOLDER
from malaria.memory import BASE, Memory
from malaria.patients import draw
from malaria.poison import SHAPES, Shown, Upload, View
from malaria.poison_cost import Answers, Cost, Judges, by_head, by_model, cost
from malaria.predict import load_version
from malaria.services import Services
from malaria.spool import entry
from malaria.uploads import table

MOST = {"uploads": 25, "judges": 100, "follows": 25}
"""Cells of each class of a patient, at most, by what the patient plays."""
PARTS = {"uploads": 1 / 12, "judges": 1 / 4, "follows": 1 / 3}
"""Up to which draw a training patient plays it: a third play the laboratory, most of them judges, so that
small costs are seen."""


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


def base_images(parts: Iterable[Path], memory: Memory, into: Path) -> Path:
    """A ZIP of the NIH cells whose pictures a system has, with their patients: those of the training,
    validation and gate patients whom its memory knows. Cells of test patients stay out, and so do those of
    patients who play the laboratory, where the memory is one that has forgotten them (`forgetting`).

    Raises BadInput where there are none, and as `cells.read` does.
    """
    ours = (memory.origins == BASE) & (memory.roles != Role.TEST.value)
    known, packed = set(memory.patients[ours].tolist()), dict[str, str]()
    with zipfile.ZipFile(into, "w") as archive:
        for number, part in enumerate(parts):
            for cell, data in cells.read(part):
                name = f"{number}/{cell.label.text}/{cell.name}"
                if cell.patient in known and name not in packed:  # the Kaggle data hold each picture twice
                    archive.writestr(entry(name), data)
                    packed[name] = str(cell.patient)
        archive.writestr(entry("patients.csv"), table(packed))
    if not packed:
        raise BadInput(
            "These files hold no cells but of test patients and of those who play the laboratory, and `full` "
            "learns from others' pictures, too. Name more parts of the NIH cells."
        )
    return into


def ship(models: Path, info: ModelVersion, memory: Memory, into: Path) -> Path:
    """A folder of shipped models that holds one version, with another memory; and what ships beside the
    versions that a run may ask for: the subject network, and the roles of the base patients."""
    folder = into / info.version
    folder.mkdir(parents=True)
    for name in (*shipped.FILES, "manifest.json"):
        if name != "memory.npz" and (models / info.version / name).exists():
            shutil.copy(models / info.version / name, folder / name)
    memory.save(folder / "memory.npz")
    if (models / FOLDER).exists():
        shutil.copytree(models / FOLDER, into / FOLDER)
    if (models / "roles.json").exists():
        shutil.copy(models / "roles.json", into / "roles.json")
    shipped.record(into, info)
    return into


def send(
    services: Services, upload: Upload, by: Judges, folder: Path, options: RetrainOptions, cast: int = 0
) -> Outcome:
    """Hand an upload to a system of its own, run the job in this process, and count the cost. by: embedded by
    the model that is served there."""
    path = upload.write(folder / "upload.zip")
    job = services.trigger.submit(path, name=upload.what, identity=None, options=options, actor="poison")
    before = _answers(services, services.served.model.info.version, by, folder)
    retrain.run(services, job.id, 1, threading.Event())
    job = services.jobs.get(job.id)
    after = None if job.version is None else _answers(services, job.version, by, folder)
    return Outcome(upload, job, None if after is None else cost(before, after, by), cast)


def _answers(services: Services, version: str, by: Judges, folder: Path) -> Answers:
    """What a version says of the judges; the head is enough to tell, but where `full` trained the network."""
    info = services.registry.version(version)
    if info.lineage.get("method") == Method.FULL.value:
        return by_model(load_version(services.registry, version, folder / "cache"), by)
    file = services.registry.fetch(version, "model.tflite", folder / f"{version}.tflite")
    return by_head(heads.read(file.read_bytes()), info.threshold, by)
