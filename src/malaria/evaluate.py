"""Score the exported model, the very file that is served, on labelled cells, and say how good it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from malaria import stains, suspects
from malaria.domain import Label, Role
from malaria.errors import BadOptions, MissingPart, how_to_add
from malaria.evaluation import Disturbed, Evaluation, Explained, OfKind, Rate, Reviewed, Stained
from malaria.metrics import Metrics, metrics
from malaria.operating import moved
from malaria.paired import Drop, drops
from malaria.ports import Report
from malaria.scoring import RAW, Fields, Keep, Scores, Seen, Source, View, parts, score
from malaria.shares import share

if TYPE_CHECKING:
    from malaria.predict import Model

__all__ = ["Evaluation", "Metrics", "Wanted", "evaluate", "figures", "measure", "metrics"]

LEARNT = (Role.TRAIN, Role.VALIDATION)
NO_ROLE = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured, and how.

    threshold: None: the model's own operating point. roles: of patients and fields ("set/field"). only: roles
    that are measured, "none" for those without; None: all. doubted: cells whose label is doubted. how: for
    microscope fields; None: class folders. bootstrap, seed: of the intervals; the seed draws disturbances and
    hidden places too.

    What is shown too, and how much longer it takes: corruptions: the fixed suite, some twelve times; stains:
    simulated ones, some three times; explanations: activation maps put to the test, some four times.
    """

    threshold: float | None = None
    roles: Mapping[str, Role] | None = None
    only: Collection[str] | None = None
    doubted: frozenset[suspects.Key] | None = None
    how: Fields | None = None
    corruptions: bool = False
    stains: bool = False
    explanations: bool = False
    bootstrap: int = 1000
    seed: int = 0

    def at(self, model: "Model") -> float:
        """The operating point. Raises BadOptions."""
        at = model.info.threshold if self.threshold is None else self.threshold
        if not 0.0 <= at <= 1.0:  # also refuses NaN
            raise BadOptions(f"threshold is {at}; it must be a probability from 0 to 1.")
        return at

    def views(self, model: "Model") -> dict[str, View]:
        """How each cell is shown. Raises MissingPart where scipy, which finds outlines, is not installed."""
        found = dict(RAW)
        try:
            if self.how is not None:
                from malaria import segment

                found["masked"] = segment.masked
            if self.corruptions:
                from malaria import corruptions

                found.update(corruptions.views(self.seed))
            if self.stains:
                found.update(stains.SIMULATED)
            if self.explanations:
                from malaria import hiding

                found.update(hiding.Hiding(model, self.seed).views())
        except ImportError:
            raise MissingPart(f"Finding a cell's outline needs scipy: {how_to_add('adapt')}.") from None
        return found

    @property
    def keep(self) -> Keep | None:
        """Whether cells of an owner are measured. Raises BadOptions."""
        if self.only is None:
            return None
        known, only = self.roles or {}, frozenset(self.only)
        if wrong := only - {NO_ROLE, *Role}:
            raise BadOptions(f"{min(wrong)} is no role; there are {', '.join(Role)} and {NO_ROLE}.")
        return lambda owner: role_of(owner, known) in only


def evaluate(
    model: "Model",
    source: Path,
    *,
    threshold: float | None = None,
    roles: Mapping[str, Role] | None = None,
    bootstrap: int = 1000,
    report: Report | None = None,
) -> Evaluation:
    """Score every labelled cell of a ZIP or folder of crops; see `measure` for what it raises."""
    wanted = Wanted(threshold=threshold, roles=roles, bootstrap=bootstrap)
    return measure(model, source, wanted, report)[0]


def measure(
    model: "Model", source: Source, wanted: Wanted, report: Report | None = None
) -> tuple[Evaluation, Scores]:
    """Score labelled cells; what cannot be read is listed, not fatal. Also gives the scores.

    Raises:
        BadLayout: the source holds no labelled pictures. BadInput: none can be read, or none has the roles.
        BadOptions: the threshold or a role is none. Whatever `report` raises to stop the work.
    """
    at = wanted.at(model)  # before the work
    views = wanted.views(model)
    scores = score(model, source, views, how=wanted.how, keep=wanted.keep, report=report)
    found = figures(scores, at, wanted)
    return replace(
        found,
        version=model.info.version,
        digest=model.info.digest,
        source=", ".join(part.name for part in parts(source)),
        reviewed=_reviewed(model, scores.red, at, wanted),
        explained=_explained(model, scores.red, at, wanted, report) if wanted.explanations else None,
    ), scores


def figures(scores: Scores, at: float, wanted: Wanted) -> Evaluation:
    """What scores say at an operating point, without what only the model can tell: its name and its map."""
    red = scores.red
    by_role = _by_role(scores.cells, wanted.roles) if wanted.roles is not None else {}
    return Evaluation(
        version="",
        digest="",
        source="",
        metrics=_metrics(red, "raw", at, wanted),
        patients=len({c.patient for c in red.cells if c.patient}),
        unknown_patients=sum(c.patient is None for c in red.cells),
        unreadable=scores.unreadable,
        by_role=by_role,
        warning=_warning(by_role, len(scores.cells), "fields" if scores.fields else "patients"),
        seconds=scores.seconds,
        suspects=_by_doubt(red, at, wanted) if wanted.doubted is not None else {},
        masked=_metrics(red, "masked", at, wanted) if "masked" in scores.views else None,
        kinds=_by_kind(red, at, wanted) if scores.fields else (),
        not_cells=_by_kind(scores.where(scores.labels < 0), at, wanted),
        fields=scores.fields,
        corruptions=_disturbed(red, at, wanted) if wanted.corruptions else (),
        stains=_stained(red, at, wanted) if wanted.stains else (),
    )


def _reviewed(model: "Model", scores: Scores, at: float, wanted: Wanted) -> Reviewed | None:
    """What the model does not answer or sends to a person, and how right it is with the other cells."""
    info, said, good = model.info, scores.views["raw"], scores.good["raw"]
    if info.review is None:
        return None
    low, high = moved(info.review, info.threshold, at)
    least, enough = (info.screen.refuse, info.screen.review) if info.screen else (0.0, 0.0)
    none = good < least
    doubtful = (good < enough) | scores.colourless["raw"] | ((said > low) & (said < high))
    sent = ~none & doubtful
    sends, refuses = (share(some, scores.groups, wanted.bootstrap, wanted.seed) for some in (sent, none))
    refused = refuses if info.screen else None
    if (none | sent).all():
        return Reviewed(low, high, sends, None, None, refused)
    others = _metrics(scores.where(~(none | sent)), "raw", at, wanted)
    assert others.accuracy is not None
    right = others.intervals.get("accuracy")
    wrong = Rate(1 - others.accuracy, (1 - right[1], 1 - right[0]) if right else None)
    return Reviewed(low, high, sends, wrong, others, refused)


def role_of(owner: str | None, roles: Mapping[str, Role]) -> str:
    """The role of a patient or field, "none" where it has none."""
    role = roles.get(owner) if owner else None
    return role.value if role else NO_ROLE


def _metrics(scores: Scores, view: str, at: float, wanted: Wanted) -> Metrics:
    """Figures of red cells."""
    labels, said = scores.labels.astype(np.uint8), scores.views[view]
    return metrics(labels, said, scores.groups, at, bootstrap=wanted.bootstrap, seed=wanted.seed)


def _by_doubt(scores: Scores, at: float, wanted: Wanted) -> dict[str, Metrics | None]:
    """Cells that a list names, and those it does not; labels are never changed."""
    names = [cell.name for cell in scores.cells]
    doubted = suspects.listed(scores.labels, names, wanted.doubted or frozenset())
    return {
        name: _metrics(scores.where(rows), "raw", at, wanted) if rows.any() else None
        for name, rows in (("not_listed", ~doubted), ("listed", doubted))
    }


def _by_kind(scores: Scores, at: float, wanted: Wanted) -> tuple[OfKind, ...]:
    """Kinds in the order of their number of cells, parasitized ones first."""
    kinds: dict[tuple[Label | None, str], int] = {}
    for cell in scores.cells:
        kinds[cell.label, cell.kind] = kinds.get((cell.label, cell.kind), 0) + 1
    order = sorted(kinds, key=lambda key: (-(key[0] or 0), -kinds[key], key[1]))
    return tuple(_of_kind(scores, label, kind, at, wanted) for label, kind in order)


def _of_kind(scores: Scores, label: Label | None, kind: str, at: float, wanted: Wanted) -> OfKind:
    some = scores.where(np.array([(c.label, c.kind) == (label, kind) for c in scores.cells]))
    figure = "specificity" if label == Label.UNINFECTED else "sensitivity"
    rates = {}
    for view in ("raw", "masked"):
        called = some.views[view] >= at
        hits = ~called if label == Label.UNINFECTED else called
        rates[view] = share(hits, some.groups, wanted.bootstrap, wanted.seed)
    return OfKind(
        kind,
        label.text if label is not None else "",
        len(some.cells),
        len(np.unique(some.groups)),
        figure if label is not None else "called_parasitized",
        rates,
    )


def _disturbed(scores: Scores, at: float, wanted: Wanted) -> tuple[Disturbed, ...]:
    from malaria.corruptions import SUITE

    return tuple(
        Disturbed(one.kind, one.severity, one.setting, _lost(scores, one.name, at, wanted)) for one in SUITE
    )


def _stained(scores: Scores, at: float, wanted: Wanted) -> tuple[Stained, ...]:
    return tuple(
        Stained(name, _metrics(scores, name, at, wanted), _lost(scores, name, at, wanted))
        for name in stains.SIMULATED
    )


def _lost(scores: Scores, view: str, at: float, wanted: Wanted) -> dict[str, Drop | None]:
    """What a view costs against the cells as they are."""
    before, after = scores.views["raw"], scores.views[view]
    labels, groups = scores.labels, scores.groups
    return drops(labels, groups, before, after, at, draws=wanted.bootstrap, seed=wanted.seed)


def _explained(model: "Model", scores: Scores, at: float, wanted: Wanted, report: Report | None) -> Explained:
    from malaria import explanation_figures, pointing

    pointed = pointing.point(model, at, pointing.CELLS, report)
    return explanation_figures.explained(scores, pointed, at, draws=wanted.bootstrap, seed=wanted.seed)


def _by_role(cells: tuple[Seen, ...], roles: Mapping[str, Role]) -> dict[str, dict[str, int]]:
    owners: dict[str, list[str | None]] = {}
    for cell in cells:
        owners.setdefault(role_of(cell.owner, roles), []).append(cell.owner)
    return {
        role: {"cells": len(of), "patients": len(set(of) - {None})} for role, of in sorted(owners.items())
    }


def _warning(by_role: Mapping[str, Mapping[str, int]], total: int, owners: str) -> str:
    learnt = sum(by_role.get(role.value, {}).get("cells", 0) for role in LEARNT)
    if not learnt:
        return ""
    return (
        f"{learnt:,} of {total:,} cells are of {owners} the model was trained or tuned on, so these figures "
        f"flatter. Judge it on {owners} it has not seen."
    )
