"""`malaria gate`: how good the gate itself is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from malaria.cli import output
from malaria.cli.common import state
from malaria.cli.made import as_made
from malaria.cli.poison import poison
from malaria.domain import ModelVersion

if TYPE_CHECKING:
    from malaria.criteria import GateSettings
    from malaria.head import Head
    from malaria.memory import Memory

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


app.command()(poison)


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
