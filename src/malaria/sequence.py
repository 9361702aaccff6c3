"""What many small retrainings in a row do: uploads of several laboratories in turn, each through the whole
run, and after each the figures of every laboratory and of base patients.

A gate that compares with the served model alone could be led down by steps that are each within its margin.
This says whether it is.
"""

import io
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from malaria import cells, preprocess, retrain, uploads
from malaria import head as heads
from malaria.domain import Label, Progress, RetrainOptions, Role
from malaria.errors import BadInput
from malaria.memory import load as load_memory
from malaria.metrics import metrics
from malaria.patients import draw
from malaria.ports import Report
from malaria.remembered import scored
from malaria.services import Services
from malaria.uploads import Picture

View = Callable[[Image.Image], Image.Image]
FIGURES = ("sensitivity", "specificity")
BASE = ("validation", "gate")
PATIENTS, EACH = 10, 20
"""Patients of an upload, and at most so many cells of each."""
JUDGED = 12
"""Patients of a laboratory that are never uploaded, at most."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A cell as it lies in the base set."""

    label: Label
    name: str
    patient: str
    data: bytes


@dataclass(frozen=True)
class Laboratory:
    """sends: by patient, the cells of those who are uploaded; judged: of others, who never are."""

    view: View
    sends: Mapping[str, Sequence[Raw]]
    judged: Sequence[Raw]


@dataclass(frozen=True, slots=True)
class After:
    """What stood after an upload. number: 0 is before the first, and then site, verdict and reason are "".

    sites: by laboratory, sensitivity and specificity of its judged patients; base: the same of NIH patients,
    by role.
    """

    number: int
    site: str
    verdict: str
    reason: str
    version: str
    sites: Mapping[str, Mapping[str, float]]
    base: Mapping[str, Mapping[str, float]]


def laboratories(
    parts: Iterable[Path], wanted: Callable[[str], bool], views: Mapping[str, View]
) -> dict[str, Laboratory]:
    """Patients of class folders, dealt to as many laboratories as there are views, a third of each judged.

    wanted: of a patient. Raises BadInput where a laboratory would have fewer than PATIENTS to send, or none
    to judge on.
    """
    by_patient = defaultdict[str, list[Raw]](list)
    for part in parts:
        for cell, data in cells.read(part):
            if cell.patient and wanted(cell.patient):
                by_patient[cell.patient].append(Raw(cell.label, Path(cell.name).name, cell.patient, data))
    dealt = sorted(by_patient, key=lambda patient: draw(patient, "sequence"))
    found = {}
    for number, (name, view) in enumerate(views.items()):
        own = dealt[number :: len(views)]
        judged, sent = own[::3][:JUDGED], [patient for i, patient in enumerate(own) if i % 3]
        if len(sent) < PATIENTS or not judged:
            raise BadInput(
                f"{len(by_patient)} patients are too few for {len(views)} laboratories: each sends cells of "
                f"{PATIENTS} and is judged on others. Name more cells."
            )
        found[name] = Laboratory(
            view,
            {patient: _some(by_patient[patient]) for patient in sent},
            [cell for patient in judged for cell in _some(by_patient[patient])[: 2 * EACH]],
        )
    return found


def _some(of: Sequence[Raw]) -> list[Raw]:
    """A patient's cells, both classes in turn as far as they go."""
    drawn = sorted(of, key=lambda cell: draw(cell.name, "sequence"))
    classes = [[cell for cell in drawn if cell.label == label] for label in Label]
    place = {cell.name: i for own in classes for i, cell in enumerate(own)}
    return sorted(drawn, key=lambda cell: (place[cell.name], cell.label))


def run(
    services: Services, labs: Mapping[str, Laboratory], count: int, seed: int, report: Report
) -> list[After]:
    """Send `count` uploads, of each laboratory in turn, to a system that nobody else uses; what stood before
    the first and after each. Raises as a run does."""
    judge, rng = _Judge(services, labs), np.random.default_rng(seed)
    found, used = [judge.after(0, "", "", "")], set[str]()
    for number in range(1, count + 1):
        name = list(labs)[(number - 1) % len(labs)]
        report(Progress("sequence", percent=100.0 * (number - 1) / count, message=f"upload {number}: {name}"))
        path = services.home / "work" / "upload.zip"
        uploads.write(path, _upload(name, labs[name], rng, used))
        job = services.trigger.submit(
            path, name=f"{number:02}.zip", identity=None, options=RetrainOptions(), actor="sequence"
        )
        path.unlink(missing_ok=True)
        retrain.run(services, job.id, 1, threading.Event())
        ended = services.jobs.get(job.id)
        verdict = ended.verdict.value if ended.verdict else ended.state.value
        found.append(judge.after(number, name, verdict, ended.receipt.get("reason") or ended.reason))
    return found


def _upload(name: str, lab: Laboratory, rng: np.random.Generator, used: set[str]) -> Iterator[Picture]:
    """Cells that were not sent before, of PATIENTS patients."""
    for patient in rng.permutation(sorted(lab.sends))[:PATIENTS].tolist():
        fresh = [cell for cell in lab.sends[patient] if cell.name not in used][:EACH]
        used.update(cell.name for cell in fresh)
        for cell in fresh:
            yield Picture(
                cell.label, f"{Path(cell.name).stem}.png", f"{name} {patient}", _png(cell, lab.view)
            )


def _png(cell: Raw, view: View) -> bytes:
    out = io.BytesIO()
    view(preprocess.decode(cell.data)).save(out, "PNG")
    return out.getvalue()


class _Judge:
    """Figures of what is served."""

    def __init__(self, services: Services, labs: Mapping[str, Laboratory]) -> None:
        self._services, size = services, services.served.model.info.input_size
        self._pixels = {
            name: [preprocess.to_square(lab.view(preprocess.decode(cell.data)), size) for cell in lab.judged]
            for name, lab in labs.items()
        }
        self._labels = {
            name: np.array([int(cell.label) for cell in lab.judged], np.uint8) for name, lab in labs.items()
        }
        self._patients = {name: np.array([cell.patient for cell in lab.judged]) for name, lab in labs.items()}

    def after(self, number: int, site: str, verdict: str, reason: str) -> After:
        self._services.served.refresh()
        model = self._services.served.model
        told = {}
        for name, pixels in self._pixels.items():
            p = np.array([one.probability for one in model.score_many(pixels)])
            figures = metrics(self._labels[name], p, self._patients[name], model.info.threshold, bootstrap=0)
            told[name] = {figure: float(getattr(figures, figure)) for figure in FIGURES}
        return After(number, site, verdict, reason, model.info.version, told, self._base())

    def _base(self) -> dict[str, dict[str, float]]:
        """From the served version's own memory: base cells stay in it, and the backbone stays."""
        info, registry = self._services.served.model.info, self._services.registry
        folder = self._services.home / "cache" / info.version
        files = [registry.fetch(info.version, name, folder / name) for name in ("model.tflite", "memory.npz")]
        figures = scored(load_memory(files[1]), heads.read(files[0].read_bytes()), info.threshold)
        return {role: {figure: figures[role][figure] for figure in FIGURES} for role in BASE}


def of_train(known: Mapping[str, Role]) -> Callable[[str], bool]:
    """Patients that may play: training patients, so that nothing is learnt from those kept apart."""
    return lambda patient: known.get(patient) == Role.TRAIN
