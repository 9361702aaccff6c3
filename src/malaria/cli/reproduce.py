"""`malaria reproduce`: run a version's training again, and say how far the result is off."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services
from malaria.cli.train import as_asked, laboratories
from malaria.cli.training_options import (
    CacheOption,
    LaboratoryOption,
    need_tensorflow,
)

if TYPE_CHECKING:
    from malaria.domain import ModelVersion
    from malaria.likeness import Likeness
    from malaria.reproduction import Given
    from malaria.training.rerun import Rerun


def reproduce(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="A version that is kept or ships, or a network that ships.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="ZIP or folder that was learnt from; may be repeated.", exists=True),
    ] = None,
    held_out: Annotated[
        list[Path] | None,
        typer.Option(
            help="ZIP or folder whose patients were only measured on; may be repeated.", exists=True
        ),
    ] = None,
    laboratory: LaboratoryOption = None,
    without: Annotated[
        list[Path] | None,
        typer.Option(help="CSV of cells that were not trained on; may be repeated.", exists=True),
    ] = None,
    doubted: Annotated[
        list[Path] | None,
        typer.Option(help="CSV of cells that were learnt, but not moved; may be repeated.", exists=True),
    ] = None,
    backbone_weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pretrained MobileNetV2 that was begun from; may be repeated.", exists=True, dir_okay=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the new version and the report. Default: reproduced/VERSION."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of checkpoints; a stopped run goes on. Default: runs/reproduce-VERSION."),
    ] = None,
    cache: CacheOption = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Of an ensemble: train its members too, instead of joining those kept."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a version again as its manifest tells, and say how far the result is off. Needs TensorFlow.

    The files are held against their SHA-256 before any work; `malaria card VERSION` lists them. A version
    that was begun from another is made from its first step on.

    Example:

        malaria reproduce 20260102-1a2b3c4d --data part1.zip --data part2.zip --held-out part4.zip
    """
    need_tensorflow("reproduce")
    from malaria import likeness
    from malaria.lineage import files_of
    from malaria.reproduction import matched, tasks

    at_hand = services(ctx).at_hand
    info = at_hand.version(version)
    order = tasks(at_hand, info, anew=anew)
    given = _given(data, held_out, laboratory, without, doubted, backbone_weights)
    files = matched(files_of(task.step for task in order), given)
    from malaria.training.rerun import Rerun, rerun

    asked = Rerun(
        at_hand=at_hand,
        info=info,
        tasks=order,
        files=files,
        out=out or Path("reproduced") / info.version,
        run=run or Path("runs") / f"reproduce-{info.version}",
        cache=cache or Path("runs") / "cache",
        command=as_asked(sys.argv[1:]),
    )
    started = datetime.now(UTC)
    with output.progress() as report:
        made, found = rerun(asked, started, report)
    _write(asked, made, found)
    if made.created < started:
        output.note(f"It was trained before and was only compared now. To train again, delete {asked.run}.")
    if as_json:
        output.print_json(likeness.told(found))
    else:
        output.tables(likeness.tables(found))
    output.note(f"report: {asked.out / 'report.md'}")


def _given(
    data: list[Path] | None,
    held_out: list[Path] | None,
    laboratory: list[str] | None,
    without: list[Path] | None,
    doubted: list[Path] | None,
    backbones: list[Path] | None,
) -> "list[Given]":
    from malaria.reproduction import Given

    named = {"data": data, "held-out": held_out, "without": without, "doubted": doubted}
    given = [Given(option, path.name, path) for option, paths in named.items() for path in paths or []]
    given += [Given("laboratory", name, path) for name, path in laboratories(laboratory or []).items()]
    return [*given, *(Given("backbone-weights", "", path) for path in backbones or [])]


def _write(asked: "Rerun", made: "ModelVersion", found: "Likeness") -> None:
    """report.json and report.md beside the new version."""
    from malaria import likeness, report
    from malaria.report import Made

    data = {file.told: file.sha256 for file in asked.files}
    seed = int(asked.tasks[-1].step.recipe.get("seed", 0))
    about = Made(asked.command, data, seed, made.created.replace(microsecond=0), made.version, made.digest)
    title = f"Version {asked.info.version}, trained again"
    report.write(asked.out, title, about, likeness.told(found), likeness.tables(found), None)
