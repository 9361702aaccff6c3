"""What ships, of which network, and what becomes of it where somebody asks for one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from malaria import codec, shipped, wiring
from malaria.at_hand import AtHand
from malaria.domain import ModelVersion
from malaria.errors import BadOptions, ModelUnusable, UnknownVersion
from malaria.options import NETWORKS
from malaria.services import Services
from malaria.settings import Settings

TwoNetworks = tuple[Path, ModelVersion]


@pytest.fixture
def system(home: Path, two_networks: TwoNetworks) -> Services:
    return wiring.local(home, Settings(home=home, shipped=two_networks[0]))


def served(services: Services) -> str:
    newest = services.registry.newest()
    assert newest is not None
    return newest.version


def choose(services: Services, network: str) -> int | None:
    """Ask for a network; the number of the entry that this appended."""
    entry = shipped.choose_network(services.registry, services.settings.shipped or Path(), network, "Ada")
    return None if entry is None else entry.number


def test_the_first_start_keeps_the_default_alone(system: Services, shipped_info: ModelVersion) -> None:
    assert [info.version for info in system.registry.versions()] == [shipped_info.version]
    assert served(system) == shipped_info.version


def test_a_newcomer_may_begin_with_another_network(home: Path, two_networks: TwoNetworks) -> None:
    models, other = two_networks
    services = wiring.local(home, Settings(home=home, shipped=models, network=other.network))
    (entry,) = services.registry.history()
    assert (entry.version, entry.verdict) == (other.version, "shipped")


def test_asking_for_a_network_serves_it_once(system: Services, two_networks: TwoNetworks) -> None:
    other = two_networks[1]
    assert choose(system, other.network) == 2
    assert served(system) == other.version
    entry = system.registry.newest()
    assert entry is not None
    assert (entry.actor, entry.reason) == ("Ada", f"the network {other.network} was asked for")
    assert choose(system, other.network) is None, "it is served already"
    again = wiring.local(system.home, replace_settings(system, network=other.network))
    assert len(again.registry.history()) == 2, "a start without being asked changes nothing"


def replace_settings(services: Services, **changed: object) -> Settings:
    return services.settings.model_copy(update=changed)


def test_what_a_laboratory_adapted_comes_back_not_the_shipped_one(
    system: Services, two_networks: TwoNetworks, shipped_info: ModelVersion
) -> None:
    adapted = publish_again(system, shipped_info, "20990102-adapted")
    system.registry.promote(adapted, verdict="accepted", actor="Ada", reason="better here")
    assert choose(system, shipped_info.network) is None, "the adapted one is of that network"
    assert choose(system, two_networks[1].network) == 3
    assert choose(system, shipped_info.network) == 4
    assert served(system) == adapted


def test_what_was_rolled_back_does_not_come_back(
    system: Services, two_networks: TwoNetworks, shipped_info: ModelVersion
) -> None:
    other = two_networks[1]
    assert choose(system, other.network) == 2
    bad = publish_again(system, other, "20990103-bad")
    system.registry.promote(bad, verdict="manual", actor="Ada", reason="a mistake")
    system.registry.rollback(actor="Ada", reason="it was", to=shipped_info.version)
    assert choose(system, other.network) == 5
    assert served(system) == other.version


def publish_again(services: Services, info: ModelVersion, version: str) -> str:
    """The same weights as another version of the same network."""
    file = services.registry.fetch(info.version, "model.tflite", services.home / "cache" / version)
    services.registry.publish(replace(info, version=version), {"model.tflite": file})
    return version


def test_a_network_that_does_not_ship_or_is_not_known_is_told(system: Services) -> None:
    ships = shipped.listing(system.settings.shipped or Path()).networks
    missing = next(name for name in NETWORKS if name not in ships)
    with pytest.raises(BadOptions, match=f"No {missing} ships with this project; there is {min(ships)}"):
        choose(system, missing)
    with pytest.raises(BadOptions, match="must be one of mobilenet_v2, compact_cnn, ensemble"):
        choose(system, "resnet")
    with pytest.raises(UnknownVersion):
        shipped.publish(system.registry, system.settings.shipped or Path(), "20990101-nothing")
    assert len(system.registry.history()) == 1


def test_recording_a_version_replaces_its_network_only(
    two_networks: TwoNetworks, shipped_info: ModelVersion
) -> None:
    models, other = two_networks
    assert shipped.listing(models).default == shipped_info.version
    newer = replace(other, version="20990104-newer")
    write(models, newer)
    assert shipped.read_shipped(models, other.network)[0] == newer
    assert shipped.read_shipped(models)[0].version == shipped_info.version
    shipped.make_default(models, other.network)
    newest = replace(other, version="20990105-newest")
    write(models, newest)
    assert shipped.read_shipped(models)[0] == newest, "the default follows its network"
    assert [info.version for info in shipped.versions(models)] == [newest.version, shipped_info.version]


def test_what_shipped_before_stays_at_hand_and_is_of_no_network(
    two_networks: TwoNetworks, shipped_info: ModelVersion
) -> None:
    """A network that ships may have learnt from its answers, and is not repeated without it."""
    models, other = two_networks
    newer = replace(shipped_info, version="20990104-newer")
    write(models, newer)
    told = json.loads((models / shipped.LISTING).read_text())
    (models / shipped.LISTING).write_text(json.dumps({**told, "before": [shipped_info.version]}))
    newest = replace(other, version="20990105-newest")
    write(models, newest)
    assert [info.version for info in shipped.current(models)] == [newer.version, newest.version]
    names = [info.version for info in shipped.versions(models)]
    assert names == [newer.version, newest.version, shipped_info.version], "listing another kept it"
    assert shipped.find(models, shipped_info.version) == shipped_info
    assert shipped.find(models, shipped_info.network) == newer
    assert AtHand(None, models, models).file(shipped_info, "model.tflite") is not None


def write(models: Path, info: ModelVersion) -> None:
    (models / info.version).mkdir()
    (models / info.version / "manifest.json").write_text(json.dumps(codec.to_json(info)))
    shipped.record(models, info)


def test_the_default_is_what_a_person_names(two_networks: TwoNetworks, shipped_info: ModelVersion) -> None:
    models, other = two_networks
    networks = shipped.listing(models).networks
    assert shipped.make_default(models, other.version) == other
    assert shipped.read_shipped(models)[0] == other
    assert shipped.make_default(models, shipped_info.network) == shipped_info
    assert shipped.listing(models) == shipped.Listing(shipped_info.version, networks)
    with pytest.raises(UnknownVersion, match=f"there is {shipped_info.version} .*{other.version}"):
        shipped.make_default(models, "20990101-nothing")
    assert shipped.listing(models).default == shipped_info.version


def test_a_listing_of_one_version_is_read(two_networks: TwoNetworks, shipped_info: ModelVersion) -> None:
    models = two_networks[0]
    (models / "shipped.json").write_text(json.dumps({"version": shipped_info.version}))
    assert shipped.listing(models).networks == {shipped_info.network: shipped_info.version}
    assert [info.version for info in shipped.versions(models)] == [shipped_info.version]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"version": "20990101-gone"}', '{"networks": 3}'])
def test_a_folder_where_nothing_ships_is_told(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "shipped.json").write_text(text)
    with pytest.raises(ModelUnusable, match="No shipped model under"):
        shipped.read_shipped(tmp_path)
