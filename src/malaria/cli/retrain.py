"""`malaria retrain`: hand in labelled cells and wait for the verdict."""

import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer

from malaria.cli import jobs, output
from malaria.cli.common import ActorOption, JsonOption, actor, services
from malaria.domain import Method, RetrainOptions
from malaria.errors import BadArchive, NotFound


def retrain(
    ctx: typer.Context,
    archive: Annotated[Path, typer.Argument(metavar="ZIP", help="A ZIP with Parasitized/ and Uninfected/.")],
    method: Annotated[
        Method | None,
        typer.Option(help="adapt: about a minute, no TensorFlow. full: the whole network. auto: what fits."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Rounds over the data (full).")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Cells a step (full).")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Step width (full).")] = None,
    network: Annotated[str | None, typer.Option(help="Network to train (full).")] = None,
    remark: Annotated[str | None, typer.Option("--note", help="A remark for the record.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait; print the job's id.")] = False,
    by: ActorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Retrain on your own labelled cells; the new model is served only if it is no worse.

    Options left out are taken from retrain.json in the ZIP, where there is one.

    Examples:

        malaria retrain site.zip

        malaria retrain site.zip --method full --epochs 3 --detach
    """
    chosen = {
        "method": None if method is None else method.value,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "network": network,
        "note": remark,
    }
    options = _options(archive, {name: value for name, value in chosen.items() if value is not None})
    built = services(ctx)
    job = built.trigger.submit(archive, name=archive.name, identity=None, options=options, actor=actor(by))
    built.wake()
    if not detach:
        jobs.conclude(built, job.id, as_json=as_json)
    built.tend()
    job = built.jobs.get(job.id)
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(job))
    else:
        typer.echo(job.id)
        output.note(f"Job {job.id} is {job.state.value}. `malaria jobs watch {job.id}` follows it.")


def _options(archive: Path, chosen: dict[str, Any]) -> RetrainOptions:
    """What the command line says, over what retrain.json in the ZIP says. Raises before a job is made."""
    from malaria import codec
    from malaria.ingest import Limits, read_options, validate_options

    if not archive.is_file():
        raise NotFound(f"There is no file {archive}.")
    if not zipfile.is_zipfile(archive):
        raise BadArchive(f"{archive} is not a ZIP. Pack the folders Parasitized/ and Uninfected/ into one.")
    inside = read_options(archive, Limits())
    standing = {} if inside is None else {k: v for k, v in codec.to_json(inside).items() if v is not None}
    return validate_options({**standing, **chosen})
