"""Sections of a model card that tell how a model came about, what the gate said, and how to repeat it."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from malaria.card_evidence import Evidence
from malaria.card_text import Block, Section, facts, flat, many
from malaria.domain import ModelVersion
from malaria.lineage import DERIVED, EXPORTED, JOINED, RETRAINED, File, Step, files_of, steps
from malaria.report import Table

NOT_RECORDED = "not recorded"


def training(of: Evidence) -> Section:
    blocks: list[Block] = []
    if of.lineage.get("method") in DERIVED:
        blocks += _chain([of.info, *of.ancestors])
    if of.lineage.get("method") == EXPORTED:
        blocks.append(_exported(of.lineage))
    those = of.trainings
    blocks += _steps(of, those)
    if not blocks:
        blocks.append("How this version was made is not recorded in its manifest.")
    values = {
        "steps": [_story(step) for step in those],
        "retrainings": [_told(info) for info in _retrained(of)],
    }
    return Section("training", "How it was made", tuple(blocks), values, bool(those or values["retrainings"]))


def _story(step: Step) -> dict[str, Any]:
    told = {name: value for name, value in step.story.items() if name != "begun_from"}
    return {"version": step.version, "digest": step.digest, **told}


def _retrained(of: Evidence) -> list[ModelVersion]:
    return [info for info in (of.info, *of.ancestors) if info.lineage.get("method") in DERIVED]


def _told(info: ModelVersion) -> dict[str, Any]:
    """One retraining, without the note, which may hold anything."""
    names = ("method", "parent", "job", "jobs", "datasets")
    return {"version": info.version, **{name: info.lineage.get(name) for name in names}}


def _chain(those: Sequence[ModelVersion]) -> list[Block]:
    """Retrainings and exports, the newest first, down to what they began from."""
    rows = [
        (
            info.version,
            f"{info.created:%Y-%m-%d}",
            info.lineage.get("method"),
            info.lineage.get("parent"),
            info.lineage.get("job"),
            _chosen(info.lineage.get("options") or {}),
            ", ".join(f"`{sha[:12]}`" for sha in info.lineage.get("datasets") or []),
            (info.lineage.get("receipt") or {}).get("verdict"),
        )
        for info in those
        if info.lineage.get("method") in DERIVED
    ]
    columns = (
        "version",
        "made",
        "method",
        "from",
        "job",
        "chosen",
        "data, start of SHA-256",
        "the gate said",
    )
    last = those[-1]
    lost = last.lineage.get("method") in DERIVED
    end = (
        f"Version {last.lineage.get('parent')}, from which this began, is not at hand here."
        if lost
        else f"It began from version {last.version}, of which the following is told."
    )
    return [Table("", columns, rows), end]


def _exported(lineage: Mapping[str, Any]) -> Table:
    """How far an exported file is off from the one it was made from."""
    rows = [
        (name, seen.get("largest"), seen.get("mean"), (seen.get("changed") or {}).get("value"))
        for name, seen in sorted((lineage.get("beside_parent") or {}).items())
    ]
    columns = ("cells", "largest difference in probability", "mean", "share of labels changed")
    return Table(f"In {lineage.get('precision')}, beside {lineage.get('parent')} in float32", columns, rows)


def _chosen(options: Mapping[str, Any]) -> str | None:
    """What a person chose about a retraining; the note is their own and stays out."""
    told = {n: v for n, v in options.items() if v is not None and n not in ("note", "method")}
    return ", ".join(f"{name} {value}" for name, value in sorted(told.items())) or None


def _steps(of: Evidence, those: Sequence[Step]) -> list[Block]:
    blocks: list[Block] = []
    for number, step in enumerate(those, 1):
        begun = f"{number}. " if len(those) > 1 else ""
        blocks += [f"{begun}Version {step.version}: {_did(of, step)}"]
        if command := step.story.get("command"):
            blocks.append(f"```sh\n{command}\n```")
        if step.members:
            joined = [(m.get("version"), m.get("network"), f"`{m.get('digest')}`") for m in step.members]
            blocks.append(Table("", ("member", "network", "SHA-256 of its model.tflite"), joined))
    recipes = [(step, _recipe(step.recipe)) for step in those if step.recipe]
    known = {name for _, told in recipes for name in told}
    if known:
        first = [name for name in ("network", "stages", "seed") if name in known]
        names = dict.fromkeys([*first, *sorted(known)])
        rows = [(name, *(told.get(name) for _, told in recipes)) for name in names]
        columns = ("recipe", *(step.version for step, _ in recipes))
        blocks.append(Table("", columns, rows, _UNNAMED))
    return blocks


def _recipe(told: Mapping[str, Any]) -> dict[str, object]:
    stages = [f"{stage.get('epochs')} epochs at {stage.get('size')} px" for stage in told.get("stages") or ()]
    return flat({**told, "stages": ", ".join(stages)})


_UNNAMED = "A dash: the manifest does not name it; then it stood at the default that the project had."


def _did(of: Evidence, step: Step) -> str:
    """One sentence on what a training went on from, and who taught it."""
    if step.method == JOINED:
        return f"{many(len(step.members), 'network')} joined; nothing is trained."
    began = "from nothing"
    if step.story.get("backbone_weights"):
        began = "from pretrained weights"
    elif step.story.get("start"):
        before = (step.story.get("begun_from") or {}).get("version")
        began = f"from the weights of {before}" if before else "from a network of which nothing is recorded"
    taught = str(step.story.get("teacher") or "")
    known = (
        of.teachers[taught].version if taught in of.teachers else f"the version of digest {taught[:12]}..."
    )
    told = f", taught by the answers of {known} beside the labels" if taught else ""
    return f"{step.recipe.get('network', 'a network')} trained {began}{told}."


def verdict(of: Evidence) -> Section | None:
    """What the gate said of a retrained version; None for others."""
    if of.lineage.get("method") not in RETRAINED:
        return None
    receipt: Mapping[str, Any] = of.lineage.get("receipt") or {}
    if not receipt:
        return Section("gate", "The gate", ("No receipt of the gate is kept with this version.",), {}, False)
    rows = [
        (c.get("name"), c.get("value"), c.get("low"), c.get("high"), c.get("bound"), _passed(c.get("passed")))
        for c in receipt.get("criteria", ())
    ]
    columns = ("criterion", "value", "at least", "at most", "bound", "passed")
    changed = [
        (name, f"{of_set.get('cells', 0):,}", of_set.get("gained"), of_set.get("lost"))
        for name, of_set in sorted((receipt.get("changed") or {}).items())
    ]
    blocks: list[Block] = [str(receipt.get("reason", ""))]
    blocks += [Table("", columns, rows)] if rows else []
    if changed:
        hands = ("gate", "cells", "only this version is right", "only the parent is right")
        blocks.append(Table("", hands, changed))
    blocks += [str(receipt["advice"])] if receipt.get("advice") else []
    return Section("gate", "The gate", tuple(blocks), {"receipt": receipt})


def _passed(told: object) -> str:
    return "cannot be decided" if told is None else "yes" if told else "no"


def provenance(of: Evidence) -> Section:
    those, last = of.trainings, of.trainings[-1] if of.trainings else None
    rows = [(_name(of, file), file.option, f"`{file.sha256}`") for file in of.files]
    title = "" if of.root is of.info else f"Of the training of version {of.root.version}"
    blocks: list[Block] = [facts(_made_by(last).items(), title)] if last is not None else []
    if rows:
        blocks.append(Table("Files that the trainings read", ("file", "as", "SHA-256"), rows))
    backbone = next((f for f in of.files if f.option == "backbone-weights"), None)
    if backbone is not None:
        credit = of.credits.of(backbone.sha256)
        came = f"{credit.what}; from {credit.source}" if credit else "its source is not recorded"
        blocks.append(f"The pretrained backbone: {came}.")
    if of.told:
        made = [
            (one.name, str(one.made.get("date", ""))[:10], one.made.get("command", "")) for one in of.told
        ]
        rows = [(name, date, f"`{command}`") for name, date, command in made]
        blocks.append(Table("Evaluations", ("name", "date", "command"), rows))
    if not blocks:
        blocks.append("Nothing is recorded.")
    values = {
        "files": [{"name": f.name, "option": f.option, "sha256": f.sha256} for f in of.files],
        "project": dict(last.project) if last else {},
        "packages": dict(last.packages) if last else {},
        "seed": last.recipe.get("seed") if last else None,
        "evaluations": [{"name": m.name, **m.made} for m in of.told],
    }
    return Section("provenance", "Provenance", tuple(blocks), values, bool(those))


def _made_by(step: Step) -> dict[str, object]:
    project = step.project
    return {
        "commit of the project": _commit(step),
        "commits of its sittings": _sittings(step),
        "version of the project": project.get("version"),
        "seed": step.recipe.get("seed"),
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(step.packages.items())),
        "largest difference of the exported file from the network": step.story.get("parity")
        and f"{step.story['parity']:.1e} in probability",
    }


def _sittings(step: Step) -> str | None:
    """The code of each part of a training that went on with other code than it began with."""
    parts = [(part["from_epoch"], part.get("project", {})) for part in step.fitted_by]
    if len({(code.get("commit"), code.get("changed")) for _, code in parts}) < 2:
        return None
    return ", ".join(f"{_named(code)} from epoch {first + 1}" for first, code in parts)


def _named(code: Mapping[str, Any]) -> str:
    changed = " (changed)" if code.get("changed") else ""
    return f"`{code.get('commit') or NOT_RECORDED}`{changed}"


def _commit(step: Step) -> str:
    commit = step.project.get("commit")
    if commit:
        changed = ", with changes that were not committed" if step.project.get("changed") else ""
        return f"`{commit}`{changed}"
    if step.came_with:
        return f"{NOT_RECORDED}; the version came into the project with `{step.came_with}`"
    return NOT_RECORDED


def _name(of: Evidence, file: File) -> str:
    known = of.credits.file(file.sha256)
    return known if known and file.option in ("laboratory", "backbone-weights") else file.told


def repeat(of: Evidence) -> Section:
    """The command that reruns the trainings."""
    if of.lineage.get("method") in RETRAINED:
        text = (
            "A retraining is repeated by bringing the same upload to the same parent: `malaria retrain`. The "
            "training behind it is rerun as its own card tells."
        )
        return Section("repeat", "To repeat it", (text,))
    if of.lineage.get("method") == EXPORTED:
        text = f"Export its parent again, with the same data: `{of.lineage.get('command')}`."
        return Section("repeat", "To repeat it", (text,))
    those = steps(of.info)
    if not those:
        return Section("repeat", "To repeat it", ("Nothing is recorded from which to repeat it.",), {}, False)
    words = [f"malaria reproduce {of.info.version}", *(_option(of, file) for file in files_of(those))]
    command = " \\\n  ".join(words)
    text = (
        "The files are held against their SHA-256 above before any work; then what made this version is "
        "run again, and figures, probabilities, operating points and files are compared:"
    )
    return Section("repeat", "To repeat it", (text, f"```sh\n{command}\n```"), {"command": " ".join(words)})


def _option(of: Evidence, file: File) -> str:
    """By which a file is named to `malaria reproduce`; PATH, where nothing is known of what it is called."""
    unnamed = file.option in ("laboratory", "backbone-weights")
    path = (of.credits.file(file.sha256) or "PATH") if unnamed else file.name
    return f"--{file.option} {shlex.quote(f'{file.name}={path}' if file.option == 'laboratory' else path)}"
