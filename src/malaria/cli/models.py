"""`malaria models`: the versions that are kept, and which one is served."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import ActorOption, JsonOption, actor, services, state
from malaria.domain import ModelVersion, Promotion
from malaria.errors import Damaged, NotFound, UnknownVersion

if TYPE_CHECKING:
    from malaria.services import Services

app = typer.Typer(no_args_is_help=True, help="Model versions: list, show, promote, roll back.")

FIGURES = ("accuracy", "sensitivity", "specificity", "auc", "mcc", "cells", "patients")


@app.command("list")
def list_models(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the versions that are kept, newest first, then those that ship of other networks.

    * marks the one that is served; + those that only ship, and are kept once they are promoted.
    """
    built = services(ctx)
    newest = built.registry.newest()
    served = newest.version if newest else None
    kept = built.registry.versions()
    waiting = _only_shipped(built, kept)
    if as_json:
        from malaria import codec

        told = [(info, info not in waiting) for info in (*kept, *waiting)]
        output.print_json([{**codec.to_json(i), "served": i.version == served, "kept": k} for i, k in told])
        return
    rows = []
    for info in (*kept, *waiting):
        gate = _gate(info)
        mark = "*" if info.version == served else "+" if info in waiting else ""
        method = str(info.lineage.get("method", ""))
        rates = [gate.get(name) for name in ("accuracy", "sensitivity", "specificity")]
        rows.append((mark, info.version, info.created, method, info.network, *rates))
    columns = ("", "version", "created", "method", "network", "accuracy", "sensitivity", "specificity")
    output.table(columns, rows, right=columns[-3:])
    output.note(
        "Figures are of the base gate patients, whom no version has learnt from" + _looked(built) + "."
    )
    if waiting:
        output.note("+ ships with the project: `malaria models promote VERSION --reason ...` serves it.")


def _only_shipped(built: "Services", kept: list[ModelVersion]) -> list[ModelVersion]:
    """The versions that ship with the project and are not kept here."""
    from malaria import shipped

    names = {info.version for info in kept}
    return [i for i in shipped.versions(shipped.folder(built.settings.shipped)) if i.version not in names]


def _looked(built: "Services") -> str:
    """How often the served version's gate patients were looked at; where its memory is gone or broken, which
    `malaria doctor` tells, nothing: the list stands without."""
    try:
        return f"; retrainings were compared on them {built.looked_at_gate():,} times"
    except (NotFound, Damaged):
        return ""


def _gate(info: ModelVersion) -> Mapping[str, Any]:
    found = info.metrics.get("gate", {})
    return found if isinstance(found, Mapping) else {}


@app.command()
def show(
    ctx: typer.Context,
    version: Annotated[str | None, typer.Argument(help="Default: the one that is served.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a version: its figures, where it comes from, and when it was served."""
    built = services(ctx)
    history = built.registry.history()
    chosen = version or (history[0].version if history else "")
    info = built.at_hand.version(chosen)
    entries = [entry for entry in history if entry.version == chosen]
    served = bool(history) and history[0].version == chosen
    if as_json:
        from malaria import codec

        promotions = [codec.to_json(entry) for entry in entries]
        output.print_json({**codec.to_json(info), "served": served, "promotions": promotions})
        return
    output.facts(
        [
            ("version", info.version + (" (served)" if served else "")),
            ("sha-256", info.digest),
            ("network", f"{info.network}, {info.input_size} x {info.input_size} pixels"),
            ("size", f"{info.size_bytes / 1e6:.1f} MB"),
            ("threshold", f"{info.threshold:.4f}"),
            ("created", info.created),
            *((name, _brief(value)) for name, value in info.lineage.items()),
        ]
    )
    rows = [
        (name, *(told.get(f) for f in FIGURES))
        for name, told in info.metrics.items()
        if isinstance(told, Mapping)
    ]
    if rows:
        output.table(("set", *FIGURES), rows, right=FIGURES)
    _print_promotions(entries)


def _brief(value: object) -> str | None:
    import json

    if value is None or isinstance(value, str):
        return value
    text = json.dumps(value)
    return text if len(text) <= 300 else text[:300] + "... (--json shows all)"


def _print_promotions(entries: list[Promotion]) -> None:
    if entries:
        rows = [(e.number, e.at, e.verdict, e.actor, e.reason) for e in entries]
        output.table(("entry", "served from", "verdict", "by", "reason"), rows, right=("entry",))


@app.command()
def history(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show what was served when, and why: the whole promotion log, newest first."""
    entries = services(ctx).registry.history()
    if as_json:
        from malaria import codec

        output.print_json([codec.to_json(entry) for entry in entries])
        return
    rows = [(e.number, e.version, e.at, e.verdict, e.actor, e.reason) for e in entries]
    output.table(("entry", "version", "served from", "verdict", "by", "reason"), rows, right=("entry",))


@app.command()
def promote(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="The version to serve from now on.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    by: ActorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve a version from now on, whatever the gate said of it; one that ships is kept from then on, too."""
    from malaria import shipped

    built = services(ctx)
    registry, reason = built.registry, _given(reason)
    with contextlib.suppress(UnknownVersion):
        shipped.publish(registry, shipped.folder(built.settings.shipped), version)
    _tell(registry.promote(version, verdict="manual", actor=actor(by), reason=reason), as_json)


@app.command()
def default(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="A version that ships, or its network.")],
    models: Annotated[
        Path | None, typer.Option(help="Folder of the shipped models. Default: this project's own.")
    ] = None,
) -> None:
    """Say which shipped version a newcomer is served. A home where one was served already keeps its own.

    Example:

        malaria models default mobilenet_v2 --models models
    """
    from malaria import shipped

    found = shipped.folder(models or state(ctx).settings().shipped)
    info = shipped.make_default(found, version)
    output.note(f"Version {info.version}, {info.network}, is the default under {found}.")


@app.command()
def rollback(
    ctx: typer.Context,
    to: Annotated[
        str | None, typer.Option(help="A version that was served before. Default: the one before.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "rolled back by hand",
    by: ActorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to the version that was served before, in one step.

    Examples:

        malaria models rollback

        malaria models rollback --to 20260102-1a2b3c4d --reason "misses rings"
    """
    registry = services(ctx).registry
    _tell(registry.rollback(actor=actor(by), reason=_given(reason), to=to), as_json)


def _given(reason: str) -> str:
    from malaria.errors import BadOptions

    if not reason.strip():
        raise BadOptions("--reason is empty; say in a few words why.")
    return reason.strip()


def _tell(entry: Promotion, as_json: bool) -> None:
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(entry))
    else:
        output.note(
            f"Version {entry.version} is served from now on (entry {entry.number}); a running server follows."
        )
