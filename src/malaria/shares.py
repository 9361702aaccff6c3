"""The share of cells of which something is so, told with its interval."""

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Groups
from malaria.evaluation import Rate
from malaria.metrics import metrics


def share(hits: npt.NDArray[np.bool_], groups: Groups, draws: int, seed: int) -> Rate:
    """The share of hits among n cells, told like a sensitivity: with an interval even at 0 and 1."""
    of = metrics(
        np.ones(len(hits), np.int8), hits.astype(np.float64), groups, 0.5, bootstrap=draws, seed=seed
    )
    assert of.sensitivity is not None
    return Rate(of.sensitivity, of.intervals.get("sensitivity"))
