"""What the commands share: the system they work on, models by name or by file, and who is asking."""

import contextlib
import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.domain import ModelVersion, Role
from malaria.errors import BadOptions, UnknownVersion

if TYPE_CHECKING:
    from malaria.predict import Model
    from malaria.services import Services
    from malaria.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Who does it, for the record. Default: your user name.")
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(help="Probability from which a cell is called Parasitized. Default: the model's own."),
]
SuspectsOption = Annotated[
    Path | None,
    typer.Option(help="CSV (original_label,cell,patient) of doubted labels: figures with and without."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A version (see `malaria models list`), a network that ships, or a .tflite file. "
        "Default: the served one.",
    ),
]


LOCAL = "local"


@dataclass
class State:
    """The options that stand before every command."""

    home: Path | None = None
    debug: bool = False
    target: str | None = None

    def settings(self, **chosen: Any) -> "Settings":
        """Settings from the environment, save what the command line chose. Raises BadOptions."""
        from pydantic import ValidationError

        from malaria.settings import Settings

        if self.home is not None:
            chosen.setdefault("home", self.home)
        try:
            return Settings(**{name: value for name, value in chosen.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]).upper()
            raise BadOptions(f"The setting MALARIA_{name} is wrong: {first['msg']}.") from None

    def deployment(self) -> str:
        """The deployment on AWS that is meant. Raises BadOptions where it is this machine."""
        if self.target is None or self.target == LOCAL:
            raise BadOptions("This is about a deployment on AWS. Name it: `malaria --target lab-3 ...`.")
        return self.target

    def need_local(self, what: str) -> None:
        """Raises BadOptions where a deployment on AWS is meant. what: says why it cannot be."""
        if self.target is not None and self.target != LOCAL:
            raise BadOptions(f"{what} Leave out --target {self.target} for this machine's own.")

    def services(self, **chosen: Any) -> "Services":
        settings = self.settings(**chosen)
        from malaria import wiring

        if self.target and self.target != LOCAL:
            return wiring.deployment(self.target, settings)
        if self.target is None and wiring.deployed():
            return wiring.aws(settings)
        return wiring.local(settings.home, settings)


def state(ctx: typer.Context) -> State:
    """The options before the command."""
    found = ctx.find_object(State)
    assert found is not None, "the root command puts it there"
    return found


def services(ctx: typer.Context) -> "Services":
    return state(ctx).services()


def actor(chosen: str | None) -> str:
    """Who is asking: as they say, else the user name."""
    if chosen and chosen.strip():
        return chosen.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have no user database
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def load_model(ctx: typer.Context, chosen: str | None) -> "Model":
    """The served model, a version that is kept or ships, the shipped one of a network, or a .tflite file
    with the manifest.json beside it, if any.

    Raises:
        UnknownVersion: neither a version nor a file. ModelUnusable: it cannot be run.
    """
    from malaria.predict import Model, load_version

    if chosen is not None and Path(chosen).is_file():
        path = Path(chosen)
        with quiet():
            return Model.load(path, _described(path))
    built = services(ctx)
    with quiet():
        if chosen is None:
            return built.served.model
        try:
            return load_version(built.registry, chosen, built.home / "cache")
        except UnknownVersion:
            return _shipped_model(built, chosen)


def _shipped_model(built: "Services", chosen: str) -> "Model":
    """A shipped version, by its name or its network's, read where it lies. Raises UnknownVersion."""
    from malaria import shipped
    from malaria.predict import Model

    models = shipped.folder(built.settings.shipped)
    for info in shipped.versions(models):
        if chosen in (info.version, info.network):
            return Model.load(models / info.version / "model.tflite", info)
    raise UnknownVersion(
        f"{chosen} is neither a model version nor a file. `malaria models list` names the versions."
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the interpreter's C++ side from greeting on stderr when it starts."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _described(path: Path) -> ModelVersion:
    from malaria import codec

    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    manifest = path.with_name("manifest.json")
    if manifest.is_file():
        try:
            info = codec.version_from_json(json.loads(manifest.read_text()))
        except ValueError as error:
            raise BadOptions(f"{manifest} cannot be read: {error}") from error
        if info.digest == digest:
            return info
    from malaria.predict import input_size

    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return ModelVersion(path.name, digest, "unknown", input_size(content), made, len(content))


def base_roles(settings: "Settings") -> Mapping[str, Role]:
    """The roles of the base patients, as shipped with the model; none where there is no list."""
    from malaria import roles, wiring

    listed = wiring.shipped_models(settings) / "roles.json"
    return roles.load(listed) if listed.is_file() else {}
