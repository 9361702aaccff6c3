"""The figures that the documents tell of what ships are those of the committed reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from malaria import shipped

ROOT = Path(__file__).parents[2]
README, EVALUATION = ((ROOT / name).read_text() for name in ("README.md", "docs/evaluation.md"))
NETWORKS = shipped.listing(ROOT / "models").networks


def report(network: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((ROOT / f"docs/results/{network}/{name}/report.json").read_text())
    return told


def figure(of: dict[str, Any], name: str) -> str:
    low, high = of["intervals"][name]
    return f"{of[name]:.3f} ({low:.3f} to {high:.3f})"


def row(first: str, text: str = README) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {first}"))
    return found


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_the_networks_side_by_side(network: str) -> None:
    told = row(f"`{network}`") if network != "ensemble" else row("`ensemble` of both")
    size = (ROOT / "models" / NETWORKS[network] / "model.tflite").stat().st_size / 1e6
    assert f"| {size:.1f} MB |" in told or f"| {size:.2f} MB |" in told
    gate, *others = (report(network, name) for name in ("gate", "chula", "bccd", "bbbc041"))
    figures = [figure(gate, "accuracy"), figure(gate, "auc")]
    figures += [
        figure(of, name) for of, name in zip(others, ("specificity", "specificity", "auc"), strict=True)
    ]
    assert f"| {' | '.join(figures)} |" in told


@pytest.mark.parametrize(
    ("first", "name"),
    [("NIH gate", "gate"), ("Chula, val", "chula"), ("BCCD, val", "bccd"), ("BBBC041, not", "bbbc041")],
)
def test_what_is_left_to_a_person(first: str, name: str) -> None:
    of = report("mobilenet_v2", name)
    told = [f"{of['cells']:,}"]
    for share in (of["reviewed"][which] for which in ("sent", "refused", "wrong")):
        value, low, high = (100 * x for x in (share["value"], *share["interval"]))
        told.append(f"{value:.1f} ({low:.1f} to {high:.1f})")
    assert row(first, EVALUATION).endswith(f"| {' | '.join(told)} |")


def test_what_is_served_on_patients_it_has_not_learnt_from() -> None:
    gate = report("mobilenet_v2", "gate")
    rest = gate["suspects"]["not_listed"]
    for first, of in (("all", gate), (f"{rest['cells']:,} whose label", rest)):
        figures = (figure(of, name) for name in ("accuracy", "sensitivity", "specificity", "auc"))
        assert row(first).endswith(f"| {' | '.join(figures)} |")
    assert f"{gate['cells']:,} cells of {gate['patients']} patients" in README
