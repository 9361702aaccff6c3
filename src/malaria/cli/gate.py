"""`malaria gate`: how good the gate itself is."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import base_roles, quiet, state
from malaria.cli.made import as_made
from malaria.cli.train import laboratories
from malaria.domain import ModelVersion, Progress
from malaria.errors import BadOptions

if TYPE_CHECKING:
    from malaria.criteria import GateSettings
    from malaria.head import Head
    from malaria.label_doubts import Doubts
    from malaria.memory import Memory
    from malaria.poison import Shown, Upload
    from malaria.poison_trial import Judges, Outcome
    from malaria.predict import Model

    Cast = tuple[Sequence[Upload], Sequence[Shown], Upload]

app = typer.Typer(no_args_is_help=True, help="How good the gate is: what it lets pass, and what it stops.")


@app.command()
def power(
    ctx: typer.Context,
    other: Annotated[
        str, typer.Option(help="Another network that ships, whose answers play the challenger's.")
    ] = "compact_cnn",
    out: Annotated[Path, typer.Option(help="Folder of report.json, report.md and pictures.")] = Path("power"),
    simulations: Annotated[int, typer.Option(min=10, help="Draws of patients for each case.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
) -> None:
    """Put challengers of known truth before the gate, again and again; margins are chosen by what passes.

    Needs no pictures: validation and gate patients are in the feature memory that ships. Test patients are
    left alone. Takes some half an hour of one core.

    Example:

        malaria gate power --out docs/results/gate/power
    """
    from malaria import pictures, power_drift, power_earlier, power_sites, power_tables, report
    from malaria import power as steps
    from malaria.progress import part

    pictures.need()
    settings = _settings(ctx)
    (info, memory, head), theirs = _shipped(ctx, None), _shipped(ctx, other)
    of = steps.population(memory, head, info.threshold, (theirs[1], theirs[2], theirs[0].threshold))
    with output.progress() as tell:
        chains = power_drift.simulate(of, max(simulations // 20, 2), settings, seed, part(tell, 0, 20))
        found = steps.simulate(of, steps.cases(), simulations, settings, seed, part(tell, 20, 50))
        sites = power_sites.simulate(of, simulations // 2, settings, seed, part(tell, 70, 5))
        earlier = power_earlier.simulate(of, simulations // 4, settings, seed, part(tell, 75, 25))
    out.mkdir(parents=True, exist_ok=True)
    shown = [*power_tables.tables(found, sites, settings), power_drift.table(chains)]
    shown.append(power_earlier.table(earlier, settings))
    figures = {**power_tables.told(found, sites, settings), "chains": power_drift.told(chains)}
    figures["earlier"] = power_earlier.told(earlier)
    network = f"{theirs[0].version} ({theirs[0].network})"
    further = {"the other network": network, "draws of each case": simulations}
    made = as_made([], seed, info.version, info.digest, **further)
    drawn = power_tables.draw(out, found, settings)
    report.write(out, "Power of the gate", made, figures, shown, None, drawn)
    output.tables(shown)
    output.note(f"report: {out / 'report.md'}")


@app.command()
def poison(
    ctx: typer.Context,
    data: Annotated[list[Path], typer.Option(help="NIH cells, a ZIP or folder; may be repeated.")],
    fields: Annotated[
        Path | None, typer.Option(help="Fields of BCCD, whose white cells and platelets are sent as well.")
    ] = None,
    shapes: Annotated[
        Path | None,
        typer.Option(help="Fields of Chula RBC-12, whose red cells are sent as well, sorted by shape."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of report.json and report.md.")] = Path("poison"),
    site: Annotated[
        list[str] | None,
        typer.Option(help="SET=PATH: fields of a laboratory whose labels are right; may be repeated."),
    ] = None,
    only: Annotated[
        list[int] | None, typer.Option(help="Numbers of the uploads to send, from 0. Default: all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is poisoned.")] = 0,
    draws: Annotated[
        int,
        typer.Option(min=1, help="How often each is tried: other patients play, other cells are poisoned."),
    ] = 1,
) -> None:
    """Send poisoned uploads through ingest, adaptation and gate, each to a system of its own.

    They are made from training patients whom the feature memory is made to forget. Gate and test patients
    are left alone. Takes from some seconds to two minutes for each upload and draw.

    Example:

        malaria gate poison --data part1.zip --data part2.zip --fields bccd.zip --shapes chula.zip
    """
    from malaria import codec, label_doubts, poison_tables, report, shipped
    from malaria import poison_trial as trial
    from malaria.fields import SETS
    from malaria.predict import Model
    from malaria.stains import washed_out

    settings, smears = state(ctx).settings(), laboratories(site or [], SETS)
    info, memory, _ = _shipped(ctx, None)
    others = trial.not_cells(fields, base_roles(settings)) if fields else []
    odd = trial.by_shape(shapes, base_roles(settings), washed_out) if shapes else []
    casts = [_cast(memory, data, (others, odd), only or (), seed, cast) for cast in range(draws)]
    with quiet():
        model = Model.load(shipped.folder(settings.shipped) / info.version / "model.tflite", info)
    doubts = _doubts(model, casts[0][1], smears)
    found = _sent(ctx, model, memory, casts)
    shown = [*poison_tables.tables(found), label_doubts.table(doubts)]
    figures = {**poison_tables.told(found), "doubts": [codec.to_json(one) for one in doubts]}
    files = [*data, *(path for path in (fields, shapes) if path), *smears.values()]
    made = as_made(files, seed, info.version, info.digest, draws=draws)
    report.write(out, "Poisoned uploads", made, figures, shown, None)
    output.tables(shown)
    output.note(f"report: {out / 'report.md'}")


def _cast(
    memory: "Memory",
    data: "Sequence[Path]",
    strange: "tuple[Sequence[Shown], Sequence[Shown]]",
    only: Sequence[int],
    seed: int,
    cast: int,
) -> "Cast":
    """What one draw of patients uploads, the cells of those who judge, and what is uploaded after what waits.
    strange: what is no red cell, and red cells sorted by shape. Raises BadOptions."""
    from malaria import poison as kinds
    from malaria import poison_trial as trial
    from malaria.stains import washed_out

    honest, (others, odd) = trial.laboratory(data, memory, "uploads", washed_out, cast), strange
    sent = kinds.uploads(honest, others, seed + cast, odd)
    follows = kinds.Upload("the next", trial.laboratory(data, memory, "follows", washed_out, cast))
    if not all(0 <= number < len(sent) for number in only):
        raise BadOptions(f"--only names an upload from 0 to {len(sent) - 1}.")
    own = trial.laboratory(data, memory, "judges", trial.as_is, cast)
    return [sent[number] for number in only] if only else sent, own, follows


def _doubts(model: "Model", own: "Sequence[Shown]", smears: "Mapping[str, Path]") -> "list[Doubts]":
    """How many right labels the shipped model doubts, of NIH cells in several stains and of fields."""
    from malaria import crops, label_doubts

    return [
        *label_doubts.of_stains(model, own),
        *(
            label_doubts.doubts(name, model, crops.of_fields(path, name, model.info.input_size))
            for name, path in smears.items()
        ),
    ]


def _sent(ctx: typer.Context, model: "Model", memory: "Memory", casts: "Sequence[Cast]") -> "list[Outcome]":
    """What became of each upload of each cast, in a system of its own that has forgotten who plays."""
    from malaria import poison_trial as trial
    from malaria import shipped
    from malaria.stains import washed_out

    models = shipped.folder(state(ctx).settings().shipped)
    found, total = list[trial.Outcome](), sum(len(uploads) for uploads, _, _ in casts)
    with tempfile.TemporaryDirectory(prefix="poison-") as name, output.progress() as tell:
        for cast, (uploads, own, follows) in enumerate(casts):
            folder, by = Path(name) / str(cast), trial.judges(model, own, washed_out)
            ships = {
                unknown: trial.ship(
                    models, model.info, trial.forgetting(memory, cast, unknown), folder / f"models{number}"
                )
                for number, unknown in enumerate(sorted({upload.unknown for upload in uploads}))
            }
            for upload in uploads:
                tell(Progress("poison", percent=100.0 * len(found) / total, message=upload.what))
                told = [upload, follows]
                found.append(_tried(ctx, told, by, ships[upload.unknown], folder / "home", cast))
    return found


def _tried(
    ctx: typer.Context, uploads: "Sequence[Upload]", by: "Judges", ships: Path, home: Path, cast: int
) -> "Outcome":
    """What became of an upload; and of the next, where the first waits for it."""
    from malaria import poison_trial as trial
    from malaria import wiring

    with quiet():
        built = wiring.local(home, state(ctx).settings(home=home, shipped=ships))
        found = trial.send(built, uploads[0], by, home, cast)
        if found.job.receipt.get("too_small"):
            found = replace(found, after=trial.send(built, uploads[1], by, home, cast))
    shutil.rmtree(home)
    return found


def _settings(ctx: typer.Context) -> "GateSettings":
    from malaria.challenger import gate_settings

    return gate_settings(state(ctx).settings())


def _shipped(ctx: typer.Context, network: str | None) -> "tuple[ModelVersion, Memory, Head]":
    """A version that ships, what it remembers, and its head. Raises as `shipped.read_shipped` does."""
    from malaria import head as heads
    from malaria import memory as memories
    from malaria import shipped

    info, folder = shipped.read_shipped(shipped.folder(state(ctx).settings().shipped), network)
    head = heads.read((folder / "model.tflite").read_bytes())
    return info, memories.load(folder / "memory.npz"), head
