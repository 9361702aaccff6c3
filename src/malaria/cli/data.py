"""`malaria data`: base images for training from, and cells to try things out with."""

import contextlib
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, base_roles, services
from malaria.domain import Role
from malaria.errors import BadLayout, BadOptions, Busy, MalariaError, MissingPart, NotFound, how_to_add

if TYPE_CHECKING:
    from malaria.ingest import Ingested
    from malaria.services import Services
    from malaria.shards import Shard

app = typer.Typer(no_args_is_help=True, help="Images: fetch, import, and make samples.")

DATASET = "iarunava/cell-images-for-detecting-malaria/versions/1"
"""The NIH cells on Kaggle. The version is named, so that a full cache needs no network."""


@app.command()
def fetch(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Download the NIH cell images (27,558 cells, 700 MB) from Kaggle and import them as base images.

    Courtesy of the U.S. National Library of Medicine; cite Rajaraman et al., PeerJ 6:e4568 (2018).
    """
    built = services(ctx)
    _import(built, [cell_folder(Path(_download()))], as_json)


def _download() -> str:
    try:
        import kagglehub
    except ImportError:
        raise MissingPart(
            f"`data fetch` needs kagglehub: {how_to_add('fetch')}, "
            "or download the images yourself and run `malaria data import ZIP`."
        ) from None
    from kagglehub import exceptions

    output.note(f"Kaggle dataset {DATASET.rpartition('/versions/')[0]}")
    try:
        return str(kagglehub.dataset_download(DATASET))
    except (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.UnauthenticatedError,
        OSError,
    ) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Busy(
            f"Kaggle could not be reached or refused: {first}. Try again, or download the images "
            "in a browser and run `malaria data import ZIP`."
        ) from error


def cell_folder(top: Path) -> Path:
    """The folder with both class folders; of several (the dataset holds its images twice) the outermost.

    Raises:
        BadLayout: there is none.
    """
    from malaria.cells import FOLDERS

    for folder in sorted((top, *(p for p in top.rglob("*") if p.is_dir())), key=lambda p: (len(p.parts), p)):
        if set(FOLDERS) <= {p.name.lower() for p in folder.iterdir() if p.is_dir()}:
            return folder
    raise BadLayout(f"{top} holds no folder with Parasitized/ and Uninfected/.")


@app.command("import")
def import_(
    ctx: typer.Context,
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="[ZIP]...", help="ZIPs or folders of labelled cells.")
    ] = None,
    laboratory: Annotated[
        list[str] | None,
        typer.Option(help="SET=PATH: fields that the models were trained with, such as chula=fields.zip."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take labelled cells in as base images, which `retrain --method full` trains from.

    Known patients keep their roles; of new ones some are kept apart for validation. `full` forgets what it
    has no pictures of: bring the fields of other laboratories that the models were trained with, too.

    Example:

        malaria data import nih-part1.zip nih-part2.zip --laboratory bccd=bccd.zip
    """
    from malaria.cli.train import laboratories

    fields = laboratories(laboratory or [])
    if not sources and not fields:
        raise BadOptions("Name what to import: ZIPs or folders of cells, or fields, --laboratory SET=PATH.")
    for source in sources or ():
        if not source.exists():
            raise NotFound(f"There is no file or folder {source}.")
    _import(services(ctx), sources or [], as_json, fields)


def _import(
    built: "Services", sources: list[Path], as_json: bool, fields: Mapping[str, Path] | None = None
) -> None:
    from malaria import codec

    told = []
    for source in sources:
        with output.progress(lines=not as_json) as report, _work(built) as work:
            taken = take_in(built, source, work, report)
        told.append({**_summary(source, taken.shard), "report": codec.to_json(taken.report)})
        if not as_json:
            _print(told[-1])
    for name, path in (fields or {}).items():
        with output.progress(lines=not as_json) as report, _work(built) as work:
            told.append(_summary(path, _take_in_fields(built, name, path, work, report)))
        if not as_json:
            output.facts(_facts(told[-1]))
    if as_json:
        output.print_json(told)


def _take_in_fields(built: "Services", name: str, path: Path, work: Path, report: output.Report) -> "Shard":
    from malaria.training.laboratories import Laboratory
    from malaria.training.stored_fields import shard_of

    known = Laboratory(path, name, base_roles(built.settings))
    return built.shards.save(*shard_of(known, work, built.clock.now(), report))


@contextlib.contextmanager
def _work(built: "Services") -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="import-", dir=built.home / "work") as folder:
        yield Path(folder)


def take_in(built: "Services", source: Path, work: Path, report: output.Report) -> "Ingested":
    """Store the labelled cells of a ZIP or folder as base images; what was stored stays in `work`, too.

    Raises as `ingest` does.
    """
    from malaria.ingest import Held, ingest

    archive = zipped(source, work / "source.zip") if source.is_dir() else source
    stored = built.shards.list()
    known = {cell.group: cell.role for s in stored if s.base for cell in s.cells}
    met = {cell.fingerprint: cell.role for s in stored for cell in s.cells}
    taken = ingest(
        archive,
        kind="base",
        held=Held(patients=base_roles(built.settings), fingerprints={}),
        known_roles=known,
        known_cells={**met, **remembered_roles(built, work)},
        work=work,
        now=built.clock.now(),
        report=report,
    )
    built.shards.save(taken.shard, taken.cells_zip)
    return taken


def remembered_roles(built: "Services", work: Path) -> dict[int, Role]:
    """The role of every cell that the served model remembers, by fingerprint, whatever its file is called."""
    from malaria import memory

    newest = built.registry.newest()
    if newest is None:
        return {}
    kept = memory.load(built.registry.fetch(newest.version, "memory.npz", work / "memory.npz"))
    return {int(f): Role(r) for f, r in zip(kept.fingerprints, kept.roles, strict=True)}


def zipped(folder: Path, to: Path) -> Path:
    """The class folders of `folder` as a ZIP; other folders, such as a second copy, are left out."""
    from malaria.cells import FOLDERS

    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as archive:
        chosen = [p for p in folder.iterdir() if p.is_dir() and p.name.lower() in FOLDERS]
        if not chosen:
            raise BadLayout(f"{folder} holds no folders Parasitized/ and Uninfected/.")
        for path in sorted(p for c in chosen for p in c.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
        if (folder / "patients.csv").is_file():
            archive.write(folder / "patients.csv", "patients.csv")
    return to


def _summary(source: Path, shard: "Shard") -> dict[str, Any]:
    cells = shard.cells
    return {
        "source": source.name,
        "dataset": shard.sha256,
        "cells": len(cells),
        "classes": dict(sorted(Counter(cell.label.text for cell in cells).items())),
        "patients": len({cell.patient for cell in cells if cell.patient}),
        "roles": dict(sorted(Counter(cell.role.value for cell in cells).items())),
    }


def _facts(told: dict[str, Any]) -> list[tuple[str, Any]]:
    accepted = ", ".join(f"{count:,} {name.lower()}" for name, count in told["classes"].items())
    return [
        ("imported", told["source"]),
        ("dataset", told["dataset"]),
        ("cells", accepted),
        ("patients", f"{told['patients']:,}" if told["patients"] else None),
        ("roles", ", ".join(f"{count:,} {role}" for role, count in told["roles"].items())),
    ]


def _print(told: dict[str, Any]) -> None:
    report = told["report"]
    output.facts(
        [
            *_facts(told),
            ("quarantined", len(report["quarantined"]) or None),
            *(("", f"{entry['name']}: {entry['reason']}") for entry in report["quarantined"][:20]),
            *(("warning", text) for text in report["warnings"]),
        ]
    )


@app.command()
def sample(
    n: Annotated[int, typer.Argument(metavar="N", min=1, max=100_000, help="How many cells.")],
    out: Annotated[Path, typer.Option(help="A folder, or a file ending in .zip.")] = Path("sample-cells"),
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same cells.")] = 1,
    stain: Annotated[
        str | None, typer.Option(help="One stain for all, such as giemsa-blue. Default: several.")
    ] = None,
) -> None:
    """Make synthetic cells, half of them with parasites, in the layout of an upload.

    They are for trying the system out, not for training it.

    Example:

        malaria data sample 40 --out demo.zip
    """
    from malaria import synthetic

    try:
        written = synthetic.write(out, n, seed, stain=stain)
    except OSError as error:
        raise MalariaError(f"{out} cannot be written: {error.strerror or error}.") from error
    typer.echo(str(written))
