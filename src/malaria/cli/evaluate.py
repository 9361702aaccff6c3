"""`malaria evaluate`: how good a model is on labelled cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import (
    JsonOption,
    ModelOption,
    State,
    SuspectsOption,
    ThresholdOption,
    base_roles,
    load_model,
    state,
)
from malaria.cli.made import as_made
from malaria.domain import Role
from malaria.errors import BadOptions

if TYPE_CHECKING:
    from malaria.evaluate import Evaluation, Wanted
    from malaria.report import Made
    from malaria.scoring import Fields, Scores


def evaluate(
    ctx: typer.Context,
    data: Annotated[
        list[Path],
        typer.Option(
            help="ZIP or folder with Parasitized/ and Uninfected/; or fields with boxes (--kinds). "
            "May be repeated for the parts of one set."
        ),
    ],
    model: ModelOption = None,
    threshold: ThresholdOption = None,
    kinds: Annotated[
        str | None,
        typer.Option(help="What the classes of fields are: bbbc041, chula, bccd, or a JSON file."),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=-0.5, max=2.0, help="By what share of its sides each box of a field grows.")
    ] = 0.0,
    suspects: SuspectsOption = None,
    role: Annotated[
        list[str] | None,
        typer.Option(help="Only patients (or fields) of this role: train, validation, gate, test or none."),
    ] = None,
    corruptions: Annotated[
        bool, typer.Option("--corruptions", help="Also measure under a fixed suite of disturbances (slow).")
    ] = False,
    stains: Annotated[
        bool, typer.Option("--stains", help="Also measure under three simulated stains.")
    ] = False,
    explanations: Annotated[
        bool,
        typer.Option("--explanations", help="Also ask whether maps show what decides (slow)."),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.json, report.md and pictures. Needs matplotlib.")
    ] = None,
    looks: Annotated[
        Path | None,
        typer.Option(help="Record of looks at what is kept for the test. Default: under --home."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals and disturbances.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on labelled cells, with 95% intervals over patients.

    Examples:

        malaria evaluate --data cells.zip

        malaria evaluate --data cells/ --model 20260102-1a2b3c4d --json

        malaria evaluate --data fields.zip --kinds chula --report report/
    """
    from malaria import evaluate as steps
    from malaria import evaluation_tables, pictures
    from malaria import suspects as lists

    if report is not None:
        pictures.need()
    wanted = steps.Wanted(
        threshold=threshold,
        roles=base_roles(state(ctx).settings()),
        only=role or None,
        doubted=lists.read(suspects) if suspects else None,
        how=_fields(data, kinds, margin),
        corruptions=corruptions,
        stains=stains,
        explanations=explanations,
        seed=seed,
    )
    loaded = load_model(ctx, model)
    with output.progress(lines=not as_json) as progress:
        found, scores = steps.measure(loaded, data, wanted, progress)
    told = report is not None or Role.TEST in found.by_role
    made = as_made(data, wanted.seed, found.version, found.digest) if told else None
    look = _looked(state(ctx), found, made, wanted, looks) if made else {}
    values = {**evaluation_tables.told(found), **look}
    if report is not None and made is not None:
        _write(report, found, scores, made, values)
    if as_json:
        output.print_json(values)
    else:
        _print(found, look)


def _fields(data: Sequence[Path], kinds: str | None, margin: float) -> "Fields | None":
    """How to read the data, where they are fields. Raises BadOptions where their classes are not told, and
    where parts cannot be told apart or do not go together."""
    from malaria import fields
    from malaria.scoring import Fields

    if len({part.name for part in data}) < len(data):
        raise BadOptions("Two of the data have the same name; give each part a name of its own.")
    found = {fields.are_fields(part): part for part in data}
    if len(found) > 1:
        raise BadOptions(f"{found[True]} holds fields, {found[False]} does not. Measure them apart.")
    if False in found:
        if kinds is not None or margin:
            raise BadOptions(
                f"{found[False]} holds no fields with boxes, so --kinds and --margin say nothing of it."
            )
        return None
    if kinds is None:
        raise BadOptions(
            f"{found[True]} holds fields with boxes. Say what their classes are: "
            f"--kinds {', '.join(fields.SETS)}, or a JSON file."
        )
    return Fields(fields.meaning_of(kinds), Path(kinds).stem, margin)


def _looked(
    at: State, found: "Evaluation", made: "Made", wanted: "Wanted", record: Path | None
) -> Mapping[str, Any]:
    """Count a look at test patients or fields, where their cells are among these: {"test_look": ...}, else
    nothing."""
    seen = found.by_role.get(Role.TEST)
    if seen is None:
        return {}
    from malaria import looks, wiring

    settings = at.settings()
    record = record or settings.home / looks.FILE
    name, digest = ", ".join(made.data), ", ".join(made.data.values())
    cells, owners = seen["cells"], seen["patients"]
    patients, fields, of = owners, 0, looks.PATIENTS
    if wanted.how is not None:
        patients, fields, of = 0, owners, looks.fields_of(wanted.how.named)
    look = looks.Look(
        made.date, found.version, found.digest, name, digest, made.command, cells, patients, fields, of
    )
    number = looks.add(record, look, before=[wiring.shipped_models(settings) / looks.FILE])
    told = {"number": number, "of": of, "cells": cells, "patients": patients, "fields": fields}
    return {"test_look": told}


def _write(
    folder: Path, found: "Evaluation", scores: "Scores", made: "Made", values: Mapping[str, Any]
) -> None:
    from malaria import evaluation_tables, report

    red = scores.red
    answers = report.Answers(red.labels, red.views["raw"], red.groups, found.metrics.threshold)
    title = f"{found.version} on {found.source}"
    report.write(folder, title, made, values, evaluation_tables.tables(found), answers)
    output.note(f"report: {folder / 'report.md'}")


def _print(found: "Evaluation", look: Mapping[str, Any]) -> None:
    from malaria import evaluation_tables

    figures, seen = found.metrics, look.get("test_look")
    told = f"look {seen['number']} at the test {seen['of']}: {seen['cells']:,} cells" if seen else ""
    cells = f"{figures.cells:,}: {figures.parasitized:,} parasitized, {figures.uninfected:,} uninfected"
    output.facts(
        [
            ("model", found.version),
            ("data", found.source),
            ("cells", cells),
            ("fields", f"{found.fields:,}" if found.fields else ""),
            ("patients", f"{found.patients:,}" + _unknown(found)),
            ("test", told),
        ]
    )
    output.tables(evaluation_tables.tables(found))
    for bad in found.unreadable[:10]:
        output.note(f"not read: {output.printable(bad.name)}: {bad.reason}")
    if len(found.unreadable) > 10:
        output.note(f"... and {len(found.unreadable) - 10:,} more that could not be read.")
    if found.warning:
        output.note(f"warning: {found.warning}")


def _unknown(found: "Evaluation") -> str:
    return f", and {found.unknown_patients:,} cells of unknown patients" if found.unknown_patients else ""
