"""`malaria ablate`: recipes side by side, on patients and laboratories that none of them has seen."""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.train import as_asked, laboratories
from malaria.cli.training_options import (
    BackboneOption,
    CacheOption,
    DataOption,
    LaboratoryOption,
    RunOption,
    StartOption,
    need_keras,
    need_tensorflow,
)
from malaria.errors import Damaged

if TYPE_CHECKING:
    from malaria.metrics import Metrics
    from malaria.tours.latency import Latency
    from malaria.training.ablate import Ablated
    from malaria.training.variants import Variant

RUNS = 100
"""Of each file, to time it."""


def ablate(
    plan: Annotated[Path, typer.Argument(help="TOML with a shared recipe and its variants.", exists=True)],
    data: DataOption,
    roles: Annotated[Path, typer.Option(help="Folder with the roles.json to use.")] = Path("models"),
    out: Annotated[Path, typer.Option(help="Folder of the table: results.md and results.json.")] = Path(
        "ablation"
    ),
    run: RunOption = None,
    cache: CacheOption = None,
    backbone_weights: BackboneOption = None,
    start: StartOption = None,
    laboratory: LaboratoryOption = None,
    without: Annotated[
        list[Path] | None, typer.Option(help="CSV of cells that variants may leave out; may be repeated.")
    ] = None,
    evaluated: Annotated[
        list[str] | None, typer.Option(help="SET=PATH: fields that are only measured on; may be repeated.")
    ] = None,
    files: Annotated[
        bool,
        typer.Option("--files", help="Also tell the size of each network's file, and its time for one cell."),
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Train this variant, and others another time; may be repeated.")
    ] = None,
) -> None:
    """Train the variants of a recipe alike and measure each on validation patients and other laboratories.

    A study may take several sittings: what stands in OUT/results.json already, of the same recipe and data,
    is kept and not trained again.

    Example:

        malaria ablate experiments/stain.toml --data part1.zip --laboratory chula=chula.zip
    """
    (need_tensorflow if files else need_keras)("ablate")
    from malaria.fields import SETS
    from malaria.training import ablate as steps
    from malaria.training import grafts, mixture
    from malaria.training.plan import Plan, made_of
    from malaria.training.recipe import Recipe
    from malaria.training.variants import read

    variants = read(plan)
    asked = Plan(
        data=data,
        held_out=[],
        out=roles,
        run=run or Path("runs") / out.name,
        cache=cache or Path("runs") / "cache",
        recipe=Recipe(),
        backbone_weights=backbone_weights,
        command=as_asked(of_all_sittings(sys.argv[1:])),
        laboratories=laboratories(laboratory or []),
        without=without or [],
        start=start,
    )
    with output.progress() as report:
        met = laboratories(evaluated or [], SETS)
        found = steps.ablate(asked, variants, met, report, before=_before(out), only=only or ())
    variants = [variant for variant in variants if variant.name in found]
    taken = _timed(variants) if files else {}
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "command": asked.command,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "made_of": made_of(asked),
        "makings": {"mixture": mixture.VERSION, "grafts": grafts.VERSION},
        "variants": {v.name: _as_json(v, found[v.name], taken.get(v.name)) for v in variants},
    }
    (out / "results.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    figures = {name: one.figures for name, one in found.items()}
    (out / "results.md").write_text(table(plan.stem, asked.command, figures, taken), encoding="utf-8")
    typer.echo(str(out / "results.md"))


def of_all_sittings(arguments: list[str]) -> list[str]:
    """The command that repeats the whole table, whichever variants the last sitting trained."""
    kept, words = list[str](), iter(arguments)
    for word in words:
        if word == "--only":
            next(words, None)
        elif not word.startswith("--only="):
            kept.append(word)
    return kept


def _before(out: Path) -> "dict[str, Ablated]":
    """What earlier sittings have measured, by key. Raises Damaged where that cannot be read."""
    from malaria.training.ablate import Ablated, metrics_of

    path = out / "results.json"
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["variants"].values()
        return {
            one["key"]: Ablated(
                {name: metrics_of(panel) for name, panel in one["panels"].items()},
                one["fitted_by"],
                one["key"],
            )
            for one in told
            if "key" in one  # older studies have none, and are left alone
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{path} is no study's results ({error}). Name another folder with --out.") from error


def _as_json(variant: "Variant", found: "Ablated", taken: "Latency | None") -> dict[str, Any]:
    from malaria import codec

    return {
        "recipe": codec.to_json(variant.recipe),
        "patients": variant.patients,
        "panels": codec.to_json(found.figures),
        "fitted_by": codec.to_json(found.fitted_by),
        "key": found.key,
        "file": {"bytes": taken.file_bytes, "ratio": taken.ratio} if taken else None,
    }


def _timed(variants: Sequence["Variant"]) -> dict[str, "Latency"]:
    """What one cell costs by each network, side by side."""
    from malaria.tours.latency import latencies
    from malaria.training.ablate import files

    with tempfile.TemporaryDirectory() as folder:
        made = files(variants, Path(folder))
        return dict(zip(made, latencies(list(made.values()), RUNS), strict=True))


def table(
    name: str,
    command: str,
    found: Mapping[str, Mapping[str, "Metrics"]],
    taken: "Mapping[str, Latency] | None" = None,
) -> str:
    """Variants below each other, panels beside each other, each with its telling figure and interval.

    taken: what each variant's file takes; told where it is known.
    """
    names = list({panel: None for sets in found.values() for panel in sets})
    lines = [f"# Ablation: {name}", "", f"    {command}", ""]
    lines += [
        "AUC where a panel holds both classes, else specificity; 95% intervals over patients or fields.",
        "",
    ]
    if taken:
        lines += ["Time: of one cell in one thread, as a multiple of the first's, measured side by side.", ""]
    columns = [*names, *(("MB", "time") if taken else ())]
    lines += ["| variant | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for variant, sets in found.items():
        told = [_told(sets.get(panel)) for panel in names]
        if taken:
            told += [f"{taken[variant].file_bytes / 1e6:.2f}", f"{taken[variant].ratio:.2f}"]
        lines.append(f"| {variant} | " + " | ".join(told) + " |")
    return "\n".join(lines) + "\n"


def _told(found: "Metrics | None") -> str:
    if found is None:  # measured before there was such a panel
        return "-"
    name = "auc" if found.auc is not None else "specificity"
    value, between = getattr(found, name), found.intervals.get(name)
    text = "-" if value is None else f"{value:.4f}"
    if between:
        text += f" ({between[0]:.3f} to {between[1]:.3f})"
    return f"{text}; {found.sensitivity:.3f}, {found.specificity:.3f}" if name == "auc" else text
