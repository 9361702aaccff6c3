"""`malaria cross-validate`: figures on patients that the network has not seen, from all of the data."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, SuspectsOption, base_roles, state
from malaria.cli.train import as_asked, label_asked, laboratories, recipe_asked
from malaria.cli.training_options import (
    BackboneOption,
    BatchSizeOption,
    CacheOption,
    LaboratoryOption,
    LearningRateOption,
    RecipeOption,
    RunOption,
    StageOption,
    WithoutLabelOption,
    WithoutOption,
    need_keras,
)

if TYPE_CHECKING:
    from malaria.fold_figures import FoldFigures
    from malaria.report import Made
    from malaria.training.crossvalidate import CrossValidated, Plan

OUT_OF_FOLD, MIXED = "out-of-fold.npz", "mixed-cells.npz"


def cross_validate(
    ctx: typer.Context,
    data: Annotated[list[Path], typer.Option(help="ZIP or folder of labelled cells; may be repeated.")],
    folds: Annotated[int, typer.Option(min=2, max=20, help="How many networks are trained.")] = 5,
    out: Annotated[Path, typer.Option(help="Folder for answers and report.")] = Path("cross-validated"),
    run: RunOption = None,
    cache: CacheOption = None,
    backbone_weights: BackboneOption = None,
    network: Annotated[str | None, typer.Option(help="mobilenet_v2 or compact_cnn.")] = None,
    recipe: RecipeOption = None,
    laboratory: LaboratoryOption = None,
    without: WithoutOption = None,
    without_label: WithoutLabelOption = None,
    stage: StageOption = None,
    batch_size: BatchSizeOption = None,
    learning_rate: LearningRateOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the folds, the training, the intervals.")
    ] = None,
    leaky: Annotated[
        bool,
        typer.Option(help="Also train one split that mixes the cells of patients, to show what it hides."),
    ] = True,
    suspects: SuspectsOption = None,
    limit_patients: Annotated[
        int | None, typer.Option(min=4, help="Use about so many patients only, for a try.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train once for each fold of patients and measure on those held out. Needs TensorFlow.

    Patients that models/roles.json keeps for gate and test are left out. Writes out-of-fold.npz, from which
    all figures are computed, report.md, report.json and pictures.

    Example:

        malaria cross-validate --data part1.zip --data part2.zip --stage 96:6 --out cross-validated
    """
    need_keras("cross-validate")
    from malaria import fold_figures, pictures
    from malaria import suspects as lists
    from malaria.training import crossvalidate as steps

    pictures.need()
    listed = lists.read(suspects) if suspects else None
    asked = recipe_asked(
        recipe, stage, network=network, batch_size=batch_size, learning_rate=learning_rate, seed=seed
    )
    plan = steps.Plan(
        data=data,
        roles=base_roles(state(ctx).settings()),
        folds=folds,
        seed=asked.seed,
        recipe=asked,
        backbone_weights=backbone_weights,
        run=run or Path("runs") / out.name,
        cache=cache or Path("runs") / "cache",
        laboratories=laboratories(laboratory or []),
        without=without or [],
        without_label=label_asked(without_label),
        limit=limit_patients,
        leaky=leaky,
    )
    with output.progress(lines=not as_json) as report:
        done = steps.cross_validate(plan, report)
    found = fold_figures.figures(done.kept_apart, done.mixed, listed, asked.seed)
    _write(out, plan, done, found, _made(plan, done, suspects))
    for reason, cells in done.left_out.items():
        output.note(f"left out: {cells:,} cells ({reason}).")
    if as_json:
        output.print_json(fold_figures.told(found))
        return
    output.tables(fold_figures.tables(found))
    output.note(f"report: {out / 'report.md'}")


def _made(plan: "Plan", done: "CrossValidated", suspects: Path | None) -> "Made":
    from malaria.digests import sha256
    from malaria.report import Made

    stages = ", ".join(f"{stage.epochs} epochs at {stage.size} px" for stage in plan.recipe.stages)
    further = {
        "network": f"{plan.recipe.network}, {stages}",
        "folds": plan.folds,
        "patients": len(set(done.kept_apart.patients.tolist())),
        "left out": "; ".join(f"{cells:,} cells ({reason})" for reason, cells in done.left_out.items()),
        "packages": ", ".join(f"{name} {version}" for name, version in done.packages.items()),
    }
    files = {**done.files, **({suspects.name: sha256(suspects)} if suspects else {})}
    now = datetime.now(UTC).replace(microsecond=0)
    return Made(as_asked(sys.argv[1:]), files, plan.seed, now, further=further)


def _write(out: Path, plan: "Plan", done: "CrossValidated", found: "FoldFigures", made: "Made") -> None:
    from malaria import codec, fold_figures, report

    done.kept_apart.save(out / OUT_OF_FOLD)
    if done.mixed is not None:
        done.mixed.save(out / MIXED)
    values = {"recipe": codec.to_json(plan.recipe), **fold_figures.told(found)}
    title = f"{plan.folds}-fold cross-validation of {plan.recipe.network}"
    tables, answers = fold_figures.tables(found), fold_figures.curves(done.kept_apart)
    report.write(out, title, made, values, tables, answers)
