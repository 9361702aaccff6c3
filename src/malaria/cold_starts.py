"""Tells which call was the first of its instance."""

from malaria.metric_names import COLD_STARTS
from malaria.ports import Meter


class ColdStarts:
    """Of one instance of a function, which answers one call at a time. Zeros are told, too: without them
    nobody could see which share of the calls they are."""

    def __init__(self, meter: Meter) -> None:
        self._meter, self._value = meter, 1.0

    def tell(self) -> None:
        self._meter.tell({COLD_STARTS: self._value})
        self._value = 0.0
