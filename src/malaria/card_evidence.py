"""What a model card is made of: a version's manifest, its feature memory, and what was measured of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from malaria import codec, looks, memory
from malaria.at_hand import AtHand
from malaria.credits import Credits
from malaria.domain import ModelVersion, Role
from malaria.errors import BadInput, Damaged
from malaria.evaluation import Evaluation
from malaria.evaluation_tables import read
from malaria.lineage import DERIVED, File, Step, alike, files_of, steps
from malaria.looks import Look
from malaria.memory import BASE, Counted
from malaria.metrics import Metrics

EVALUATIONS, REPORT = "evaluations.json", "report.json"

Reports = Mapping[str, Mapping[str, Any]]
"""By a short name, what `malaria evaluate --report` wrote as report.json."""


@dataclass(frozen=True)
class Measured:
    """One evaluation. name: a short one. made: how it came about: command, date, data by SHA-256."""

    name: str
    made: Mapping[str, Any]
    found: Evaluation

    @property
    def roles(self) -> frozenset[str]:
        """Roles of the patients or fields whose cells these are; "none" where they have none."""
        return frozenset(self.found.by_role)

    @property
    def learnt(self) -> bool:
        """Whether the model learnt from such patients or fields, so that the figures flatter."""
        return not self.roles.isdisjoint((Role.TRAIN, Role.VALIDATION))

    @property
    def data(self) -> Mapping[str, str]:
        """SHA-256 by the name of each file."""
        return dict(self.made.get("data", {}))


@dataclass(frozen=True)
class Evidence:
    """cells: of the feature memory; empty where there is none. measured: evaluations of this very file.
    ancestors: of a retrained version its parent, that one's parent and so on; members: of the ensemble among
    them; teachers: by each digest that they had; each as far as they are at hand. looks: with this very file,
    at what is kept for the test."""

    info: ModelVersion
    cells: tuple[Counted, ...] = ()
    measured: tuple[Measured, ...] = ()
    ancestors: tuple[ModelVersion, ...] = ()
    looks: tuple[Look, ...] = ()
    credits: Credits = field(default_factory=Credits)
    members: tuple[ModelVersion, ...] = ()
    teachers: Mapping[str, ModelVersion] = field(default_factory=dict)

    @property
    def lineage(self) -> Mapping[str, Any]:
        return self.info.lineage

    @property
    def metrics(self) -> dict[str, Metrics]:
        """The figures of the manifest by set, never those of test patients. Raises Damaged."""
        return {
            name: codec.from_json(Metrics, of)
            for name, of in self.info.metrics.items()
            if name.split(":")[0] != Role.TEST.value and isinstance(of, Mapping) and "confusion" in of
        }

    @cached_property
    def trainings(self) -> list[Step]:
        """The trainings behind it, the first one first, members before what joins them; of a retrained
        version those of the ancestor that was trained, and none where that one is not at hand."""
        found = [step for info in (*self.members, self.root) for step in steps(info)]
        return [step for step in found if step.method not in DERIVED]

    @property
    def root(self) -> ModelVersion:
        """The version itself, or the oldest ancestor that is at hand."""
        return self.ancestors[-1] if self.ancestors else self.info

    @cached_property
    def files(self) -> list[File]:
        """What those trainings read."""
        return files_of(self.trainings)

    @property
    def told(self) -> list[Measured]:
        """The evaluations that may be told: one on test patients only where its look is recorded."""
        seen = {look.sha256 for look in self.looks}
        return [m for m in self.measured if Role.TEST not in m.roles or seen & set(m.data.values())]

    def called(self, hashes: Iterable[str], otherwise: str) -> str:
        """The set that files belong to, where their source is known."""
        found = self.credits.of_all(hashes)
        return found[0].name if found else otherwise

    def named(self, measured: Measured) -> str:
        """What an evaluation was of."""
        return self.called(measured.data.values(), measured.found.source)

    def origin(self, origin: str) -> str:
        """What to call an origin of the feature memory."""
        if origin == BASE:
            data = (file.sha256 for file in self.files if file.option in ("data", "held-out"))
            return self.called(data, "base cells")
        if origin.startswith(BASE + ":"):
            name = origin.removeprefix(BASE + ":")
            return self.called(
                (f.sha256 for f in self.files if (f.option, f.name) == ("laboratory", name)), name
            )
        return f"upload {origin[:12]}"


def gather(at_hand: AtHand, chosen: str, given: Reports, records: Sequence[Path]) -> Evidence:
    """All that can be had here of a version. given: further reports, by name; records: of looks.

    Raises:
        UnknownVersion: no such version. BadInput: a given report is none, or one of another model.
        Damaged: stored data cannot be read.
    """
    info = at_hand.version(chosen)
    kept, before = at_hand.file(info, "memory.npz"), at_hand.ancestors(info)
    root = before[-1] if before else info
    members = _found(at_hand, (member.get("digest") for step in steps(root) for member in step.members))
    taught = (step.story.get("teacher") for one in (*members, root) for step in steps(one))
    measured = [_measured(info, name, of) for name, of in given.items()]
    measured += [_kept(info, name, of) for name, of in attached(at_hand, info).items() if name not in given]
    seen = [look for record in dict.fromkeys(records) for look in looks.read(record)]
    return Evidence(
        info=info,
        cells=memory.count(kept) if kept is not None else (),
        measured=tuple(sorted(measured, key=lambda one: (one.found.fields > 0, one.learnt, one.name))),
        ancestors=tuple(before),
        members=members,
        teachers={digest: one for one in _found(at_hand, taught) for digest in alike(one)},
        looks=tuple(look for look in seen if look.digest in alike(info)),
        credits=Credits.load(at_hand.models),
    )


def _found(at_hand: AtHand, digests: Iterable[str | None]) -> tuple[ModelVersion, ...]:
    """The versions of these digests that are at hand, each once."""
    wanted = dict.fromkeys(filter(None, digests))
    found = (at_hand.of_digest(digest) for digest in wanted)
    return tuple(info for info in found if info is not None)


def attached(at_hand: AtHand, info: ModelVersion) -> dict[str, Mapping[str, Any]]:
    """The reports that are kept with a version, by name. Raises Damaged."""
    path = at_hand.file(info, EVALUATIONS)
    if path is None:
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return dict(told.items())
    except (ValueError, AttributeError) as error:
        raise Damaged(f"{EVALUATIONS} of version {info.version} cannot be read: {error}") from error


def reports(folders: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """The report.json of each folder, or each file, by the name of its folder. Raises BadInput."""
    found: dict[str, Mapping[str, Any]] = {}
    for given in folders:
        path = given / REPORT if given.is_dir() else given
        name = path.resolve().parent.name if path.name == REPORT else path.stem
        if name in found:
            raise BadInput(f"Two reports are called {name}. Rename a folder.")
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(
                f"The report {path} cannot be read ({error}). Name what `malaria evaluate --report` wrote."
            ) from None
        found[name] = told if isinstance(told, dict) else {}
    return found


def _kept(info: ModelVersion, name: str, report: Mapping[str, Any]) -> Measured:
    try:
        return _measured(info, name, report)
    except BadInput as error:  # nobody who asks for the card can mend it
        raise Damaged(f"{EVALUATIONS} of version {info.version} is damaged. {error}") from error


def _measured(info: ModelVersion, name: str, report: Mapping[str, Any]) -> Measured:
    try:
        found = read(report)
    except Damaged as error:
        raise BadInput(f"The report {name} cannot be used. {error}") from None
    if found.digest not in alike(info):
        raise BadInput(
            f"The report {name} is of version {found.version} ({found.digest[:12]}...), not of "
            f"{info.version} ({info.digest[:12]}...). Measure it: `malaria evaluate --model {info.version}`."
        )
    return Measured(name, dict(report.get("made", {})), found)
