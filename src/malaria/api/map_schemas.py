"""The feature map of a version, as it is told over HTTP."""

from pydantic import BaseModel, ConfigDict, Field

from malaria.api.examples import shown
from malaria.domain import CLASSES
from malaria.feature_map import FeatureMap
from malaria.memory import BASE


class Patient(BaseModel):
    """Cells of one patient, or of one field where patients are not known. Nobody is named."""

    parasitized: int
    uninfected: int


class LearntThere(BaseModel):
    """Train cells of one laboratory."""

    laboratory: str = Field(description="`base`: the cells of the project; else a laboratory or an upload.")
    parasitized: int
    uninfected: int
    patients: list[Patient] = Field(description="Those with most cells first.")


class Point(BaseModel):
    """A remembered cell on the map."""

    x: float
    y: float
    label: str = Field(description="What it was learnt as.")
    laboratory: str


class MapAnswer(BaseModel):
    """What a version remembers of what it learnt from, in the two directions in which cells differ most."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "version": "20261125-05ce9190",
                "explained": [0.42, 0.17],
                "points": [{"x": 1.2, "y": -0.3, "label": "Parasitized", "laboratory": "base"}],
                "learnt": [
                    {
                        "laboratory": "base",
                        "parasitized": 210,
                        "uninfected": 180,
                        "patients": [{"parasitized": 210, "uninfected": 180}],
                    }
                ],
            }
        )
    )

    version: str
    explained: list[float] = Field(
        min_length=2, max_length=2, description="Share of the spread along each axis, 0 to 1."
    )
    points: list[Point] = Field(description="Some of the remembered train cells, evenly among them.")
    learnt: list[LearntThere]


def map_answer(version: str, made: FeatureMap) -> MapAnswer:
    places = zip(made.points.tolist(), made.labels.tolist(), made.laboratories.tolist(), strict=True)
    return MapAnswer(
        version=version,
        explained=list(made.explained),
        points=[
            Point(x=round(x, 4), y=round(y, 4), label=CLASSES[label], laboratory=_plain(laboratory))
            for (x, y), label, laboratory in places
        ],
        learnt=[
            LearntThere(
                laboratory=_plain(one.laboratory),
                parasitized=int(one.by_patient[:, 1].sum()),
                uninfected=int(one.by_patient[:, 0].sum()),
                patients=[Patient(parasitized=int(p), uninfected=int(u)) for u, p in one.by_patient],
            )
            for one in made.learnt
        ],
    )


def _plain(origin: str) -> str:
    return origin.removeprefix(f"{BASE}:")
