"""`malaria keys`: who may ask a server that strangers can reach."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services
from malaria.domain import Scope

app = typer.Typer(no_args_is_help=True, help="Keys of callers: make, list, withdraw.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, such as lab-3.")]


@app.command()
def add(
    ctx: typer.Context,
    name: NameArgument,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; may be repeated.")],
    days: Annotated[int | None, typer.Option(min=1, help="Days for which it holds. Default: no end.")] = None,
    per_minute: Annotated[
        int | None,
        typer.Option(min=0, help="Requests a minute; 0: no limit. Default: MALARIA_REQUESTS_PER_MINUTE."),
    ] = None,
    pictures_per_minute: Annotated[
        int | None,
        typer.Option(min=0, help="Pictures a minute; 0: no limit. Default: MALARIA_PICTURES_PER_MINUTE."),
    ] = None,
) -> None:
    """Make a key and print it. It is told once: only its SHA-256 is kept.

    Example:

        malaria keys add lab-3 --scope predict --scope confirm --per-minute 300
    """
    from malaria.keys import Keys

    built = services(ctx)
    until = None if days is None else built.clock.now() + timedelta(days=days)
    made = Keys(built.objects, built.clock).add(
        name, scope, until, requests_per_minute=per_minute, pictures_per_minute=pictures_per_minute
    )
    typer.echo(made)
    output.note(f"Send it as 'Authorization: Bearer KEY'. `malaria keys remove {name}` withdraws it.")


@app.command("list")
def list_keys(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List keys by name, with what they may do."""
    from malaria import codec
    from malaria.keys import Keys

    built = services(ctx)
    found = Keys(built.objects, built.clock).all()
    if as_json:
        told = [{k: v for k, v in codec.to_json(key).items() if k != "digest"} for key in found]
        output.print_json(told)
        return
    if not found:
        output.note("No keys yet. `malaria keys add NAME --scope predict` makes one.")
        return
    now = datetime.now(UTC)
    rows = [
        (
            key.name,
            ", ".join(key.scopes),
            _limit(key.requests_per_minute),
            _limit(key.pictures_per_minute),
            key.created,
            _end(key.until, now),
        )
        for key in found
    ]
    output.table(("name", "may", "requests/min", "pictures/min", "made", "until"), rows)


def _limit(per_minute: int | None) -> str:
    if per_minute is None:
        return "as set"
    return f"{per_minute:,}" if per_minute else "no limit"


def _end(until: datetime | None, now: datetime) -> str:
    if until is None:
        return "no end"
    return f"{until:%Y-%m-%d}" + (" (ended)" if until <= now else "")


@app.command()
def remove(ctx: typer.Context, name: NameArgument) -> None:
    """Withdraw a key. Servers that know it may accept it for half a minute more."""
    from malaria.keys import Keys

    built = services(ctx)
    Keys(built.objects, built.clock).remove(name)
    output.note(f"The key {name} is withdrawn.")
