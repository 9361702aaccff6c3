"""`malaria export`: a version in smaller numbers, for small machines, measured beside its original."""

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, services, state
from malaria.cli.train import as_asked, laboratories
from malaria.cli.training_options import CacheOption, need_tensorflow
from malaria.domain import ModelVersion, Precision
from malaria.errors import BadOptions, Conflict, Damaged, NotFound, UnknownVersion

if TYPE_CHECKING:
    from malaria.report import Table
    from malaria.services import Services
    from malaria.shards import Shard
    from malaria.training.dataset import Source
    from malaria.training.edge import Export, Original

RUNS = 300
"""Of each file, to time it."""


def export(
    ctx: typer.Context,
    version: Annotated[
        str | None,
        typer.Argument(
            help="A version (see `malaria models list`), a network that ships, or the folder of a version. "
            "Default: the served one."
        ),
    ] = None,
    precision: Annotated[
        list[Precision] | None,
        typer.Option("--as", help="float16 or int8; may be repeated. Default: both. int8 needs TensorFlow."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="ZIP or folder that it was trained on; may be repeated. Default: stored base images."
        ),
    ] = None,
    laboratory: Annotated[
        list[str] | None,
        typer.Option(
            help="SET=PATH: fields of another laboratory that it was trained on, such as chula=fields.zip."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for one folder of each export.")] = Path("exported"),
    report: Annotated[Path | None, typer.Option(help="Folder for report.json and report.md.")] = None,
    cache: CacheOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the cells to calibrate on, and of intervals.")] = 0,
    publish: Annotated[bool, typer.Option("--publish", help="Also keep the exports under --home.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a version as float16 or int8, and measure on validation patients what that changes.

    int8 is calibrated on cells of training patients. A file whose answers differ by more than the stated
    bound is written, but neither kept nor served.

    Examples:

        malaria export compact_cnn --data part1.zip --data part2.zip --laboratory chula=chula.zip

        malaria export --as float16
    """
    wanted = list(dict.fromkeys(precision or Precision))
    if Precision.INT8 in wanted:
        need_tensorflow("export --as int8")
    from malaria import parity_tables
    from malaria.training import dataset, edge

    original, file = _original(ctx, version)
    fields = laboratories(laboratory or [])
    sources = _sources(services(ctx), original, data or [], fields)
    story = _story(data or [], fields, sources)
    now = datetime.now(UTC)
    with output.progress(lines=not as_json) as tell:
        cells = dataset.load(sources, original.info.input_size, cache or Path("runs") / "cache", tell)
        found = edge.export(original, cells, wanted, story, now, seed, tell)
    folders = {one.precision: _lay_out(out / one.precision.value, one) for one in found}
    timed = _timed(file, folders)
    refused = {one.precision.value: str(one.info.lineage["unservable"]) for one in found}
    tables = parity_tables.tables(timed, refused, {one.precision.value: one.parity for one in found})
    told = {one.precision.value: _told(one, timed[one.precision.value].ratio) for one in found}
    if report is not None:
        _report(report, original.info, story, seed, told, tables)
    if as_json:
        output.print_json(told)
    else:
        output.tables(tables)
        for folder in folders.values():
            output.note(f"export: {folder}")
    for one in found if publish else ():
        _publish(ctx, one, folders[one.precision])


def _original(ctx: typer.Context, chosen: str | None) -> tuple["Original", Path]:
    """The version to export, and its file.

    Raises:
        UnknownVersion: no such version. NotFound: the folder is not that of a version.
        BadOptions: it is in smaller numbers already. Damaged: the file is not the one of its manifest.
    """
    from malaria import graphfile
    from malaria import memory as memories
    from malaria.digests import sha256
    from malaria.training.edge import Original

    if chosen is not None and Path(chosen).is_dir():
        info, files = _in_folder(Path(chosen))
    else:
        built = services(ctx)
        info = built.at_hand.version(chosen or built.served.model.info.version)
        files = {name: built.at_hand.file(info, name) for name in ("model.tflite", "memory.npz")}
    file, memory = files["model.tflite"], files["memory.npz"]
    if file is None:
        raise NotFound(f"Version {info.version} has no model.tflite to export.")
    if sha256(file) != info.digest:
        raise Damaged(f"{file} is not the file that its manifest.json names: its SHA-256 differs.")
    content = file.read_bytes()
    if not graphfile.in_float32(content):
        raise BadOptions(
            f"Version {info.version} is not in float32 any more. Export the version from which it was made, "
            f"{info.lineage.get('parent')}."
        )
    if memory is None:
        raise NotFound(f"Version {info.version} has no memory.npz, which tells the roles of its patients.")
    return Original(info, content, memories.load(memory)), file


def _in_folder(folder: Path) -> tuple[ModelVersion, dict[str, Path | None]]:
    from malaria import codec

    try:
        info = codec.version_from_json(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise NotFound(
            f"{folder} is no folder of a version: its manifest.json cannot be read ({error})."
        ) from None
    paths = {name: folder / name for name in ("model.tflite", "memory.npz")}
    return info, {name: path if path.is_file() else None for name, path in paths.items()}


def _sources(
    built: "Services", original: "Original", data: Sequence[Path], fields: Mapping[str, Path]
) -> list["Source"]:
    """Where the cells of the version's memory are: the data that are named, else stored base images; fields;
    and the uploads that it was adapted to."""
    from malaria.domain import Role
    from malaria.training.dataset import Layout, Source, Stored
    from malaria.training.laboratories import Laboratory

    memory = original.memory
    known = {p: Role(r) for p, r in zip(memory.patients.tolist(), memory.roles.tolist(), strict=True)}
    for path in data:
        if not path.exists():
            raise NotFound(f"There is no file or folder {path}.")
    found: list[Source] = [Layout(path, known) for path in data]
    found += [Laboratory(path, name, known) for name, path in fields.items()]
    learnt = set(memory.origins.tolist())
    shards = built.shards
    found += [
        Stored(shards, shard)
        for shard in shards.list()
        if shard.sha256 in learnt or (shard.base and not _named(shard, data, fields))
    ]
    if not found:
        raise BadOptions(
            "Name the data that the version was trained on (--data); no base images are stored here."
        )
    return found


def _named(shard: "Shard", data: Sequence[Path], fields: Mapping[str, Path]) -> bool:
    """Whether a person named what stands in for a base shard: data, or fields of its laboratory."""
    laboratory = shard.kind.partition(":")[2]
    return laboratory in fields if laboratory else bool(data)


def _story(data: Sequence[Path], fields: Mapping[str, Path], sources: Sequence["Source"]) -> dict[str, Any]:
    """How a person asked, and what was read: files by SHA-256, and stored uploads and base images."""
    from malaria.digests import sha256
    from malaria.training.dataset import Stored

    return {
        "command": as_asked(sys.argv[1:]),
        "data": {path.name: sha256(path) for path in data},
        "laboratories": {name: sha256(path) for name, path in fields.items()},
        "datasets": [source.shard.sha256 for source in sources if isinstance(source, Stored)],
    }


def _lay_out(folder: Path, one: "Export") -> Path:
    """Write an export as the folder of a version, over what stood there; its manifest last."""
    from malaria import codec, whole

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.npz").unlink(missing_ok=True)
    with whole.file(folder / "model.tflite") as partial:
        partial.write_bytes(one.content)
    if one.memory is not None:
        one.memory.save(folder / "memory.npz")
    whole.write_text(folder / "manifest.json", json.dumps(codec.to_json(one.info), indent=1) + "\n")
    return folder


def _timed(file: Path, folders: Mapping[Precision, Path]) -> dict[str, Any]:
    """What one cell costs by the original and by each export, side by side."""
    from malaria.tours.latency import latencies

    names = ["float32", *(precision.value for precision in folders)]
    files = [file, *(folder / "model.tflite" for folder in folders.values())]
    return dict(zip(names, latencies(files, RUNS), strict=True))


def _told(one: "Export", ratio: float) -> dict[str, Any]:
    from malaria import codec

    lineage = one.info.lineage
    return {
        "version": one.info.version,
        "digest": one.info.digest,
        "bytes": one.info.size_bytes,
        "time_ratio": ratio,
        "unservable": lineage["unservable"],
        "calibration": lineage.get("calibration"),
        "remembers": len(one.memory) if one.memory is not None else 0,
        "parity": {name: codec.to_json(seen) for name, seen in one.parity.items()},
    }


def _report(
    folder: Path,
    of: ModelVersion,
    story: Mapping[str, Any],
    seed: int,
    told: Mapping[str, Any],
    tables: Sequence["Table"],
) -> None:
    from malaria import report
    from malaria.report import Made

    now = datetime.now(UTC).replace(microsecond=0)
    files = {**story["data"], **story["laboratories"]}
    made = Made(story["command"], files, seed, now, of.version, of.digest)
    report.write(folder, f"Exports of {of.version}", made, {"exports": told}, tables, None)
    output.note(f"report: {folder / 'report.md'}")


def _publish(ctx: typer.Context, one: "Export", folder: Path) -> None:
    """Keep an export in the store, with what it was made from.

    Raises Conflict where its parity breaks the bound, or where it has no memory, without which it could be
    served but never retrained.
    """
    from malaria import shipped

    info, built = one.info, services(ctx)
    if one.memory is None and not info.lineage["unservable"]:
        raise Conflict(
            f"{folder} is not kept: some cells of the feature memory of {info.lineage['parent']} are not "
            "among the data, so this file's own cannot be made, and without one it could not be retrained. "
            "Name all that the version was trained and gated on (--data, --laboratory)."
        )
    with contextlib.suppress(UnknownVersion):
        shipped.publish(built.registry, shipped.folder(state(ctx).settings().shipped), info.lineage["parent"])
    names = [name for name in ("model.tflite", "memory.npz") if (folder / name).is_file()]
    built.registry.publish(info, {name: folder / name for name in names})
    output.note(f"`malaria models promote {info.version} --reason ...` serves it in {one.precision}.")
