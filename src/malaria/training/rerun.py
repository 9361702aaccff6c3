"""Run again what made a version, training by training, and compare: `malaria reproduce`."""

import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from malaria import codec, grafting, likeness, memory, roles, whole
from malaria import head as heads
from malaria.at_hand import AtHand
from malaria.domain import CLASSES, Label, ModelVersion, Progress, Role
from malaria.errors import BadOptions
from malaria.likeness import Apart, Likeness, Repeated
from malaria.lineage import File, Step
from malaria.memory import BASE, Memory, is_base
from malaria.ports import Report
from malaria.predict import Model
from malaria.reproduction import MODEL, WEIGHTS, Task
from malaria.training import dataset, recipe
from malaria.training.plan import Plan, hold_to, roles_of, sources_of, told_apart
from malaria.training.recipe import Changes, Recipe, Shares
from malaria.training.run import train

MEMORY, MANIFEST, ROLES = "memory.npz", "manifest.json", "roles.json"


@dataclass(frozen=True)
class Rerun:
    """What is to be repeated, and with what.

    info: the version; tasks: what made it, in order. files: the path of each file that is read. out: folder
    for the new version. run: folder of checkpoints, where a stopped run goes on. cache: of decoded pixels.
    command: how a person asked.
    """

    at_hand: AtHand
    info: ModelVersion
    tasks: Sequence[Task]
    files: Mapping[File, Path]
    out: Path
    run: Path
    cache: Path
    command: str


@dataclass(frozen=True)
class _First:
    """The version that is to be repeated."""

    info: ModelVersion
    file: Path
    model: Model
    memory: Memory

    @classmethod
    def of(cls, at_hand: AtHand, info: ModelVersion) -> "_First":
        file, kept = at_hand.file(info, MODEL), at_hand.file(info, MEMORY)
        if file is None or kept is None:
            raise BadOptions(
                f"Version {info.version} has no {MODEL if file is None else MEMORY} here, so nothing can be "
                "compared with it, nor can it be told which patients it learnt from."
            )
        return cls(info, file, Model.load(file, info), memory.load(kept))

    @property
    def learnt(self) -> int:
        """How many base cells were there to train on."""
        return len(self.memory.of(Role.TRAIN, origin=BASE))


@dataclass(frozen=True)
class _Begun:
    """A task with its plan, under the name of its folder. done: written when the version is whole."""

    task: Task
    plan: Plan

    @property
    def done(self) -> Path:
        return self.plan.run.parent / "done.json"

    @property
    def folder(self) -> Path:
        """Of the version that it made. The task must be done."""
        return self.plan.out / str(json.loads(self.done.read_text())["version"])


def rerun(of: Rerun, now: datetime, report: Report) -> tuple[ModelVersion, Likeness]:
    """Run every task that is not done yet, lay the last one's version into `of.out`, and compare.

    Raises:
        BadOptions: there is nothing to compare with, a recipe sets what is no longer known, or two files of
            one training are called alike.
        Conflict: the run folder belongs to another repetition. And whatever `train` raises.
    """
    first, known = _First.of(of.at_hand, of.info), _known_roles(of)
    recipes = [recipe_of(task.step) for task in of.tasks]  # all of them, before any work
    for task in of.tasks:
        paths = _paths(of, task)
        told_apart([*paths["data"], *paths["held-out"]], paths["without"], paths["doubted"])
    work = {"digest": of.info.digest, "tasks": [task.name for task in of.tasks]}
    hold_to(of.run / "reproduce.json", work, "another repetition")
    costs = [_cost(task, told, first.learnt) for task, told in zip(of.tasks, recipes, strict=True)]
    begun = dict[str, _Begun]()
    for number, (task, told) in enumerate(zip(of.tasks, recipes, strict=True)):
        begun[task.name] = _Begun(task, _plan(of, task, told, of.run / f"{number + 1}-{task.name}", begun))
        _run(begun[task.name], known, now, part(report, number, costs))
    last = begun[of.tasks[-1].name]
    made = _read(last.folder)
    with whole.folder(of.out / made.version) as partial:
        for name in (MODEL, MEMORY, WEIGHTS, MANIFEST):
            shutil.copyfile(last.folder / name, partial / name)
    return made, _compare(first, list(begun.values()), report)


def _known_roles(of: Rerun) -> dict[str, Role]:
    """The role of each patient and field: as the version's memory tells, else that of a version that it was
    made from, where that is at hand, else as it ships."""
    listed = of.at_hand.models / ROLES
    known = roles.load(listed) if listed.is_file() else {}
    for task in of.tasks:  # the last one's is the version itself
        info = of.at_hand.of_digest(task.step.digest)
        file = of.at_hand.file(info, MEMORY) if info is not None else None
        if file is not None:
            kept = memory.load(file)
            base = kept.where(is_base(kept.origins))
            known |= {str(owner): Role(role) for owner, role in zip(base.patients, base.roles, strict=True)}
    return known


def recipe_of(step: Step) -> Recipe:
    """The recipe that a manifest tells.

    What it does not name came later and stands at its default, which changes nothing, or at what it was
    before it had a name; what is known no longer is passed over where it was off. Raises BadOptions where it
    was on. A step that joins has no recipe.
    """
    told = _known(step, step.recipe, Recipe)
    for name, kind in (("shares", Shares), ("changes", Changes)):
        if name in told:
            told[name] = _known(step, told[name], kind)
    pretrained = any(option == "backbone-weights" for option, _ in step.inputs())
    return recipe.changed(Recipe(), {**(recipe.UNNAMED if pretrained else {}), **told})


def _known(step: Step, told: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    gone = next((name for name, value in told.items() if name not in names and value), None)
    if gone is not None:
        commit = step.project.get("commit") or step.came_with
        code = f"commit {commit}" if commit else "the code of that time; its commit is not recorded"
        raise BadOptions(
            f"The recipe of version {step.version} sets {gone} to {told[gone]}, which this version of the "
            f"project does not know. Repeat it with {code}."
        )
    return {name: value for name, value in told.items() if name in names}


def _cost(task: Task, told: Recipe, base: int) -> float:
    """What a training costs, in pixels shown; base: how many base cells there are to train on."""
    if not task.step.recipe:
        return 1.0  # nothing is trained
    shares = told.shares.of_parts()
    shown = told.shares.epoch_cells or base * sum(shares.values()) / shares["plain"]
    return shown * sum(stage.epochs * stage.size**2 for stage in told.stages)


def part(report: Report, number: int, costs: Sequence[float]) -> Report:
    """Progress of one training of several: it names which, and seconds left count those that follow."""
    if len(costs) == 1:
        return report
    after = sum(costs[number + 1 :]) / costs[number]

    def told(at: Progress) -> None:
        share = (at.percent or 0.0) / 100
        following = after * at.eta / (1 - share) if at.eta is not None and share < 1 else None
        eta = at.eta + following if at.eta is not None and following is not None else None
        report(replace(at, step=f"{number + 1} of {len(costs)}, {at.step}", eta=eta))

    return told


def _plan(of: Rerun, task: Task, told: Recipe, folder: Path, begun: Mapping[str, _Begun]) -> Plan:
    """The plan of a task. begun: the tasks before it, all done."""
    paths = _paths(of, task)
    without_label = task.step.story.get("without_label")
    return Plan(
        data=paths["data"],
        held_out=paths["held-out"],
        out=folder / "models",
        run=folder / "run",
        cache=of.cache,
        recipe=told,
        backbone_weights=next(iter(paths["backbone-weights"]), None),
        command=of.command,
        laboratories={f.name: of.files[f] for f in task.step.files() if f.option == "laboratory"},
        without=paths["without"],
        without_label=Label(CLASSES.index(without_label)) if without_label else None,
        doubted=paths["doubted"],
        start=begun[task.begun_from].folder / WEIGHTS if task.begun_from is not None else None,
        teacher=_teacher(of.at_hand, task.teacher) if task.teacher is not None else None,
        members=[begun[m].folder / WEIGHTS if isinstance(m, str) else _laid(of, m) for m in task.members],
        branch=grafting.kept(of.at_hand.models) if of.info.screen is not None else None,
    )


def _paths(of: Rerun, task: Task) -> defaultdict[str, list[Path]]:
    """The files that a task reads, in their order, by the option that names them."""
    found = defaultdict[str, list[Path]](list)
    for file in task.step.files():
        found[file.option].append(of.files[file])
    return found


def _laid(of: Rerun, member: ModelVersion) -> Path:
    """The weights of a version that is at hand, with its manifest beside them, as a plan takes them."""
    folder = of.run / f"member-{member.version}"
    if not folder.exists():
        weights = of.at_hand.file(member, WEIGHTS)
        assert weights is not None, "the task was made of it"
        with whole.folder(folder) as partial:
            shutil.copyfile(weights, partial / WEIGHTS)
            (partial / MANIFEST).write_text(json.dumps(codec.to_json(member), indent=1) + "\n")
    return folder / WEIGHTS


def _run(begun: _Begun, known: Mapping[str, Role], now: datetime, report: Report) -> None:
    """Train, unless it is done."""
    if begun.done.exists():
        return
    keras.backend.clear_session()  # what the task before has built
    begun.plan.out.mkdir(parents=True, exist_ok=True)
    roles.save(known, begun.plan.out / ROLES)
    made = train(begun.plan, now, report)
    whole.write_text(begun.done, json.dumps({"version": made.version}) + "\n")


def _compare(first: _First, begun: Sequence[_Begun], report: Report) -> Likeness:
    """How far the last task is off. Every task is done."""
    folders = [one.folder for one in begun]
    versions, file = [_read(folder) for folder in folders], folders[-1] / MODEL
    made, kept = versions[-1], memory.load(folders[-1] / MEMORY)
    alike = np.isin(kept.fingerprints, first.memory.fingerprints)
    return Likeness(
        repeated=tuple(
            Repeated(one.task.name, one.task.step.digest, now.version, now.digest)
            for one, now in zip(begun, versions, strict=True)
        ),
        pairs=tuple(likeness.pairs(first.info.metrics, made.metrics)),
        apart=_apart(first.model, Model.load(file, made), begun[-1].plan, report),
        cells=(len(first.memory), len(kept), int(alike.sum())),
        same_content=heads.content(first.file.read_bytes()) == heads.content(file.read_bytes()),
        **likeness.of_manifests(first.info, made),
    )


def _apart(model: Model, again: Model, plan: Plan, report: Report) -> dict[str, Apart]:
    """Both files on every validation cell, from its pixels, by the origin of the cells."""
    sources = sources_of(plan, roles_of(plan))  # as the training knew them, so their pixels lie in the cache
    cells = dataset.load(sources, again.info.input_size, plan.cache, report).of(Role.VALIDATION)
    then, now = (_answers(one, cells.pixels, report) for one in (model, again))
    at = (model.info.threshold, again.info.threshold)
    rows = {origin: cells.origins == origin for origin in np.unique(cells.origins).tolist()}
    return {origin: likeness.apart(then[mask], now[mask], at) for origin, mask in rows.items()}


def _answers(model: Model, pixels: npt.NDArray[np.uint8], report: Report) -> npt.NDArray[np.float64]:
    found = np.zeros(len(pixels))
    for i, scored in enumerate(model.score_many(np.asarray(one) for one in pixels)):
        found[i] = scored.probability
        if i % 64 == 0:
            report(
                Progress("compare", percent=100.0 * i / len(pixels), message=f"{i} of {len(pixels)} cells")
            )
    return found


def _teacher(at_hand: AtHand, info: ModelVersion) -> Model:
    path = at_hand.file(info, MODEL)
    assert path is not None, "the task was made of it"
    return Model.load(path, info)


def _read(folder: Path) -> ModelVersion:
    return codec.version_from_json(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
