"""The table of `malaria ablate`."""

from pathlib import Path

import numpy as np

from malaria.cli.ablate import table
from malaria.metrics import Metrics, metrics
from malaria.tours.latency import Latency

LABELS = np.array([1, 0] * 4, np.uint8)
PATIENTS = np.array(list("aabbccdd"))


def _measured(labels: np.ndarray, right: float) -> Metrics:
    return metrics(labels, np.where(labels == 1, right, 1 - right), PATIENTS, 0.5, bootstrap=20)


def test_variants_stand_below_each_other_with_the_figure_that_tells() -> None:
    sets = {"patients": _measured(LABELS, 0.9), "chula": _measured(0 * LABELS, 0.9)}
    lines = table("travel", "malaria ablate travel.toml", {"plain": sets, "more": sets}).splitlines()
    assert "    malaria ablate travel.toml" in lines
    rows = [line for line in lines if line.startswith("|")]
    assert rows[0] == "| variant | patients | chula |"
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| plain", "| more"]
    assert "1.0000 (1.000 to 1.000); 1.000, 1.000" in rows[2], "AUC, its interval, sensitivity, specificity"
    assert "; " not in rows[2].split(" | ")[2], "one class: specificity alone"


def test_size_and_time_of_the_files_stand_beside_the_figures() -> None:
    sets = {"patients": _measured(LABELS, 0.9)}
    taken = {
        "plain": Latency(Path("a.tflite"), 9_876_543, 128, 0.010, 1.0),
        "small": Latency(Path("b.tflite"), 870_000, 64, 0.002, 0.2),
    }
    text = table("sizes", "malaria ablate sizes.toml --files", dict.fromkeys(taken, sets), taken)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[0].endswith("| MB | time |")
    assert rows[2].endswith("| 9.88 | 1.00 |")
    assert rows[3].endswith("| 0.87 | 0.20 |")
