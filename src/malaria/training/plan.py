"""What a training is asked for, and which cells it may learn from."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import cells, codec, roles, suspects, whole
from malaria.digests import sha256
from malaria.domain import Label, ModelVersion, Role
from malaria.errors import BadOptions, Conflict, Damaged
from malaria.grafting import Branch
from malaria.memory import BASE
from malaria.patients import draw
from malaria.predict import Model
from malaria.training.dataset import CellArrays, Layout, Source
from malaria.training.laboratories import Laboratory
from malaria.training.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """What `train` is asked for.

    data: sources for training and validation; held_out: sources whose patients become gate and test.
    laboratories: fields of other laboratories, by the name of their set; their cells are uninfected.
    without: lists of cells not to train on, CSV with original_label, cell and patient; they keep their role
    and their place in every figure. without_label: leave out only those of this label; None: both.
    doubted: lists of cells that are learnt as they are, but of which nothing is moved onto other cells.
    start: Keras file of a fitted network to go on from. teacher: a model whose answers are learnt beside the
    labels.
    members: of an ensemble, Keras files of fitted networks, each in the folder of its version; then nothing
    is trained, and of the rest only data, held_out, laboratories, out, run, cache and command count.
    out: folder for the version and roles.json, which is used where it exists and made where not.
    run: folder of checkpoints; a run that was killed goes on from there. command: how a person asked.
    branch: the subject network that goes into the served graph.
    """

    data: Sequence[Path]
    held_out: Sequence[Path]
    out: Path
    run: Path
    cache: Path
    recipe: Recipe
    backbone_weights: Path | None
    command: str
    laboratories: Mapping[str, Path] = field(default_factory=dict)
    without: Sequence[Path] = ()
    without_label: Label | None = None
    doubted: Sequence[Path] = ()
    start: Path | None = None
    teacher: Model | None = None
    members: Sequence[Path] = ()
    branch: Branch | None = None


def roles_of(plan: Plan) -> dict[str, Role]:
    """The role of each patient and field: as roles.json in `plan.out` lists it, else as it is drawn.

    Raises PatientOverlap where a patient stands in both data and held-out sources, whatever the list says.
    """
    development, held_out = _infected(plan.data), _infected(plan.held_out)
    roles.apart(development, held_out)
    bare = (Laboratory(path, name, {}) for name, path in plan.laboratories.items())
    fields = [group for laboratory in bare for group in laboratory.groups()]
    listed = plan.out / "roles.json"
    drawn = not listed.exists()
    known = roles.draw_base_roles(development, held_out) if drawn else roles.load(listed)
    return {group: roles.field_role(group) for group in fields} | known


def without_patient(plan: Plan, known: Mapping[str, Role]) -> int:
    """How many cells stand on no side and are left out, since their patient is not told.

    Raises BadOptions where a patient is told who has no role: his cells would be left out as silently.
    """
    patients = [cell.patient for path in (*plan.data, *plan.held_out) for cell, _ in cells.read(path)]
    strange = sorted({patient for patient in patients if patient} - known.keys())
    if strange:
        raise BadOptions(
            f"{len(strange):,} patients of the data have no role in {plan.out / 'roles.json'}, such as "
            f"{strange[0]}, so their cells would not be learnt from. Give them one there, or name another "
            "folder."
        )
    return patients.count(None)


def _infected(sources: Sequence[Path]) -> dict[str, int]:
    """Parasitized cells of each patient."""
    counts: dict[str, int] = {}
    for source in sources:
        for cell, _ in cells.read(source):
            if cell.patient:
                counts[cell.patient] = counts.get(cell.patient, 0) + int(cell.label)
    return counts


def sources_of(plan: Plan, known: Mapping[str, Role]) -> list[Source]:
    """The cells of the plan's data, each with the role of its patient or field."""
    base: list[Source] = [Layout(path, known) for path in (*plan.data, *plan.held_out)]
    return [*base, *(Laboratory(path, name, known) for name, path in plan.laboratories.items())]


def listed(cells: CellArrays, lists: Sequence[Path], label: Label | None = None) -> npt.NDArray[np.bool_]:
    """Which cells the lists name, (n,); of one label only, where one is told."""
    keys = set[suspects.Key]().union(*(suspects.read(path) for path in lists))
    keys = {key for key in keys if label in (None, key[0])}
    named = (suspects.key(of, name) in keys for of, name in zip(cells.labels, cells.names, strict=True))
    return np.fromiter(named, np.bool_, len(cells))


def learnable(
    cells: CellArrays, without: Sequence[Path], label: Label | None = None
) -> npt.NDArray[np.bool_]:
    """Which cells are trained on, (n,): those of training patients and fields that no list leaves out."""
    train: npt.NDArray[np.bool_] = cells.roles == Role.TRAIN.value
    return train & ~listed(cells, without, label)


def of_patients(cells: CellArrays, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which cells are learnt where only a share of the base training patients is there, (n,).

    Cells of other laboratories and of other roles are all kept. Patients with and without parasites are dealt
    apart, at least one of each; a larger share holds those of a smaller one, and another seed deals anew.
    """
    base = (cells.origins == BASE) & (cells.roles == Role.TRAIN.value)
    ill = set(cells.groups[base & (cells.labels == Label.PARASITIZED)].tolist())
    chosen: list[str] = []
    for infected in (True, False):
        dealt = sorted(
            (group for group in set(cells.groups[base].tolist()) if (group in ill) is infected),
            key=lambda patient: draw(patient, f"share-of-patients-{seed}"),
        )
        chosen += dealt[: max(1, round(share * len(dealt)))]
    kept: npt.NDArray[np.bool_] = ~base | np.isin(cells.groups, chosen)
    return kept


def left_out(plan: Plan, cells: CellArrays) -> int:
    """How many cells the plan's lists keep from being trained on."""
    trained = learnable(cells, plan.without, plan.without_label)
    return int(np.count_nonzero(learnable(cells, ()) & ~trained))


def members_of(plan: Plan) -> list[ModelVersion]:
    """The versions of the plan's members, as the manifest.json beside each file tells.

    Raises BadOptions where a member has no such manifest, or members take pictures of unequal size.
    """
    found = [_described(path) for path in plan.members]
    if len({info.input_size for info in found}) > 1:
        sizes = (f"{path} {i.input_size} pixels" for path, i in zip(plan.members, found, strict=True))
        raise BadOptions(f"The members take pictures of unequal size: {', '.join(sizes)}. Join equal ones.")
    return found


def begun_from(plan: Plan) -> dict[str, Any]:
    """How the network was made that the plan goes on from, as its manifest tells; empty where it is new.

    Raises BadOptions where there is no such manifest.
    """
    if plan.start is None:
        return {}
    info = _described(plan.start)
    return {"version": info.version, "digest": info.digest, **info.lineage}


def _described(member: Path) -> ModelVersion:
    """The version whose network.keras this is. Raises BadOptions."""
    manifest = member.with_name("manifest.json")
    try:
        return codec.version_from_json(json.loads(manifest.read_text(encoding="utf-8")))
    except (OSError, ValueError, Damaged) as error:
        raise BadOptions(
            f"{member} has no manifest.json beside it that can be read ({error}). Name the "
            "network.keras in the folder of its version."
        ) from None


def hold_to(written: Path, told: Mapping[str, Any], work: str) -> None:
    """Write down what a run folder is of, before the work: one that changed midway would explain no weights.

    Raises Conflict where it is of something else; work: what that is called.
    """
    written.parent.mkdir(parents=True, exist_ok=True)
    if written.exists() and json.loads(written.read_text()) != told:
        raise Conflict(f"{written.parent} holds {work}. Name another folder with --run, or delete it.")
    whole.write_text(written, json.dumps(told, indent=1) + "\n")


def inputs(plan: Plan) -> list[list[str]]:
    """The plan's files in the order of reading, by option and the name that `made_of` gives them.

    A list, since the store sorts the names of a mapping, and the order of the cells decides the weights too.
    """
    told = [["data", path.name] for path in plan.data]
    told += [["held-out", path.name] for path in plan.held_out]
    told += [["laboratory", name] for name in plan.laboratories]
    told += [["without", path.name] for path in plan.without]
    return told + [["doubted", path.name] for path in plan.doubted]


def told_apart(*kinds: Iterable[Path]) -> None:
    """Raises BadOptions where two files of one kind are called alike: a manifest could tell of one only."""
    for paths in kinds:
        alike = [name for name, count in Counter(path.name for path in paths).items() if count > 1]
        if alike:
            raise BadOptions(f"Two files are called {alike[0]}; rename one, so that both can be told of.")


def made_of(plan: Plan) -> dict[str, Any]:
    """All that decides the weights, with the SHA-256 of every file. Raises BadOptions as `members_of` and
    `told_apart`."""
    told_apart([*plan.data, *plan.held_out], plan.without, plan.doubted)
    if plan.members:
        return {
            "data": {path.name: sha256(path) for path in (*plan.data, *plan.held_out)},
            "laboratories": {name: sha256(path) for name, path in plan.laboratories.items()},
            "members": [
                {"version": i.version, "network": i.network, "digest": i.digest, "weights": sha256(path)}
                for path, i in zip(plan.members, members_of(plan), strict=True)
            ],
        }
    return {
        "recipe": codec.to_json(plan.recipe),
        "data": {path.name: sha256(path) for path in (*plan.data, *plan.held_out)},
        "laboratories": {name: sha256(path) for name, path in plan.laboratories.items()},
        "without": {path.name: sha256(path) for path in plan.without},
        "doubted": {path.name: sha256(path) for path in plan.doubted},
        "without_label": plan.without_label.text if plan.without_label is not None else None,
        "start": sha256(plan.start) if plan.start else None,
        "teacher": plan.teacher.info.digest if plan.teacher else None,
        "backbone_weights": sha256(plan.backbone_weights) if plan.backbone_weights else None,
    }
