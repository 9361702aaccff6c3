"""A model card: what a model is, what it is for, how it was made, how good it is, and where its limits are.

Made from a version's manifest, its feature memory and its evaluations, and from nothing else: a number that
is not there is said to be missing. After Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from malaria import card_figures, card_limits, card_story, card_training
from malaria.card_evidence import Evidence
from malaria.card_text import Section

FILE = "card.md"
"""Beside the manifest of a version that ships."""
MADE = (
    "Made by `malaria card` from the version's manifest, its feature memory and its evaluations; "
    "never edited by hand."
)


@dataclass(frozen=True)
class Card:
    version: str
    digest: str
    network: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        return f"Model card: {self.network}, version {self.version}"


def card(of: Evidence) -> Card:
    """The same evidence gives the same card. Raises Damaged where the manifest's figures cannot be read."""
    sections = (
        card_story.what(of),
        card_story.use(of),
        card_limits.limits(of),
        card_figures.figures(of),
        card_training.verdict(of),
        card_figures.laboratories(of),
        card_figures.operating_point(of),
        card_figures.calibration(of),
        card_figures.robustness(of),
        card_figures.doubted(of),
        card_story.data(of),
        card_training.training(of),
        card_training.provenance(of),
        card_training.repeat(of),
    )
    info = of.info
    return Card(info.version, info.digest, info.network, tuple(s for s in sections if s is not None))


def markdown(of: Card) -> str:
    parts = [f"# {of.title}", MADE]
    for section in of.sections:
        parts += [f"## {section.title}", section.text]
    return "\n\n".join(parts) + "\n"


def as_json(of: Card) -> Mapping[str, Any]:
    """The card for programs: each section's text, Markdown, and the numbers that it tells."""
    return {
        "version": of.version,
        "digest": of.digest,
        "network": of.network,
        "title": of.title,
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "measured": section.measured,
                "text": section.text,
                "values": dict(section.values),
            }
            for section in of.sections
        ],
    }
