"""The table of `malaria ablate`."""

from pathlib import Path

import numpy as np

from malaria.cli.ablate import of_all_sittings, table
from malaria.metrics import Metrics, metrics
from malaria.tours.latency import Latency

LABELS = np.array([1, 0] * 60, np.uint8)
PATIENTS = np.repeat(np.arange(12), 10).astype(np.str_)


def _measured(labels: np.ndarray) -> Metrics:
    probabilities = np.clip(labels * 0.4 + np.random.default_rng(1).random(120) * 0.6, 0, 1)
    return metrics(labels, probabilities, PATIENTS, 0.5, bootstrap=50)


def test_the_command_is_that_of_the_whole_table() -> None:
    last = [
        "ablate",
        "sizes.toml",
        "--only",
        "width 1, 224 pixels",
        "--files",
        "--only=width 1",
        "--out",
        "o",
    ]
    assert of_all_sittings(last) == ["ablate", "sizes.toml", "--files", "--out", "o"]


def test_variants_stand_below_each_other_with_the_figure_that_tells() -> None:
    sets = {"patients": _measured(LABELS), "chula": _measured(0 * LABELS)}
    lines = table("travel", "malaria ablate travel.toml", {"plain": sets, "more": sets}).splitlines()
    assert "    malaria ablate travel.toml" in lines
    rows = [line for line in lines if line.startswith("|")]
    assert rows[0] == "| variant | patients | chula |"
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| plain", "| more"]
    both, one = rows[2].split(" | ")[1:]
    found = sets["patients"]
    assert found.auc is not None
    low, high = found.intervals["auc"]
    assert both == (
        f"{found.auc:.4f} ({low:.3f} to {high:.3f}); {found.sensitivity:.3f}, {found.specificity:.3f}"
    )
    assert one.startswith(f"{sets['chula'].specificity:.4f} ("), "of one class: its specificity alone"
    assert ";" not in one


def test_size_and_time_of_the_files_stand_beside_the_figures() -> None:
    sets = {"patients": _measured(LABELS)}
    taken = {
        "plain": Latency(Path("a.tflite"), 9_876_543, 128, 0.010, 1.0),
        "small": Latency(Path("b.tflite"), 870_000, 64, 0.002, 0.2),
    }
    text = table("sizes", "malaria ablate sizes.toml --files", dict.fromkeys(taken, sets), taken)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[0].endswith("| MB | time |")
    assert rows[2].endswith("| 9.88 | 1.00 |")
    assert rows[3].endswith("| 0.87 | 0.20 |")


def test_a_panel_that_came_later_is_told_where_it_was_measured() -> None:
    earlier = {"patients": _measured(LABELS)}
    later = {**earlier, "a green square": _measured(LABELS)}
    lines = table("sharp", "malaria ablate sharp.toml", {"before": earlier, "after": later}).splitlines()
    names, _, before, after = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    assert names == ["variant", "patients", "a green square"]
    assert before[2] == "-" and after[2] == after[1]
