"""`malaria gate poison`: poisoned uploads, each sent to a system of its own."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import base_roles, quiet, state
from malaria.cli.data import take_in
from malaria.cli.made import as_made
from malaria.cli.train import laboratories
from malaria.cli.training_options import need_tensorflow
from malaria.domain import Method, Progress, RetrainOptions
from malaria.errors import BadOptions

if TYPE_CHECKING:
    from malaria.ingest import Ingested
    from malaria.label_doubts import Doubts
    from malaria.memory import Memory
    from malaria.poison import Shown, Upload
    from malaria.poison_cost import Judges
    from malaria.poison_trial import Outcome
    from malaria.predict import Model

    Cast = tuple[Sequence[Upload], Sequence[Shown], Upload]


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
    method: Annotated[
        Method, typer.Option(help="adapt: the head. full: the whole network, minutes for each upload.")
    ] = Method.ADAPT,
    epochs: Annotated[int | None, typer.Option(help="Rounds over the data (full).")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Uploads to send, by how their text begins or their number, from 0; may be repeated. "
            "Default: all."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is poisoned.")] = 0,
    draws: Annotated[
        int,
        typer.Option(min=1, help="How often each is tried: other patients play, other cells are poisoned."),
    ] = 1,
) -> None:
    """Send poisoned uploads through ingest, retraining and gate, each to a system of its own.

    They are made from training patients whom the feature memory is made to forget. Nothing is learnt from
    gate patients, and test patients are left alone. With `adapt` each upload and draw takes from some seconds
    to two minutes. `full` learns from the other patients' cells of --data, too: name every part. It takes as
    long as it takes to train, needs TensorFlow, and some gigabytes of the temporary folder.

    Examples:

        malaria gate poison --data part1.zip --data part2.zip --fields bccd.zip --shapes chula.zip

        malaria gate poison --method full --only nothing --data part1.zip --data part2.zip
    """
    from malaria import codec, label_doubts, poison_tables, report, shipped
    from malaria import memory as memories
    from malaria import poison_trial as trial
    from malaria.fields import SETS
    from malaria.predict import Model
    from malaria.stains import washed_out

    options = _options(method, epochs)
    settings, smears = state(ctx).settings(), laboratories(site or [], SETS)
    info, folder = shipped.read_shipped(shipped.folder(settings.shipped))
    memory = memories.load(folder / "memory.npz")
    others = trial.not_cells(fields, base_roles(settings)) if fields else []
    odd = trial.by_shape(shapes, base_roles(settings), washed_out) if shapes else []
    casts = [_cast(memory, data, (others, odd), only or (), seed, cast) for cast in range(draws)]
    with quiet():
        model = Model.load(folder / "model.tflite", info)
    doubts = _doubts(model, casts[0][1], smears)
    found = _sent(_Trial(ctx, model, memory, data, options), casts)
    shown = [*poison_tables.tables(found, method), label_doubts.table(doubts)]
    figures = {**poison_tables.told(found), "doubts": [codec.to_json(one) for one in doubts]}
    files = [*data, *(path for path in (fields, shapes) if path), *smears.values()]
    made = as_made(files, seed, info.version, info.digest, draws=draws, **_told(options))
    report.write(out, "Poisoned uploads", made, figures, shown, None)
    output.tables(shown)
    output.note(f"report: {out / 'report.md'}")


def _options(method: Method, epochs: int | None) -> RetrainOptions:
    """What each upload asks for. Raises BadOptions, and MissingPart before any work."""
    from malaria.options import validate_options

    if method == Method.AUTO:
        raise BadOptions("--method is adapt or full here: one table tells of one of them.")
    if method == Method.ADAPT and epochs is not None:
        raise BadOptions("--epochs is of --method full: adapt has no rounds.")
    if method == Method.FULL:
        need_tensorflow("gate poison --method full")
    return validate_options({"method": method.value, "epochs": epochs})


def _told(options: RetrainOptions) -> dict[str, object]:
    """The options for the report; those that the method does not have are left out."""
    told = {"method": options.method.value, "epochs": options.epochs}
    return {name: value for name, value in told.items() if value is not None}


def _cast(
    memory: "Memory",
    data: "Sequence[Path]",
    strange: "tuple[Sequence[Shown], Sequence[Shown]]",
    only: Sequence[str],
    seed: int,
    cast: int,
) -> "Cast":
    """What one draw of patients uploads, the cells of those who judge, and what is uploaded after what waits.
    strange: what is no red cell, and red cells sorted by shape. Raises BadOptions."""
    from malaria import poison as kinds
    from malaria import poison_trial as trial
    from malaria.stains import washed_out

    honest, (others, odd) = trial.laboratory(data, memory, "uploads", washed_out, cast), strange
    sent = kinds.chosen(kinds.uploads(honest, others, seed + cast, odd), only)
    follows = kinds.Upload("the next", trial.laboratory(data, memory, "follows", washed_out, cast))
    return sent, trial.laboratory(data, memory, "judges", kinds.as_is, cast), follows


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


@dataclass(frozen=True)
class _Trial:
    """What every upload of a run meets. model: that ships. data: NIH cells."""

    ctx: typer.Context
    model: "Model"
    memory: "Memory"
    data: Sequence[Path]
    options: RetrainOptions


def _sent(of: _Trial, casts: "Sequence[Cast]") -> "list[Outcome]":
    """What became of each upload of each cast, in a system of its own that has forgotten who plays."""
    from malaria import poison_cost, shipped
    from malaria import poison_trial as trial
    from malaria.stains import washed_out

    models = shipped.folder(state(of.ctx).settings().shipped)
    found, total = list[trial.Outcome](), sum(len(uploads) for uploads, _, _ in casts)
    with tempfile.TemporaryDirectory(prefix="poison-") as name, output.progress() as tell:
        for cast, (uploads, own, follows) in enumerate(casts):
            folder, by = Path(name) / str(cast), poison_cost.judges(of.model, own, washed_out)
            ships = {
                unknown: trial.ship(
                    models,
                    of.model.info,
                    trial.forgetting(of.memory, cast, unknown),
                    folder / f"models{number}",
                )
                for number, unknown in enumerate(sorted({upload.unknown for upload in uploads}))
            }
            base = _base(of, cast, next(iter(ships.values())), folder, tell)
            for upload in uploads:
                tell(Progress("poison", percent=100.0 * len(found) / total, message=upload.what))
                met = _Met(ships[upload.unknown], base, by, cast)
                found.append(_tried(of, [upload, follows], met, folder / "home"))
            shutil.rmtree(folder)
    return found


def _base(of: _Trial, cast: int, ships: Path, folder: Path, tell: output.Report) -> "list[Ingested]":
    """The pictures that `full` learns from besides an upload, taken in once for all systems of a cast; none
    for `adapt`, which needs none. ships: what ships there. Their files lie in `folder`."""
    from malaria import poison_trial as trial
    from malaria import wiring

    if of.options.method != Method.FULL:
        return []
    packed = trial.base_images(of.data, trial.forgetting(of.memory, cast), folder / "base.zip")
    with quiet():
        built = wiring.local(folder / "base", state(of.ctx).settings(home=folder / "base", shipped=ships))
    taken = take_in(built, packed, folder / "taken", tell)
    packed.unlink()
    return [taken]


@dataclass(frozen=True)
class _Met:
    """What the uploads of one cast meet. ships: the folder of what ships there. base: pictures to store."""

    ships: Path
    base: "Sequence[Ingested]"
    by: "Judges"
    cast: int


def _tried(of: _Trial, uploads: "Sequence[Upload]", met: _Met, home: Path) -> "Outcome":
    """What became of an upload; and of the next, where the first waits for it."""
    from malaria import poison_trial as trial
    from malaria import wiring

    with quiet():
        built = wiring.local(home, state(of.ctx).settings(home=home, shipped=met.ships))
        for taken in met.base:
            built.shards.save(taken.shard, taken.cells_zip)
        found = trial.send(built, uploads[0], met.by, home, of.options, met.cast)
        if found.job.receipt.get("too_small"):
            found = replace(found, after=trial.send(built, uploads[1], met.by, home, of.options, met.cast))
    shutil.rmtree(home)
    return found
