"""`malaria --target NAME dead-letters`: what a deployment on AWS could not deliver, told and done again."""

from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, state

if TYPE_CHECKING:
    from malaria.ports import Mailbox

app = typer.Typer(
    no_args_is_help=True, help="What a deployment on AWS could not deliver: list it, do it again."
)


@app.command("list")
def list_letters(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List dead letters, the oldest first, and what each stands for.

    Example:

        malaria --target lab-3 dead-letters list
    """
    from malaria.dead_letters import about, listed

    found = listed(_mailbox(ctx))
    if as_json:
        output.print_json(
            [
                {"id": one.id, "queue": one.queue, "about": about(one), "sent": one.sent.isoformat()}
                for one in found
            ]
        )
        return
    if not found:
        output.note("No dead letters: everything was delivered and seen to.")
        return
    output.table(("about", "queue", "sent"), [(about(one), one.queue, one.sent) for one in found])


@app.command()
def retry(
    ctx: typer.Context,
    drop: Annotated[
        bool, typer.Option("--drop-unknown", help="Remove those that nobody can make anything of.")
    ] = False,
) -> None:
    """Have every dead letter seen to again, once its cause is mended. An upload that has its job by now gets
    no other.

    Example:

        malaria --target lab-3 dead-letters retry
    """
    from malaria.dead_letters import retry as again

    done = again(_mailbox(ctx), drop=drop)
    output.note(f"{done.sent} come again; {done.removed} removed.")
    if done.left:
        output.note(f"{done.left} are nothing that is known and stay there; --drop-unknown removes them.")


def _mailbox(ctx: typer.Context) -> "Mailbox":
    from malaria import wiring

    return wiring.dead_letters(state(ctx).deployment())
