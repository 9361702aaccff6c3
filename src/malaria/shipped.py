"""The models that ship with the project, one for each network: found, published, promoted where asked for.

`shipped.json` names them: {"version": "what a newcomer is served", "networks": {"compact_cnn": "...", ...}}.
A newcomer's first start keeps the default alone; another is published when somebody asks for it. "before" may
list versions that shipped before and stay, since what ships learnt from them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from malaria import codec, whole
from malaria.domain import ModelVersion, Promotion
from malaria.errors import BadOptions, Conflict, ModelUnusable, UnknownVersion
from malaria.options import NETWORKS
from malaria.promote import ROLLBACK, Registry

FILES = ("model.tflite", "memory.npz", "network.keras", "evaluations.json")
"""Of a version, beside its manifest; the last may be missing."""
LISTING = "shipped.json"


@dataclass(frozen=True)
class Listing:
    """default: the version that a newcomer is served. networks: the version of each network that ships.
    before: versions that shipped before, which one that ships was taught by; they can be served, too."""

    default: str
    networks: Mapping[str, str]
    before: tuple[str, ...] = ()


def folder(chosen: Path | None = None) -> Path:
    """Where the shipped models lie: as chosen, else in the package, else in the checkout."""
    if chosen is not None:
        return chosen
    packaged = Path(str(resources.files("malaria"))) / "_shipped"
    return packaged if packaged.exists() else Path(__file__).parents[2] / "models"


def listing(models: Path) -> Listing:
    """What ships. Raises ModelUnusable where nothing does."""
    try:
        told = json.loads((models / LISTING).read_text())
        networks = told.get("networks") or {_manifest(models, told["version"]).network: told["version"]}
        named = {str(n): str(v) for n, v in networks.items()}
        return Listing(str(told["version"]), named, tuple(map(str, told.get("before", ()))))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelUnusable(f"No shipped model under {models}: {error}") from error


def record(models: Path, info: ModelVersion) -> None:
    """List a version, whose files lie in `models`, as the one that ships of its network.

    It becomes the default where there is none yet, or where the default is of the same network.
    """
    listed = listing(models) if (models / LISTING).exists() else Listing(info.version, {})
    replaced = listed.default == listed.networks.get(info.network)
    default = info.version if replaced else listed.default
    _write(models, replace(listed, default=default, networks={**listed.networks, info.network: info.version}))


def make_default(models: Path, chosen: str) -> ModelVersion:
    """Serve newcomers this shipped version, or that of this network; returns it. Raises as `find` does."""
    info = find(models, chosen)
    _write(models, replace(listing(models), default=info.version))
    return info


def find(models: Path, chosen: str) -> ModelVersion:
    """The shipped version of this name, or of this network. Raises UnknownVersion, and ModelUnusable."""
    shipping = versions(models)
    for info in shipping:
        if chosen in (info.version, info.network):
            return info
    names = ", ".join(f"{info.version} ({info.network})" for info in shipping)
    raise UnknownVersion(f"No {chosen} ships under {models}; there is {names}.")


def read_shipped(models: Path, network: str | None = None) -> tuple[ModelVersion, Path]:
    """The shipped version of a network, or the default, and the folder of its files.

    Raises:
        BadOptions: no such network, or none of it ships. ModelUnusable: the files are not there.
    """
    listed = listing(models)
    if network is not None and network not in listed.networks:
        _check_name(network)
        raise BadOptions(f"No {network} ships with this project; there is {', '.join(listed.networks)}.")
    version = listed.default if network is None else listed.networks[network]
    return _read(models, version), models / version


def _read(models: Path, version: str) -> ModelVersion:
    try:
        return _manifest(models, version)
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"No shipped model under {models}: {error}") from error


def versions(models: Path) -> list[ModelVersion]:
    """Every version that ships, the default first, and last those that shipped before and stay. Raises
    ModelUnusable."""
    return [*current(models), *(_read(models, name) for name in listing(models).before)]


def current(models: Path) -> list[ModelVersion]:
    """The version that ships of each network, the default first. Raises ModelUnusable."""
    listed = listing(models)
    names = [listed.default, *(listed.networks[network] for network in sorted(listed.networks))]
    return [_read(models, name) for name in dict.fromkeys(names)]


def publish(registry: Registry, models: Path, version: str) -> ModelVersion:
    """Keep a shipped version in the store. Raises UnknownVersion where it is none that ships."""
    for info in versions(models):
        if info.version == version:
            files = models / version
            registry.publish(info, {name: files / name for name in FILES if (files / name).exists()})
            return info
    raise UnknownVersion(f"There is no model version {version}. `malaria models list` names those there are.")


def install_shipped(registry: Registry, models: Path, network: str | None = None) -> None:
    """Publish the default; promote it, or the one of `network`, only where nothing was ever promoted.

    So an upgrade of the project never replaces a model that a laboratory has adapted: a person promotes it.
    """
    publish(registry, models, listing(models).default)
    if registry.newest() is None:
        info = publish(registry, models, read_shipped(models, network)[0].version)
        try:
            registry.promote(
                info.version, verdict="shipped", actor="malaria", reason="shipped with the project"
            )
        except Conflict:
            if registry.newest() is None:  # else another process won the race, which is as good
                raise


def choose_network(registry: Registry, models: Path, network: str, actor: str) -> Promotion | None:
    """Serve this network from now on: what was last served of it here, else the one that ships.

    Appends an entry to the log and returns it; None where the network is served already.

    Raises:
        BadOptions: no such network, or none of it was served here or ships.
        Conflict: another promotion came first.
    """
    _check_name(network)
    history = registry.history()
    if history and _network_of(registry, history[0]) == network:
        return None
    version = _last_served(registry, history, network)
    if version is None:
        version = publish(registry, models, read_shipped(models, network)[0].version).version
    after = history[0].number if history else 0
    reason = f"the network {network} was asked for"
    try:
        return registry.promote(version, verdict="manual", actor=actor, reason=reason, after=after)
    except Conflict:
        newest = registry.newest()
        if newest is None or _network_of(registry, newest) != network:
            raise
        return None  # another process asked for the same and was first


def _last_served(registry: Registry, history: list[Promotion], network: str) -> str | None:
    """The version of this network that was served last, passing over what a rollback left."""
    left: set[str] = set()
    after: Promotion | None = None
    for entry in history:
        if after is not None and after.verdict == ROLLBACK:
            left.add(entry.version)
        if entry.version not in left and _network_of(registry, entry) == network:
            return entry.version
        after = entry
    return None


def _network_of(registry: Registry, entry: Promotion) -> str | None:
    """The network of the version that an entry names; None where the version is no longer kept."""
    try:
        return registry.version(entry.version).network
    except UnknownVersion:
        return None


def _check_name(network: str) -> None:
    if network not in NETWORKS:
        raise BadOptions(f"The network must be one of {', '.join(NETWORKS)}; it is {network[:50]!r}.")


def _manifest(models: Path, version: Any) -> ModelVersion:
    return codec.version_from_json(json.loads((models / str(version) / "manifest.json").read_text()))


def _write(models: Path, listed: Listing) -> None:
    told = {"version": listed.default, "networks": dict(sorted(listed.networks.items()))}
    told |= {"before": list(listed.before)} if listed.before else {}
    whole.write_text(models / LISTING, json.dumps(told, indent=1) + "\n")
