"""`malaria audit`: which labels the out-of-fold answers speak against."""

from pathlib import Path
from typing import Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption
from malaria.cli.made import as_made

LIST, SHEET = "suspects.csv", "contact-sheet.png"


def audit(
    out_of_fold: Annotated[Path, typer.Option(help="The out-of-fold.npz of `malaria cross-validate`.")],
    data: Annotated[
        list[Path], typer.Option(help="ZIP or folder with the pictures of these cells; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the list, the sheet and the summary.")] = Path(
        "audited"
    ),
    suspects: Annotated[
        Path | None, typer.Option(help="CSV (original_label,cell,patient) to compare the finds with.")
    ] = None,
    tiles: Annotated[int, typer.Option(min=1, max=500, help="Cells of each class on the sheet.")] = 48,
    as_json: JsonOption = False,
) -> None:
    """List cells whose label networks doubt that have not seen their patient. Nothing is relabelled.

    Writes suspects.csv, which `malaria train --without` takes, a contact sheet of the most doubtful, and a
    summary, report.json and report.md.

    Example:

        malaria audit --out-of-fold cross-validated/out-of-fold.npz --data part1.zip --out audited
    """
    from malaria import audit as steps
    from malaria import audit_tables, contact_sheet
    from malaria import out_of_fold as answers
    from malaria import report as reports
    from malaria import suspects as lists

    listed = lists.read(suspects) if suspects else None
    told = answers.load(out_of_fold)
    doubts = steps.audit(told)
    with output.progress(lines=not as_json) as report:
        sheet = contact_sheet.of_doubts(doubts, data, tiles, listed or frozenset(), report)
    found = steps.summary(told, doubts, listed)
    out.mkdir(parents=True, exist_ok=True)
    (out / LIST).write_text(steps.as_csv(doubts), encoding="utf-8")
    sheet.save(out / SHEET, optimize=True)
    values, tables = audit_tables.told(found), audit_tables.tables(found)
    made = as_made([out_of_fold, *data, *([suspects] if suspects else [])], 0)
    reports.write(out, "Label audit", made, values, tables, None)
    if as_json:
        output.print_json(values)
        return
    output.tables(tables)
    output.note(f"list: {out / LIST}; sheet: {out / SHEET}")
