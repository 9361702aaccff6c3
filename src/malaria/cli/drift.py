"""`malaria drift`: what pictures are compared with to tell that they are unlike those learnt from."""

from pathlib import Path
from typing import Annotated

import typer

from malaria.cli import output
from malaria.cli.common import base_roles, quiet, state
from malaria.cli.made import as_made
from malaria.cli.train import laboratories
from malaria.cli.training_options import DataOption

app = typer.Typer(no_args_is_help=True, help="How pictures that nobody has labelled are seen to be strange.")
LEARNT = "SET=PATH: fields of a laboratory that was learnt from; may be repeated."
SIZE = 128


@app.command()
def learn(
    ctx: typer.Context,
    data: DataOption,
    laboratory: Annotated[list[str] | None, typer.Option(help=LEARNT)] = None,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("models/appearance.json"),
) -> None:
    """Keep brightness and colour of the train cells, which no feature memory holds.

    Example:

        malaria drift learn --data part1.zip --data part2.zip --laboratory chula=chula_rbc12.zip
    """
    import json
    from dataclasses import asdict

    from malaria import codec, unfamiliar_figures, whole
    from malaria.fields import SETS

    fields = laboratories(laboratory or [], SETS)
    found = unfamiliar_figures.learn(data, base_roles(state(ctx).settings()), fields, SIZE)
    made = codec.to_json(as_made([*data, *fields.values()], 0))
    told = {"command": made["command"], "data": made["data"], "of": ["brightness", "red", "blue"]}
    whole.write_text(out, json.dumps({**asdict(found), **told}, indent=1) + "\n")
    output.note(f"{sum(one.cells for one in found.laboratories.values()):,} cells: {out}")


@app.command()
def measure(
    ctx: typer.Context,
    data: DataOption,
    laboratory: Annotated[list[str] | None, typer.Option(help=LEARNT)] = None,
    strange: Annotated[
        list[str] | None, typer.Option(help="SET=PATH: fields of one that was not; may be repeated.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="A network that ships; may be repeated. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of report.json and report.md.")] = Path("drift"),
) -> None:
    """Measure how often the shipped models' alarms would call cells unfamiliar.

    Test patients and test fields are left alone.

    Example:

        malaria drift measure --data part1.zip --laboratory chula=chula_rbc12.zip --strange bbbc041=smears
    """
    from dataclasses import asdict

    from malaria import memory, report, shipped, unfamiliar_figures
    from malaria.fields import SETS
    from malaria.predict import Model
    from malaria.unfamiliar import FILE, MEMORY, Appearance, Familiar, Features

    settings = state(ctx).settings()
    models = shipped.folder(settings.shipped)
    known, others = laboratories(laboratory or [], SETS), laboratories(strange or [], SETS)
    shown, told, versions = [], {}, {}
    for info in [shipped.find(models, one) for one in network] if network else shipped.current(models):
        files = models / info.version
        with quiet():
            model = Model.load(files / "model.tflite", info)
        features = Features.of(memory.load(files / MEMORY))
        familiar = Familiar(features, Appearance.read(models / FILE))
        found = [
            unfamiliar_figures.measure(model, familiar, named, cells, most)
            for named, cells, most in unfamiliar_figures.sets(
                data, base_roles(settings), known, others, info.input_size
            )
        ]
        shown.append(unfamiliar_figures.table(found, info.network))
        versions[info.network] = info.version
        told[info.network] = [asdict(one) for one in found]
    made = as_made([*data, *known.values(), *others.values()], 0, versions=versions)
    out.mkdir(parents=True, exist_ok=True)
    report.write(out, "Unfamiliar cells", made, told, shown, None)
    output.tables(shown)
    output.note(f"report: {out / 'report.md'}")
