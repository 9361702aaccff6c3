"""`malaria subject`: the network that tells what is no cell: train it, graft it, put it to the test."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, ModelOption, base_roles, load_model, state
from malaria.cli.made import as_made
from malaria.cli.train import as_asked, laboratories
from malaria.cli.training_options import (
    CacheOption,
    DataOption,
    LaboratoryOption,
    RunOption,
    need_tensorflow,
)
from malaria.errors import BadOptions, NotFound

if TYPE_CHECKING:
    from PIL.Image import Image

    from malaria.predict import Model
    from malaria.subject_figures import Found

app = typer.Typer(no_args_is_help=True, help="The network that tells what is not one good cell.")


@app.command()
def train(
    ctx: typer.Context,
    data: DataOption,
    laboratory: LaboratoryOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the network and its manifest.")] = Path(
        "models/subject"
    ),
    run: RunOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the subject network on training patients and fields. Needs TensorFlow.

    Example:

        malaria subject train --data part1.zip --data part2.zip --laboratory chula=fields.zip
    """
    need_tensorflow("subject train")
    from malaria.training import subject_run

    plan = subject_run.SubjectPlan(
        data=data,
        laboratories=laboratories(laboratory or []),
        roles=base_roles(state(ctx).settings()),
        out=out,
        run=run or Path("runs") / out.name,
        cache=cache or Path("runs") / "cache",
        command=as_asked(sys.argv[1:]),
    )
    with output.progress() as report:
        told = subject_run.train(plan, datetime.now(UTC), report)
    if as_json:
        output.print_json(told)
        return
    rows = [(name, of["pictures"], of["refused"], of["reviewed"]) for name, of in told["validation"].items()]
    output.table(("validation", "pictures", "refused", "sent to a person"), rows)
    typer.echo(str(out))


@app.command()
def graft(
    models: Annotated[Path, typer.Option(help="Folder of the models that ship, with subject/ in it.")],
) -> None:
    """Put the subject network into every model that ships, in place of one it may have.

    What the models answered before stays, bit for bit, but versions are named by their content: names change.

    Example:

        malaria subject graft --models models
    """
    from malaria import grafting, shipped

    branch = grafting.kept(models)
    if branch is None:
        raise NotFound(
            f"{models / grafting.FOLDER} holds no subject network. `malaria subject train` makes one."
        )
    for info in shipped.current(models):
        made = grafting.graft_shipped(models, info, branch)
        same = made.version == info.version
        typer.echo(f"{info.network}: {info.version}" + (" has it" if same else f" is now {made.version}"))


@app.command()
def evaluate(
    ctx: typer.Context,
    data: Annotated[list[Path], typer.Option(help="ZIP or folder of cells by patients; may be repeated.")],
    laboratory: Annotated[
        list[str] | None, typer.Option(help="SET=PATH: fields with boxes, such as bbbc041=fields/.")
    ] = None,
    pictures: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FOLDER: pictures that show no cell, such as photographs=photos/."),
    ] = None,
    model: ModelOption = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.json, report.md and sheet.jpg.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of intervals and of what is drawn.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure what a model takes for one good cell, on patients and fields it has not learnt from.

    Example:

        malaria subject evaluate --data part4.zip --laboratory bbbc041=fields/ --pictures photographs=photos/
    """
    from malaria import fields, subject_figures, subject_kinds

    sources = subject_kinds.Sources(
        data,
        laboratories(laboratory or [], fields.SETS),
        dict(_folder(text) for text in pictures or []),
        base_roles(state(ctx).settings()),
    )
    loaded = load_model(ctx, model)
    with output.progress(lines=not as_json) as tell:
        shown = subject_kinds.of(sources, seed)
        found, sheet = subject_figures.measure(loaded, _content(ctx, model, loaded), shown, tell, seed=seed)
    if report is not None:
        _write(report, found, sheet, [*data, *sources.laboratories.values(), *sources.folders.values()], seed)
    if as_json:
        output.print_json(subject_figures.told(found))
    else:
        output.tables(subject_figures.tables(found))


def _write(folder: Path, found: "Found", sheet: "Image", paths: Sequence[Path], seed: int) -> None:
    """The report, and the sheet of what fares worst. paths: of all that was shown."""
    from malaria import subject_figures
    from malaria.report import write

    made = as_made(paths, seed, found.version, found.digest)
    title = f"What {found.version} takes for one good cell"
    write(folder, title, made, subject_figures.told(found), subject_figures.tables(found), None)
    sheet.save(folder / "sheet.jpg", quality=80)
    output.note(f"report: {folder / 'report.md'}")


def _content(ctx: typer.Context, chosen: str | None, model: "Model") -> bytes:
    """Of the model's file."""
    if chosen is not None and Path(chosen).is_file():
        return Path(chosen).read_bytes()
    file = state(ctx).services().at_hand.file(model.info, "model.tflite")
    assert file is not None, "it was loaded from there"
    return file.read_bytes()


def _folder(text: str) -> tuple[str, Path]:
    """Of NAME=FOLDER. Raises BadOptions, NotFound."""
    name, _, path = text.partition("=")
    if not (name and path):
        raise BadOptions(f"{text} is not NAME=FOLDER.")
    if not Path(path).is_dir():
        raise NotFound(f"There is no folder {path}.")
    return name, Path(path)
