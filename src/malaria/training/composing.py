"""Make many pictures at once, with progress."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from malaria.domain import Progress
from malaria.ports import Report
from malaria.preprocess import Pixels


def each(
    one: Callable[[int, Pixels], Pixels], pixels: npt.NDArray[np.uint8], name: str, report: Report
) -> Pixels:
    """What `one` makes of each picture, (n, s, s, 3), given its number and its pixels."""
    made, n = np.empty(pixels.shape, np.uint8), len(pixels)
    with ThreadPoolExecutor() as pool:
        for i, picture in enumerate(pool.map(one, range(n), pixels)):
            made[i] = picture
            if i % 256 == 0:
                report(Progress("compose", percent=100.0 * i / n, message=f"{name}: {i} of {n} cells"))
    return made
