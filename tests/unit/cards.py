"""What the tests of the model card share: what ships, and a version of which nothing is known."""

from datetime import UTC, datetime
from pathlib import Path

from malaria import (
    card_evidence,
    looks,
    shipped,
)
from malaria.at_hand import AtHand
from malaria.card import Card
from malaria.card_evidence import Evidence
from malaria.domain import ModelVersion

ROOT = Path(__file__).parents[2]
MODELS, RESULTS = ROOT / "models", ROOT / "docs" / "results"
SHIPS = AtHand(None, MODELS, MODELS)
NETWORKS = sorted(shipped.listing(MODELS).networks)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
MADE = "Made by `malaria card`"
BARE = ModelVersion("20260102-0a0a0a0a", "0a" * 32, "compact_cnn", 64, NOW, 870_000)


def section(of: Card, name: str) -> str:
    (found,) = [section.text for section in of.sections if section.name == name]
    return found


def of_shipped(network: str = NETWORKS[0]) -> Evidence:
    return card_evidence.gather(SHIPS, network, {}, [MODELS / looks.FILE])
