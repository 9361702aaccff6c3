"""`malaria card`: what a model is, how good it is, and where its limits are, on one page."""

import json
from pathlib import Path
from typing import Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services, state
from malaria.errors import BadOptions


def card(
    ctx: typer.Context,
    version: Annotated[
        str | None,
        typer.Argument(
            help="A version (see `malaria models list`), or a network that ships. Default: the served one."
        ),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Folder that `malaria evaluate --report` wrote; may be repeated.", exists=True),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write. Default: print it.", dir_okay=False)
    ] = None,
    attach: Annotated[
        bool,
        typer.Option(
            "--attach", help="Of a version that ships: keep the reports with it, and write its card.md."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print a version's model card: use, data, training, figures with intervals, limits, provenance.

    Made from its manifest, its feature memory and its evaluations; what is not there is said to be missing.

    Examples:

        malaria card

        malaria card 20260102-1a2b3c4d --report report/ --out card.md
    """
    from malaria import card as cards
    from malaria import card_evidence, whole

    if attach:
        if out is not None or as_json or version is None:
            raise BadOptions("--attach takes a version and writes its card.md: leave out --out and --json.")
        output.note(f"card: {_attach(ctx, version, report or [])}")
        return
    built, given = services(ctx), card_evidence.reports(report or [])
    newest = built.registry.newest()
    chosen = version or (newest.version if newest else "")
    made = cards.card(card_evidence.gather(built.at_hand, chosen, given, built.looks))
    text = json.dumps(cards.as_json(made), indent=2) + "\n" if as_json else cards.markdown(made)
    if out is not None:
        whole.write_text(out, text)
        output.note(f"card: {out}")
    else:
        typer.echo(text, nl=False)


def _attach(ctx: typer.Context, version: str, folders: list[Path]) -> Path:
    """Keep reports with a version that ships, and write its card; returns the card's file.

    Only what ships counts here, not what a home keeps: the same card is made wherever the project lies.
    """
    from malaria import card as cards
    from malaria import card_evidence, looks, shipped, whole
    from malaria.at_hand import AtHand

    models = shipped.folder(state(ctx).settings().shipped)
    ships = AtHand(None, models, models)
    info, given = ships.version(version), card_evidence.reports(folders)
    text = cards.markdown(cards.card(card_evidence.gather(ships, version, given, [models / looks.FILE])))
    kept = {**card_evidence.attached(ships, info), **given}
    if kept:
        told = json.dumps(dict(sorted(kept.items())), indent=1) + "\n"
        whole.write_text(models / info.version / card_evidence.EVALUATIONS, told)
    card = models / info.version / cards.FILE
    whole.write_text(card, text)
    return card
