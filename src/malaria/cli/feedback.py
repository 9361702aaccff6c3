"""`malaria feedback`: what cells turned out to be, how often the model was right, and a ZIP to retrain on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services, state
from malaria.errors import BadOptions

if TYPE_CHECKING:
    from malaria.packing import Packed
    from malaria.quality import Agreed, Figure, Figures, Quality

app = typer.Typer(no_args_is_help=True, help="Confirmed labels: list, live accuracy, a ZIP to retrain on.")

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
RATES = ("sensitivity", "specificity", "accuracy")
FIGURES = (RATES, ("brier", "ece"))
"""In two tables, so that a line holds one."""
LISTED = 20
"""Disputed and unreadable pictures that are printed one by one."""


@app.command("list")
def list_labels(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List confirmed labels, newest first, beside what the model had said."""
    found = services(ctx).feedback.list()[::-1][:limit]
    if as_json:
        from malaria import codec

        output.print_json([codec.to_json(row) for row in found])
        return
    if not found:
        output.note("No labels yet. POST /feedback records what a cell was.")
        return
    columns = ("confirmed", "by", "label", "model said", "P(parasitized)", "version", "site", "patient")
    output.table(
        columns,
        [
            (
                row.at,
                row.by,
                row.label.text,
                row.said.label.text if row.said.label is not None else None,
                row.said.probability,
                row.said.version,
                row.site,
                row.patient,
            )
            for row in found
        ],
        right=("P(parasitized)",),
    )


@app.command()
def quality(
    ctx: typer.Context,
    since: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Answers given from then on, UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAYS, help="Answers given before then.")] = None,
    version: Annotated[str | None, typer.Option(help="Answers of this model version.")] = None,
    site: Annotated[str | None, typer.Option(help="Cells of this site.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How often the model was right on confirmed cells, with 95% intervals over patients.

    Example:

        malaria feedback quality --since 2026-01-05 --site Kisumu
    """
    from malaria import codec
    from malaria.quality import Asked
    from malaria.quality import quality as measure

    asked = Asked(_utc(since), _utc(until), version, site)
    found = measure(services(ctx).feedback.list(), asked)
    if as_json:
        output.print_json(codec.to_json(found))
    else:
        _print(found)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def _print(found: "Quality") -> None:
    rows = [("all", found.overall)]
    for kind, several in (("version", found.by_version), ("site", found.by_site), ("week", found.by_week)):
        rows += [(f"{kind} {one.name or '(not told)'}", one) for one in several]
    for names in FIGURES:
        columns = ("cells", "parasitized", "uninfected", "patients", *names)
        output.table(columns, [_row(name, one, names) for name, one in rows])
    columns = ("cells", "sent to review", "others", *(f"{name} of these" for name in RATES))
    output.table(columns, [_of_review(name, one) for name, one in rows])
    bins = [(f"{b.low:.1f} to {b.high:.1f}", b.cells, b.mean, _shown(b.share)) for b in found.by_probability]
    output.table(("P(parasitized)", "confirmed", "mean told", "share parasitized"), bins)
    if found.overall.too_few:
        output.note(found.overall.too_few)
    if found.disputed:
        output.note(f"{found.disputed:,} pictures are disputed and left out.")
    output.note(found.note)


def _row(name: str, one: "Figures", figures: Sequence[str]) -> Sequence[object]:
    counts = (f"{count:,}" for count in (one.parasitized, one.uninfected, one.patients))
    return (name, *counts, *_figures(one, figures))


def _of_review(name: str, one: "Figures") -> Sequence[object]:
    others = one.not_sent
    return (name, _shown(one.sent_to_review), f"{others.cells:,}", *_figures(others, RATES))


def _figures(one: "Agreed", names: Sequence[str]) -> Sequence[object]:
    return [_shown(getattr(one, name)) for name in names]


def _shown(figure: "Figure") -> str | None:
    if figure.value is None:
        return None
    between = "" if figure.low is None else f" ({figure.low:.3f} to {figure.high:.3f})"
    return f"{figure.value:.3f}{between}"


@app.command()
def export(
    ctx: typer.Context,
    images: Annotated[
        Path,
        typer.Option(help="Folder or ZIP that holds the pictures that were sent.", exists=True),
    ],
    out: Annotated[Path, typer.Option(help="The ZIP to write.", dir_okay=False)],
    as_json: JsonOption = False,
) -> None:
    """Write a ZIP for retraining: your own pictures, found by their pixels, under their confirmed labels.

    Example:

        malaria feedback export --images slides/ --out upload.zip
    """
    from malaria import cells, codec
    from malaria.feedback import settle
    from malaria.packing import pack

    if not out.parent.is_dir():
        raise BadOptions(f"There is no folder {out.parent} to write {out.name} into.")
    if out.exists() and out.samefile(images):
        raise BadOptions(f"{out} holds the pictures, and would be overwritten. Name another --out.")
    settled = settle(services(ctx).feedback.list())
    with output.progress(lines=not as_json) as report:
        packed = pack(settled, cells.pictures(images), out, report)
    if as_json:
        output.print_json({"out": str(out), **codec.to_json(packed)})
    else:
        _print_packed(packed, out)


def _print_packed(packed: "Packed", out: Path) -> None:
    cells = ", ".join(f"{count:,} {name.lower()}" for name, count in packed.written.items())
    output.facts(
        [
            ("written", str(out)),
            ("cells", f"{cells}; {packed.with_patient:,} with a patient"),
            ("labels without a picture", packed.missing),
            ("disputed, left out", len(packed.disputed)),
            *_some([f"{name}: {_words(words)}" for name, words in packed.disputed.items()]),
            ("pictures without a label", packed.unconfirmed),
            ("repeated pictures", packed.repeated),
            ("unreadable pictures", len(packed.unreadable)),
            *_some([f"{name}: {reason}" for name, reason in packed.unreadable.items()]),
        ]
    )


def _words(words: Mapping[str, str]) -> str:
    return ", ".join(f"{by} says {label}" for by, label in words.items())


def _some(lines: Sequence[str]) -> list[tuple[str, object]]:
    more = [f"... and {len(lines) - LISTED:,} more; --json lists them"] if len(lines) > LISTED else []
    return [("", line) for line in (*lines[:LISTED], *more)]


@app.command()
def rekey(ctx: typer.Context) -> None:
    """Sign ids of predictions with a new key; those signed before can still be confirmed.

    Servers take it up when they are started again.
    """
    from malaria import signing_keys

    state(ctx).need_local(
        f"The keys of a deployment are lines of the object {signing_keys.KEY} in its bucket of models: put a "
        "new one before them, and have its functions start anew."
    )
    built = services(ctx)
    if built.settings.signing_key is not None:
        raise BadOptions(
            "The key is that of the setting MALARIA_SIGNING_KEY. Put a new one before it, with a comma."
        )
    count = len(signing_keys.renew(built.home))
    path = built.home / signing_keys.FILE
    output.note(f"{path} holds {count} keys; the first signs. Start the servers again to use it.")
