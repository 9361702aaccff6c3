"""The words of an evaluation: what a model's figures on labelled cells are told as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from malaria.metrics import Metrics
from malaria.paired import Drop
from malaria.scoring import Unreadable


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of cells, 0 to 1, or a mean over them, with its 95% interval over patients or fields (else
    None)."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class OfKind:
    """One kind of cell in a set of fields. groups: the fields that hold it.

    figure: what the rates are: sensitivity, specificity, or the share "called_parasitized" of what is no red
    cell, whose label is "". rates: by view, "raw" and "masked".
    """

    kind: str
    label: str
    cells: int
    groups: int
    figure: str
    rates: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What a disturbance of the fixed suite costs, in points; None where the cells cannot say."""

    kind: str
    severity: int
    setting: str
    drops: Mapping[str, Drop | None]


@dataclass(frozen=True, slots=True)
class Stained:
    """Figures of the same cells under another stain, and what that costs against their own, in points."""

    stain: str
    metrics: Metrics
    drops: Mapping[str, Drop | None]


@dataclass(frozen=True, slots=True)
class HiddenTenth:
    """What hiding a tenth of each cell does to its answer. cells: which they are; count: how many, of so many
    groups.

    tenth: "hottest tenth", as the activation map has it, "random tenth", or the one's "difference" from the
    other. probability, logit: mean drop of P(parasitized) and of its logit. flipped: share of cells that are
    no longer called parasitized.
    """

    cells: str
    count: int
    groups: int
    tenth: str
    probability: Rate
    logit: Rate
    flipped: Rate


@dataclass(frozen=True, slots=True)
class OfParasites:
    """Synthetic cells with parasites of one form, or "all". called: how many of the cells are called
    parasitized, of so many made patients.

    hits: share of these whose hottest place lies on a parasite. chance: share expected of a random place in
    the cell. right, down: how far beside the nearest parasite it lies in the mean, in grid cells, negative to
    the left and above: so far off is the map as a whole. None where no cell is called so.
    """

    form: str
    cells: int
    called: int
    groups: int
    hits: Rate | None = None
    chance: Rate | None = None
    right: Rate | None = None
    down: Rate | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether the activation map shows what decides."""

    hidden: tuple[HiddenTenth, ...]
    pointing: tuple[OfParasites, ...]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the model leaves to a person. sent: the share of the cells whose answer asks for a look: those
    with low < P(parasitized) < high, and those that may be no good cell. refused: the share that gets no
    answer; None where the model answers all.

    others: figures of the cells that are answered and not sent; None where there are none. wrong: the share
    of wrong answers among them.
    """

    low: float
    high: float
    sent: Rate
    wrong: Rate | None
    others: Metrics | None
    refused: Rate | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's figures on a labelled ZIP or folder.

    metrics: of all cells with their own labels (of fields: raw crops). suspects: the same of cells that are
    "not_listed" and "listed" as doubtful; None where there are none. masked: of fields' cells on black.
    kinds: red cells of fields by kind; not_cells: what else has a box. fields: how many; 0 for class folders.
    corruptions: what disturbances cost against the cells as they are. stains: the same cells under simulated
    stains. explained: what was asked of the map.
    reviewed: what is sent to a person (of fields: of raw crops); None where the model has no review band.
    patients: known ones; unknown_patients: cells whose patient is not known. by_role: cells and patients
    (or fields) by the role they have ("none" where they have none). warning: why the figures may flatter,
    or "". seconds: wall time of it all.
    """

    version: str
    digest: str
    source: str
    metrics: Metrics
    patients: int
    unknown_patients: int
    unreadable: tuple[Unreadable, ...] = ()
    by_role: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warning: str = ""
    seconds: float = 0.0
    suspects: Mapping[str, Metrics | None] = field(default_factory=dict)
    masked: Metrics | None = None
    kinds: tuple[OfKind, ...] = ()
    not_cells: tuple[OfKind, ...] = ()
    fields: int = 0
    corruptions: tuple[Disturbed, ...] = ()
    stains: tuple[Stained, ...] = ()
    explained: Explained | None = None
    reviewed: Reviewed | None = None
