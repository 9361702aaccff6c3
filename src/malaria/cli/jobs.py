"""`malaria jobs`: what was uploaded and what became of it."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services
from malaria.cli.outcome import print_job
from malaria.domain import Job, JobState, Progress, Verdict
from malaria.errors import BadOptions, UnknownTask

if TYPE_CHECKING:
    from malaria.services import Services

app = typer.Typer(no_args_is_help=True, help="Retrainings: list, show, watch, cancel.")

POLL_SECONDS = 0.5
EXIT_CODES = {Verdict.ACCEPTED: 0, Verdict.REJECTED: 3, Verdict.UNDECIDABLE: 4}
DUPLICATE = 5
ENDINGS = "0 accepted, 3 rejected, 4 undecidable, 5 duplicate of an earlier upload, 1 failed or cancelled"

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or the start of it.")]


@app.command("list")
def list_jobs(
    ctx: typer.Context,
    chosen: Annotated[JobState | None, typer.Option("--state", help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List retrainings, newest first."""
    built = _looked_after(services(ctx))
    found = built.jobs.list(state=chosen, limit=limit)
    if as_json:
        from malaria import codec

        output.print_json([codec.to_json(job) for job in found])
        return
    if not found:
        where = "bucket of uploads" if built.fleeting else "inbox"
        output.note(f"No jobs yet. `malaria retrain ZIP` makes one; so does a ZIP in the {where}.")
        return
    rows = [(j.id, j.name, j.state.value, _outcome(j), j.created, j.version or "") for j in found]
    output.table(("job", "upload", "state", "outcome", "created", "version"), rows)


def _outcome(job: Job) -> str:
    if job.state == JobState.RUNNING and job.progress:
        percent = "" if job.progress.percent is None else f" {job.progress.percent:.0f}%"
        return f"{job.progress.step}{percent}"
    return job.verdict.value if job.verdict else ""


@app.command()
def show(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Show one retraining: state, verdict, reasons, and what was found in the upload."""
    found = find(_looked_after(services(ctx)), job)
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(found))
    else:
        print_job(found)


@app.command()
def receipt(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Print the gate's receipt as a page, in Markdown: each rule, its bound, what was seen, what would help.

    Example:

        malaria jobs receipt 9f2c > receipt.md
    """
    from malaria import receipt as pages

    found = find(_looked_after(services(ctx)), job)
    if as_json:
        output.print_json(dict(pages.needed(found)))
    else:
        typer.echo(pages.markdown(found), nl=False)


@app.command(epilog=f"Exit codes: {ENDINGS}.")
def watch(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Follow a retraining to its end. Ctrl-C ends the watching, not the job."""
    built = services(ctx)
    conclude(built, find(built, job).id, as_json=as_json)


@app.command()
def cancel(ctx: typer.Context, job: JobArgument, as_json: JsonOption = False) -> None:
    """Cancel a retraining: at once where it waits, at the next safe point where it runs."""
    built = services(ctx)
    found = built.trigger.cancel(find(built, job).id)
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(found))
    elif found.state == JobState.CANCELLED:
        output.note(f"Job {found.id} is cancelled.")
    else:
        output.note(f"Job {found.id} was asked to stop; it does so at the next safe point.")


def find(built: "Services", name: str) -> Job:
    """A job by its id or the start of it. Raises UnknownTask, and BadOptions where several begin so."""
    try:
        return built.jobs.get(name)
    except UnknownTask:
        matching = [job for job in built.jobs.list(limit=10_000) if name and job.id.startswith(name)]
    if len(matching) > 1:
        raise BadOptions(f"{len(matching)} jobs begin with {name}; give more of the id.")
    if not matching:
        raise UnknownTask(
            f"There is no job {output.printable(name)}. `malaria jobs list` names those there are."
        )
    return matching[0]


def _looked_after(built: "Services") -> "Services":
    """Jobs whose process died are told as what they are, even where no server runs to notice."""
    if built.elsewhere is None:
        built.trigger.reconcile()
    return built


def conclude(built: "Services", job_id: str, *, as_json: bool) -> None:
    """Follow a job to its end, print it, and exit with the code that its outcome has."""
    with output.progress() as report:
        try:
            for job in follow(built, job_id):
                report(_stand(job))
        except KeyboardInterrupt:
            output.note(
                f"The job goes on. `malaria jobs watch {job_id}` follows it, "
                f"`malaria jobs cancel {job_id}` stops it."
            )
            raise
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(job))
    else:
        print_job(job)
    raise typer.Exit(exit_code(job))


def follow(built: "Services", job_id: str) -> Iterator[Job]:
    """The job again and again until it has ended, doing meanwhile what a server would: launch and bury."""
    while True:
        built.tend()
        job = built.jobs.get(job_id)
        yield job
        if job.state.terminal:
            return
        time.sleep(POLL_SECONDS)


def exit_code(job: Job) -> int:
    if job.state == JobState.DUPLICATE:
        return DUPLICATE
    if job.state == JobState.SUCCEEDED and job.verdict is not None:
        return EXIT_CODES[job.verdict]
    return 1


def _stand(job: Job) -> Progress:
    if job.state == JobState.RUNNING and job.progress:
        return job.progress
    waiting = "waiting for its turn" if job.state == JobState.QUEUED else job.state.value
    return Progress(waiting, percent=100.0 if job.state.terminal else None)
