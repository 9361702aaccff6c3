"""`malaria train`: a model from its start."""

import shlex
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, load_model, services, state
from malaria.cli.training_options import (
    BackboneOption,
    BatchSizeOption,
    CacheOption,
    DataOption,
    LaboratoryOption,
    LearningRateOption,
    RecipeOption,
    RunOption,
    StageOption,
    StartOption,
    WithoutLabelOption,
    WithoutOption,
    need_tensorflow,
)
from malaria.domain import CLASSES, Label
from malaria.errors import BadOptions, NotFound
from malaria.options import ENSEMBLE

if TYPE_CHECKING:
    from malaria.training.recipe import Recipe


def train(
    ctx: typer.Context,
    data: DataOption,
    held_out: Annotated[
        list[Path], typer.Option(help="ZIP or folder whose patients are only measured on; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the version and roles.json.")] = Path("trained"),
    run: RunOption = None,
    cache: CacheOption = None,
    backbone_weights: BackboneOption = None,
    network: Annotated[
        str | None, typer.Option(help="mobilenet_v2, compact_cnn, or ensemble of --member networks.")
    ] = None,
    member: Annotated[
        list[Path] | None,
        typer.Option(help="A network.keras to be joined with others; nothing is trained.", exists=True),
    ] = None,
    recipe: RecipeOption = None,
    laboratory: LaboratoryOption = None,
    without: WithoutOption = None,
    without_label: WithoutLabelOption = None,
    doubted: Annotated[
        list[Path] | None,
        typer.Option(
            help="CSV of cells that are learnt, but not moved onto others; may be repeated.", exists=True
        ),
    ] = None,
    start: StartOption = None,
    teacher: Annotated[
        str | None, typer.Option(help="Version or .tflite whose answers are learnt beside the labels.")
    ] = None,
    stage: StageOption = None,
    batch_size: BatchSizeOption = None,
    learning_rate: LearningRateOption = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Also keep the version under --home.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model from its start, calibrate it, export it and measure it. Needs TensorFlow.

    Example:

        malaria train --data part1.zip --data part2.zip --held-out part4.zip --out trained
    """
    need_tensorflow("train")
    from malaria import grafting, wiring
    from malaria.training import plan as plans
    from malaria.training import run as training

    chosen: dict[str, object] = {"batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    idle: dict[str, object] = {"recipe": recipe, "stage": stage, **chosen, "teacher": teacher}
    idle |= {"backbone_weights": backbone_weights, "without": without, "without_label": without_label}
    idle |= {"doubted": doubted, "start": start}
    if start and backbone_weights:
        raise BadOptions("--start and --backbone-weights are two ways to begin: give one.")
    joined = members(network, member or [], idle)
    plan = plans.Plan(
        data=data,
        held_out=held_out,
        out=out,
        run=run or Path("runs") / out.name,
        cache=cache or Path("runs") / "cache",
        recipe=recipe_asked(recipe, stage, network=network, **chosen),
        backbone_weights=backbone_weights,
        command=as_asked(sys.argv[1:]),
        laboratories=laboratories(laboratory or []),
        without=without or [],
        without_label=label_asked(without_label),
        members=joined,
        doubted=doubted or [],
        start=start,
        teacher=load_model(ctx, teacher) if teacher else None,
        branch=grafting.kept(wiring.shipped_models(state(ctx).settings())),
    )
    plans.members_of(plan)  # what does not go together is told before data are read
    if unknown := plans.without_patient(plan, plans.roles_of(plan)):
        output.note(f"{unknown:,} cells are left out: their patient is not told; a patients.csv may do so.")
    with output.progress() as report:
        info = training.train(plan, datetime.now(UTC), report)
    if publish:
        files = {f.name: f for f in (out / info.version).iterdir() if f.name != "manifest.json"}
        services(ctx).registry.publish(info, files)
    if as_json:
        from malaria import codec

        output.print_json(codec.to_json(info))
        return
    rows = [
        (name, *(told[f] for f in ("accuracy", "sensitivity", "specificity", "auc")))
        for name, told in info.metrics.items()
    ]
    output.table(("patients", "accuracy", "sensitivity", "specificity", "auc"), rows)
    if without:
        output.note(f"{info.lineage['left_out']:,} cells that are listed were left out of the training.")
    typer.echo(str(out / info.version))
    if publish:
        output.note(f"`malaria models promote {info.version} --reason ...` serves it.")


def recipe_asked(file: Path | None, stages: list[str] | None, **chosen: Any) -> "Recipe":
    """The network's recipe, changed by the file, then by the options."""
    from malaria.training import recipe as recipes

    told = recipes.read(file) if file else {}
    told |= {name: value for name, value in chosen.items() if value is not None}
    if stages:
        told["stages"] = [_stage(text) for text in stages]
    return recipes.changed(recipes.recipe_of(told.get("network")), told)


def label_asked(told: str | None) -> Label | None:
    """The label that is named, if any. Raises BadOptions."""
    if told is None:
        return None
    if told not in CLASSES:
        raise BadOptions(f"--without-label is {told}; it must be {' or '.join(CLASSES)}.")
    return Label(CLASSES.index(told))


def members(network: str | None, told: list[Path], idle: Mapping[str, object]) -> list[Path]:
    """The members of an ensemble. idle: options that say how to train, by name; None where not chosen.

    Raises BadOptions where the network and they do not go together, or options would do nothing.
    """
    if (network == ENSEMBLE) != bool(told) or len(told) == 1:
        raise BadOptions(f"--network {ENSEMBLE} and --member NETWORK.keras, twice or more, go together.")
    given = [f"--{name.replace('_', '-')}" for name, value in idle.items() if value is not None]
    if told and given:
        raise BadOptions(f"An ensemble is joined, not trained: leave out {', '.join(given)}.")
    return told


TRAINABLE = ("chula", "bccd")
"""Sets that may be learnt from; others, such as BBBC041, are for measuring only."""


def laboratories(told: list[str], known: Collection[str] = TRAINABLE) -> dict[str, Path]:
    """Fields by the name of their set, of options such as chula=fields.zip. Raises BadOptions, NotFound."""
    found = {}
    for text in told:
        name, _, path = text.partition("=")
        if name not in known or not path:
            raise BadOptions(f"{text} is not SET=PATH, with a set of {', '.join(known)}.")
        if not Path(path).exists():
            raise NotFound(f"There is no file or folder {path}.")
        found[name] = Path(path)
    return found


def _stage(text: str) -> dict[str, int]:
    from malaria.training.recipe import SIZES, is_size

    size, _, epochs = text.partition(":")
    if not (size.isdecimal() and epochs.isdecimal() and is_size(int(size)) and int(epochs)):
        raise BadOptions(
            f"--stage {text} is not SIZE:EPOCHS, with a size that is a multiple of 32 from {SIZES[0]} to "
            f"{SIZES[1]}, such as 128:6."
        )
    return {"size": int(size), "epochs": int(epochs)}


def as_asked(arguments: list[str]) -> str:
    """The command as it can be repeated elsewhere: of paths that lead out of the folder, the name only."""

    def leads_out(text: str) -> bool:
        return Path(text).is_absolute() or text.startswith("../")

    def short(text: str) -> str:
        name, equals, value = text.partition("=")
        if equals and leads_out(value):
            return name + equals + Path(value).name
        return Path(text).name if leads_out(text) else text

    return shlex.join(["malaria", *map(short, arguments)])
