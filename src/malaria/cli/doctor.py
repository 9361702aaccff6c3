"""`malaria doctor`: is everything whole, and where does it lie?"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from malaria import signing_keys
from malaria.cli import output
from malaria.cli.common import JsonOption, quiet, services
from malaria.domain import JobState
from malaria.errors import Damaged, MalariaError, NotFound

if TYPE_CHECKING:
    from malaria.services import Services

PARTS = {
    "prediction (extra serve)": ("ai_edge_litert", "tflite_runtime"),
    "HTTP server (extra serve)": ("fastapi",),
    "adapt (extra adapt)": ("sklearn",),
    "full and train (extra train)": ("tensorflow",),
    "data fetch (extra fetch)": ("kagglehub",),
}


def doctor(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Check that the log, the kept models, the jobs and the installation are whole.

    Exit code 1 if anything is broken.
    """
    try:
        built = services(ctx)
    except MalariaError as error:  # too broken to start: that is the finding
        found, paths = [{"check": "start", "ok": False, "found": str(error)}], {}
    else:
        found, paths = [check(name, look) for name, look in looks(built)], _paths(built)
    parts = {name: any(find_spec(module) for module in modules) for name, modules in PARTS.items()}
    whole = all(result["ok"] for result in found)
    if as_json:
        output.print_json({"ok": whole, "checks": found, "parts": parts, "paths": paths})
    else:
        output.facts(paths.items())
        output.table(("check", "", "found"), [(r["check"], _mark(bool(r["ok"])), r["found"]) for r in found])
        output.table(
            ("part", "installed"), [(name, "yes" if there else "no") for name, there in parts.items()]
        )
    raise typer.Exit(0 if whole else 1)


def _mark(ok: bool) -> object:
    from rich.text import Text

    return Text("ok", style="green") if ok else Text("BROKEN", style="bold red")


def _paths(built: "Services") -> dict[str, str]:
    home = built.home
    free = shutil.disk_usage(home).free / 1e9
    own = {} if built.fleeting else {"inbox": str(home / "inbox"), "logs": str(home / "logs")}
    return {"home": str(home), **own, "free space": f"{free:.1f} GB"}


def check(name: str, look: Callable[[], str]) -> dict[str, object]:
    """One check: what it found, or what is broken."""
    try:
        return {"check": name, "ok": True, "found": look()}
    except (MalariaError, OSError) as error:
        return {"check": name, "ok": False, "found": str(error)}


def looks(built: "Services") -> Iterator[tuple[str, Callable[[], str]]]:
    """Each check's name and what performs it."""
    yield "promotion log", lambda: _log(built)
    yield "served model", lambda: _served(built)
    yield "kept models", lambda: _models(built)
    yield "feature memory", lambda: _memory(built)
    yield "gate patients", lambda: _gate_looks(built)
    yield "jobs", lambda: _jobs(built)
    yield "confirmed labels", lambda: f"{len(built.feedback.list()):,}"
    if not built.fleeting:  # for how long a deployment keeps them its own settings say
        yield "kept pictures", lambda: _kept(built)
    yield "signing keys", lambda: _shared_keys(built) if built.fleeting else _keys(built)
    yield "datasets", lambda: f"{len(built.shards.list()):,}"


def _log(built: "Services") -> str:
    built.registry.verify()
    return f"{len(built.registry.history()):,} entries, each follows the one before"


def _served(built: "Services") -> str:
    with quiet():
        return f"{built.served.model.info.version} runs"


def _models(built: "Services") -> str:
    """Every version's model is the file that was published."""
    versions = built.registry.versions()
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=built.home / "work") as folder:
        for info in versions:
            built.registry.fetch(info.version, "model.tflite", Path(folder) / info.version)
    return f"{len(versions):,}, digests agree"


def _memory(built: "Services") -> str:
    from malaria import memory

    version = built.served.model.info.version
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=built.home / "work") as folder:
        kept = memory.load(built.registry.fetch(version, "memory.npz", Path(folder) / "memory.npz"))
    return f"{len(kept):,} cells remembered by {version}"


def _kept(built: "Services") -> str:
    days, wanted, drift = built.kept.days, built.settings.retrain_confirmed, built.settings.retrain_drift
    if not days:
        return "none: MALARIA_KEEP_DAYS is 0"
    told = [f"{wanted:,} confirmed open a retraining"] if wanted else []
    told += [f"errors of {drift:g} standard deviations more than expected open one"] if drift else []
    opens = "; ".join(told) or "they open no retraining"
    return f"for {days} days; {len(built.kept.pool()):,} confirmed and not yet learnt from; {opens}"


def _keys(built: "Services") -> str:
    """Nobody but the owner may read the file. Raises Damaged."""
    if built.settings.signing_key is not None:
        return f"{len(built.signing_keys)}, of the setting MALARIA_SIGNING_KEY"
    path = built.home / signing_keys.FILE
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise Damaged(f"Others can read {path}. Run `chmod 600` on it, and `malaria feedback rekey`.")
    return f"{len(built.signing_keys)}, which nobody else can read"


def _shared_keys(built: "Services") -> str:
    """Those of a deployment. Raises Damaged."""
    try:
        return f"{len(signing_keys.kept(built.objects))}, in the bucket of models"
    except NotFound:
        return "none yet: the API makes one as it starts"


def _gate_looks(built: "Services") -> str:
    """Looks at those whom the served version remembers; earlier sets are of no account any more."""
    count, most = built.looked_at_gate(), built.settings.max_gate_looks
    return f"looked at {count:,} times of {most:,}" + ("; fresh ones are due" if count > most else "")


def _jobs(built: "Services") -> str:
    ended = built.trigger.reconcile()
    running = len(built.jobs.list(state=JobState.RUNNING, limit=10_000))
    queued = len(built.jobs.list(state=JobState.QUEUED, limit=10_000))
    dead = f", {len(ended)} found dead and put right" if ended else ""
    return f"{running} running, {queued} waiting{dead}"
