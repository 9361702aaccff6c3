"""`malaria adapt-sequence`: what many uploads in a row do to every laboratory and to base patients."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from malaria.cli import output
from malaria.cli.common import base_roles, state
from malaria.cli.made import as_made


def adapt_sequence(
    ctx: typer.Context,
    data: Annotated[
        list[Path],
        typer.Option(help="NIH cells that play three laboratories; may be repeated.", exists=True),
    ],
    uploads: Annotated[int, typer.Option(min=1, help="How many, of each laboratory in turn.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder of report.json, report.md and the picture.")] = Path(
        "adapt-sequence"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Of the uploads that are drawn.")] = 0,
) -> None:
    """Send uploads of three simulated laboratories in turn to a system of its own, and measure after each.

    Every upload is taken in, adapted to, judged and served as any is, with the settings in use. What is
    served elsewhere is left alone.

    Example:

        malaria adapt-sequence --data part1.zip --data part2.zip --data part3.zip
    """
    from malaria import report, sequence, sequence_report, wiring
    from malaria.stains import SIMULATED

    settings = state(ctx).settings()
    wanted = sequence.of_train(base_roles(settings))
    with tempfile.TemporaryDirectory(prefix="sequence-") as home, output.progress() as tell:
        services = wiring.local(Path(home), settings)
        labs = sequence.laboratories(data, wanted, SIMULATED)
        first = services.served.model.info
        found = sequence.run(services, labs, uploads, seed, tell)
    margin = settings.base_margin
    tables = sequence_report.tables(found, margin)
    made = as_made(data, seed, first.version, first.digest)
    title = f"{uploads} uploads in a row, from {first.version} on"
    report.write(out, title, made, sequence_report.told(found, margin), tables, None)
    sequence_report.draw(out, found, margin)
    output.tables(tables)
    output.note(f"report: {out / 'report.md'}")
