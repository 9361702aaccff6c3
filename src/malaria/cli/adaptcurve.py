"""`malaria adapt-curve`: what an adaptation gains and costs, by the number of cells that are labelled."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import load_model, state
from malaria.cli.made import as_made
from malaria.cli.train import laboratories
from malaria.domain import Role
from malaria.errors import BadOptions, NotFound

if TYPE_CHECKING:
    from malaria.adapt_curve import Laboratory, Variant
    from malaria.crops import Cells
    from malaria.stains import Change

STAINS = ("washed out", "yellow lamp", "grey and dark")
"""Those of `malaria.stains`, for the help, which must not wait for NumPy."""


def adapt_curve(
    ctx: typer.Context,
    site: Annotated[
        list[str] | None, typer.Option(help="SET=PATH: fields of a laboratory; may be repeated.")
    ] = None,
    simulated: Annotated[
        list[Path] | None,
        typer.Option(
            help="NIH cells that are shown in other stains, as more laboratories'; may be repeated."
        ),
    ] = None,
    stain: Annotated[
        list[str] | None,
        typer.Option(help=f"Stain to simulate: {', '.join(STAINS)}; may be repeated. Default: the first."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of a version: model.tflite and memory.npz. Default: what ships."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help=r"TOML of what to compare, [\[variant]]. Default: the settings in use."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of report.json and report.md.")] = Path("adapt-curve"),
    cells: Annotated[
        list[int] | None,
        typer.Option(min=10, help="Cells of an upload; may be repeated. Default: 25 to 1000."),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Uploads of each size. Five have every NIH patient judge once.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the uploads that are drawn.")] = 0,
) -> None:
    """Draw uploads from laboratories, adapt to each, and measure on the laboratories' other fields.

    Gate and test patients are left alone, and so are fields that are kept for these.

    Example:

        malaria adapt-curve --site bbbc041=smears --simulated part1.zip --draws 5
    """
    from malaria import adapt_curve as steps
    from malaria import adapt_pictures, adapt_tables, report
    from malaria import head as heads
    from malaria import memory as memories
    from malaria.fields import SETS

    smears, parts, variants = laboratories(site or [], SETS), simulated or [], _variants(plan)
    stains = _stains(stain or STAINS[:1]) if parts else {}
    if not smears and not parts:
        raise BadOptions("Name a laboratory: --site SET=PATH, or --simulated ZIP.")
    folder = _folder(ctx, model)
    served, memory = load_model(ctx, str(folder / "model.tflite")), memories.load(folder / "memory.npz")
    head = heads.read((folder / "model.tflite").read_bytes())
    known = dict(zip(memory.patients.tolist(), memory.roles.tolist(), strict=True))
    shown = dict(_laboratories(smears, parts, stains, known, served.info.input_size))
    asked = steps.Asked(cells or steps.SIZES, draws, seed)
    with output.progress() as tell:
        found = steps.curves(served, head, memory, shown, variants, asked, tell)
    tables = adapt_tables.tables(found)
    made = as_made([*smears.values(), *parts], seed, served.info.version, served.info.digest)
    report.write(out, f"Adaptations of {made.model}", made, adapt_tables.told(found), tables, None)
    adapt_pictures.write(out, found)
    output.tables(tables)
    output.note(f"report: {out / 'report.md'}")


def _folder(ctx: typer.Context, chosen: Path | None) -> Path:
    """The folder of the version to adapt. Raises NotFound."""
    from malaria import shipped, wiring

    if chosen is None:
        return shipped.read_shipped(wiring.shipped_models(state(ctx).settings()))[1]
    for name in ("model.tflite", "memory.npz"):
        if not (chosen / name).is_file():
            raise NotFound(f"{chosen} holds no {name}. Name the folder of a version, as under models/.")
    return chosen


def _variants(plan: Path | None) -> Mapping[str, "Variant"]:
    """What to compare, by name. Raises BadOptions."""
    from malaria.adapt_curve import Variant

    if plan is None:
        return {"in use": Variant()}
    try:
        told = tomllib.loads(plan.read_text(encoding="utf-8")).get("variant")
    except (OSError, ValueError) as error:
        raise BadOptions(f"The plan {plan} cannot be read: {error}.") from None
    listed = told if isinstance(told, list) else []
    names = {str(v.get("name", "")) for v in listed if isinstance(v, dict)} - {""}
    if not listed or len(names) != len(listed):
        raise BadOptions(f"{plan} must hold variants, [[variant]], each with a name of its own.")
    return {str(v["name"]): _variant(v) for v in listed}


def _variant(told: Mapping[str, Any]) -> "Variant":
    """One variant: its own fields, and those of `AdaptSettings` beside them. Raises BadOptions."""
    from malaria import codec
    from malaria.adapt_curve import Variant
    from malaria.refitting import AdaptSettings

    own = {field.name for field in fields(Variant)} - {"settings"}
    asked = {name: value for name, value in told.items() if name != "name"}
    of_settings = {name: asked.pop(name) for name in list(asked) if name not in own}
    whose = f"In the variant {told['name']!r}"
    settings = codec.checked(AdaptSettings, of_settings, whose)
    return codec.checked(Variant, {**asked, "settings": settings}, whose)


def _stains(asked: Sequence[str]) -> "Mapping[str, Change]":
    """Raises BadOptions where there is no such stain."""
    from malaria.stains import SIMULATED

    if unknown := [name for name in asked if name not in SIMULATED]:
        raise BadOptions(f"There is no stain {unknown[0]!r} to simulate; there are {', '.join(STAINS)}.")
    return {name: SIMULATED[name] for name in asked}


def _laboratories(
    smears: Mapping[str, Path],
    parts: Sequence[Path],
    stains: "Mapping[str, Change]",
    known: Mapping[str, str],
    size: int,
) -> Iterator[tuple[str, "Laboratory"]]:
    """Each laboratory and its name. known: the role of each patient that the model remembers."""
    from malaria import crops
    from malaria.adapt_curve import Laboratory
    from malaria.adapt_ground import played

    def of_train(patient: str) -> bool:
        return known.get(patient) == Role.TRAIN and played(patient)

    def in_stain(change: "Change") -> "Cells":
        return chain.from_iterable(crops.of_patients(part, size, of_train, change) for part in parts)

    for name, change in stains.items():
        yield name, Laboratory(in_stain(change), simulated=True)
    for name, path in smears.items():
        shown = crops.of_fields(path, name, size, lambda f: known.get(f) not in (Role.GATE, Role.TEST))
        yield name, Laboratory(shown, simulated=False)
