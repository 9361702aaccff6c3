"""Red cells of other laboratories, cropped from fields, to learn from beside the base cells.

They are uninfected, so they teach what is not a parasite: odd shapes, overlaps, platelets, other stains. To
keep 'another stain' from meaning 'healthy', `mixture` puts parasites on them too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from malaria import fields
from malaria.domain import Role
from malaria.memory import BASE
from malaria.patients import draw
from malaria.training.dataset import Item, key_of

MARGIN = (-0.05, 0.35)
"""How much wider than its box a cell to train on is cropped, as a share: people crop tightly or loosely."""
NATIVE = {"chula": 48, "bccd": 100}
"""Pixels across a cell in the fields of a laboratory."""


@dataclass(frozen=True)
class Laboratory:
    """A set of fields, named as in `fields.SETS`, with the role of each of its fields ("set/field").

    Fields without a role are left out, as is what is no red cell. Cells of the role `train` are cropped a
    little wider or tighter, drawn by their place; others by their boxes.
    """

    path: Path
    name: str
    roles: Mapping[str, Role]

    @property
    def key(self) -> str:
        own = sorted((g, r) for g, r in self.roles.items() if g.startswith(f"{self.name}/"))
        return key_of(self.path, self.name, MARGIN, own)

    def groups(self) -> list[str]:
        """The names of all its fields, as roles know them."""
        return [f"{self.name}/{name}" for name in fields.names(self.path)]

    def read(self) -> Iterator[Item]:
        for field in fields.read(self.path, fields.meaning_of(self.name)):
            group = f"{self.name}/{field.name}"
            role = self.roles.get(group)
            if role is None:
                continue
            image = field.image()
            for number, box in enumerate(field.boxes):
                if box.kind.label is None:
                    continue
                name = f"{group}_cell_{number}"
                low, high = MARGIN if role == Role.TRAIN else (0.0, 0.0)
                crop = fields.crop(image, box.wider(low + (high - low) * draw(name, "margin")))
                yield Item(name, box.kind.label, group, role, f"{BASE}:{self.name}", crop)
