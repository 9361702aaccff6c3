"""The command line, `malaria`: thin commands over the same services that the HTTP API uses.

Modules are imported inside the commands that need them, so that `malaria --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from malaria.cli import (
    ablate,
    adaptcurve,
    adaptsequence,
    audit,
    card,
    crossvalidate,
    data,
    deadletters,
    doctor,
    drift,
    evaluate,
    export,
    feedback,
    gate,
    jobs,
    keys,
    models,
    output,
    predict,
    reproduce,
    retrain,
    serve,
    subject,
    train,
)
from malaria.cli.common import State
from malaria.errors import BadInput, MalariaError, NotFound

INTERRUPTED = 130


class Commands(typer.core.TyperGroup):
    """Turns errors into one line on stderr and an exit code: 2 for what the caller can mend, else 1."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except MalariaError as error:
            if ctx.params.get("debug"):
                raise
            output.problem(str(error))
            raise typer.Exit(2 if isinstance(error, BadInput | NotFound) else 1) from None
        except KeyboardInterrupt:
            output.note("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    help="Find malaria parasites in pictures of stained red cells; retrain on your own, and roll back.",
    epilog="For research and teaching; not a medical device. "
    "Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted.",
)


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="MALARIA_HOME",
            show_default="./malaria-home",
            help="Folder of models, jobs and uploads.",
            file_okay=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            envvar="MALARIA_TARGET",
            help="The system to work with: local, or the name of a deployment on AWS. Default: as the "
            "environment says, else local.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda wanted: _version() if wanted else None,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Options that stand before every command."""
    ctx.obj = State(home, debug, target)


def _version() -> None:
    from importlib.metadata import version

    typer.echo(version("malaria"))
    raise typer.Exit


app.command()(serve.serve)
app.command()(predict.predict)
app.command()(evaluate.evaluate)
app.command()(retrain.retrain)
app.command()(card.card)
app.command()(train.train)
app.command()(reproduce.reproduce)
app.command()(crossvalidate.cross_validate)
app.command()(audit.audit)
app.command()(ablate.ablate)
app.command()(adaptcurve.adapt_curve)
app.command()(adaptsequence.adapt_sequence)
app.command()(export.export)
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(subject.app, name="subject")
app.add_typer(feedback.app, name="feedback")
app.add_typer(gate.app, name="gate")
app.add_typer(drift.app, name="drift")
app.add_typer(keys.app, name="keys")
app.add_typer(deadletters.app, name="dead-letters")
app.command()(doctor.doctor)


def main() -> None:
    """The console script. Whatever goes wrong, a person reads one line; --debug shows the rest."""
    try:
        app()
    except Exception as error:  # the last line of defence: told, never swallowed
        if "--debug" in sys.argv:
            raise
        kind = "" if isinstance(error, OSError) else f"unexpected {type(error).__name__}: "
        hint = "" if isinstance(error, OSError) else " (`malaria --debug ...` shows where)"
        output.problem(f"{kind}{error}{hint}")
        raise SystemExit(1) from None
