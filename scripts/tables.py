"""Writes the tables of figures in README and docs from the committed reports: `make tables`.

A table that stands below a line `<!-- table: NAME -->` is made here and never edited by hand: all lines
that begin with a bar. `--check` changes nothing, and fails where a table does not say what the reports say.
`--files` names the shipped models, in the order of the tables.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from malaria import report, shipped
from malaria.errors import NotFound
from malaria.evaluation import Evaluation, HiddenTenth, OfParasites, Rate
from malaria.evaluation_tables import read
from malaria.metrics import Metrics

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
NETWORKS = ("mobilenet_v2", "compact_cnn", "ensemble")
SERVED = NETWORKS[0]
"""The network that a newcomer is served, and of which tables tell where they tell of one."""
MARKED = re.compile(r"(<!-- table: ([a-z-]+) -->\n)(?:\|.*(?:\n|\Z))*")

Rows = list[Sequence[object]]
Grid = tuple[Sequence[str], Rows]


def evaluation(network: str, name: str) -> Evaluation:
    """What `malaria evaluate` found of a network, as make figures put it into docs/results; of the version
    that shipped before where what ships was not asked: test patients are not looked at again."""
    folders = (RESULTS / network / name, RESULTS / "before" / network / name)
    folder = next((one for one in folders if one.exists()), folders[0])
    return read(json.loads((folder / "report.json").read_text()))


def figure(of: Metrics, name: str, digits: int = 3) -> str:
    """`0.963 (0.952 to 0.975)`; a dash where the cells cannot say."""
    return report.figure(of, name, digits) or "-"


def rate(of: Rate | None, digits: int = 2, scale: float = 1.0) -> str:
    """The same of a rate or a mean."""
    if of is None:
        return "-"
    between = (scale * of.interval[0], scale * of.interval[1]) if of.interval else None
    return report.with_interval(scale * of.value, between, digits)


def _whose(found: Evaluation) -> str:
    """Of which version, where it is not the one that ships: test patients are not looked at again."""
    served = shipped.listing(ROOT / "models").networks[SERVED]
    return "" if found.version == served else f" ({found.version}, which ships no more)"


def patients() -> Grid:
    rows: Rows = []
    names = ("accuracy", "sensitivity", "specificity", "auc")
    for role, name in (("test", "test"), ("gate", "gate"), ("stains", "validation")):
        found = evaluation(SERVED, role)
        whose = f"{name}{_whose(found)}"
        rest = found.suspects["not_listed"] or found.metrics
        titles = (
            f"{whose}, all {found.metrics.cells:,}",
            f"{whose}, {rest.cells:,} whose label no later study doubted",
        )
        for title, cells in zip(titles, (found.metrics, rest), strict=True):
            rows.append([title, *(figure(cells, each) for each in names)])
    return ("patients, cells", "accuracy", "sensitivity", "specificity", "AUC"), rows


def laboratories() -> Grid:
    told = {
        "chula": ("Chula, mostly odd shapes, uninfected: {cells}", "other fields"),
        "bccd": ("BCCD, uninfected: {cells}", "other fields"),
        "bbbc041": ("BBBC041, *P. vivax*: {cells}, {infected} of them infected", "nothing, but looked at"),
    }
    rows: Rows = []
    for name, (title, learnt) in told.items():
        of = evaluation(SERVED, name).metrics
        first = title.format(cells=f"{of.cells:,} cells", infected=of.parasitized)
        rows.append([first, learnt, *(figure(of, each) for each in ("sensitivity", "specificity", "auc"))])
    return ("set", "learnt from", "sensitivity", "specificity", "AUC"), rows


def networks() -> Grid:
    listed = shipped.listing(ROOT / "models").networks
    names = {"ensemble": "`ensemble` of both"}
    times = _times()
    rows: Rows = []
    for network in NETWORKS:
        size = (ROOT / "models" / listed[network] / "model.tflite").stat().st_size / 1e6
        gate = evaluation(network, "gate").metrics
        asked = (("chula", "specificity"), ("bccd", "specificity"), ("bbbc041", "auc"))
        others = [figure(evaluation(network, name).metrics, which) for name, which in asked]
        first = [names.get(network, f"`{network}`"), f"{size:.1f} MB" if size > 2 else f"{size:.2f} MB"]
        rows.append([*first, times[network], figure(gate, "accuracy"), figure(gate, "auc"), *others])
    there = ("specificity, Chula", "specificity, BCCD", "AUC, BBBC041")
    return ("network", "file", "time for a cell", "accuracy, gate", "AUC, gate", *there), rows


def _times() -> dict[str, str]:
    """How long each network takes for a cell, as a multiple of the first one's."""
    told = json.loads((RESULTS / "latency" / "report.json").read_text())["files"]
    listed = shipped.listing(ROOT / "models").networks
    ratios = {Path(of["file"]).parent.name: of["ratio"] for of in told}
    missing = sorted({listed[network] for network in NETWORKS} - ratios.keys())
    if missing:
        raise NotFound(f"docs/results/latency does not tell of {', '.join(missing)}: `make figures` does.")
    return {network: f"{ratios[listed[network]] / ratios[listed[SERVED]]:.2f}" for network in NETWORKS}


def reviewed() -> Grid:
    told = {
        "test": "NIH test patients" + _whose(evaluation(SERVED, "test")),
        "stains": "NIH validation patients, by whom the bounds were chosen",
        "gate": "NIH gate patients",
        "chula": "Chula, validation fields",
        "bccd": "BCCD, validation fields",
        "bbbc041": "BBBC041, not learnt from",
    }
    rows: Rows = []
    for name, title in told.items():
        found = evaluation(SERVED, name)
        assert found.reviewed is not None
        shares = (found.reviewed.sent, found.reviewed.refused, found.reviewed.wrong)
        rows.append([title, f"{found.metrics.cells:,}", *(rate(share, 1, 100) for share in shares)])
    return ("cells of", "cells", "sent to a person", "no answer", "wrong among the others"), rows


def stains() -> Grid:
    rows: Rows = []
    names: list[str] = []
    for network in NETWORKS:
        found = evaluation(network, "stains")
        names = [one.stain for one in found.stains]
        cells = (found.metrics, *(one.metrics for one in found.stains))
        rows.append([f"`{network}`", *(figure(of, "sensitivity") for of in cells)])
    return ("sensitivity of", "in their own stain", *names), rows


def _hidden(network: str) -> Iterator[HiddenTenth]:
    found = evaluation(network, "explanations").explained
    assert found is not None
    yield from (of for of in found.hidden if of.tenth != "difference")


def hidden() -> Grid:
    rows: Rows = []
    for network in NETWORKS:
        for of in _hidden(network):
            rightly = of.cells != "called parasitized"
            first = f"of these {of.count:,} rightly" if rightly else f"`{network}`, {of.count:,} cells"
            rows.append([first, of.tenth, *(rate(one) for one in (of.probability, of.logit, of.flipped))])
    columns = "network, hidden, drop of P(Parasitized), drop of the logit, no longer called parasitized"
    return columns.split(", "), rows


def _pointing(network: str) -> Mapping[str, OfParasites]:
    found = evaluation(network, "explanations").explained
    assert found is not None
    return {of.form: of for of in found.pointing}


def pointing() -> Grid:
    rows: Rows = []
    for network in NETWORKS:
        of = _pointing(network)["all"]
        rows.append([f"`{network}`", rate(of.hits, 3), rate(of.chance, 3), rate(of.right), rate(of.down)])
    off = ("off to the right, in grid cells", "off downwards")
    return ("network", "hottest place on a parasite", "random place on one", *off), rows


def forms() -> Grid:
    rows: Rows = []
    names: list[str] = []
    for network in NETWORKS:
        told = _pointing(network)
        names = [form for form in told if form != "all"]
        each = [told[form] for form in names]
        rows.append(
            [
                f"`{network}`",
                *(f"{rate(of.hits)}, random {of.chance.value:.2f}" if of.chance else "-" for of in each),
            ]
        )
    return ("network", *names), rows


AIMS = (
    ("accuracy 0.975", SERVED, "accuracy"),
    ("ROC AUC 0.994", SERVED, "auc"),
    ("sensitivity at specificity 0.98: 0.970", SERVED, "sensitivity_at_specificity_98"),
    ("MCC 0.950", SERVED, "mcc"),
    ("ECE 0.02 at most", SERVED, "ece"),
    ("`compact_cnn`: accuracy 0.965, in 1 MB", "compact_cnn", "accuracy"),
    ("`ensemble`: accuracy of the better of both", "ensemble", "accuracy"),
    ("the same: AUC", "ensemble", "auc"),
)
"""What was aimed at on patients, of which network, and the figure that tells it."""


def aims() -> Grid:
    rows: Rows = []
    for aim, network, name in AIMS:
        cells = (evaluation(network, role).metrics for role in ("gate", "stains"))
        rows.append([aim, *(figure(of, name, 4) for of in cells)])
    for aim, name in (("accuracy 0.996", "accuracy"), ("AUC 0.9997", "auc")):
        rest = [evaluation(SERVED, role).suspects["not_listed"] for role in ("gate", "stains")]
        rows.append(
            [f"cells not listed as suspect: {aim}", *(figure(of, name, 4) if of else "-" for of in rest)]
        )
    return ("aimed at", "gate patients", "validation patients"), rows


def elsewhere() -> Grid:
    smears, shapes = (evaluation(SERVED, name).metrics for name in ("bbbc041", "chula"))
    rows: Rows = [
        ["BBBC041: AUC 0.97", figure(smears, "auc")],
        ["the same: specificity 0.90 at sensitivity 0.90", figure(smears, "specificity_at_sensitivity_90")],
        ["the same, as served: sensitivity", figure(smears, "sensitivity")],
        ["the same, as served: specificity", figure(smears, "specificity")],
        ["odd shapes (Chula): specificity 0.98", figure(shapes, "specificity")],
    ]
    return ("aimed at", "reached"), rows


def locked() -> Grid:
    """What the looks at the test patients found, of the networks that were looked at."""
    rows: Rows = []
    for network in NETWORKS:
        found = evaluation(network, "test")
        of, rest = found.metrics, found.suspects["not_listed"]
        told = [figure(of, name) for name in ("accuracy", "sensitivity", "specificity", "auc", "mcc", "ece")]
        rows.append([f"{network} {found.version}", *told, figure(rest, "accuracy") if rest else "-"])
    names = ("accuracy", "sensitivity", "specificity", "AUC", "MCC", "ECE")
    return ("network, version", *names, "accuracy, cells not listed"), rows


TABLES: Mapping[str, Callable[[], Grid]] = {
    "aims": aims,
    "elsewhere": elsewhere,
    "forms": forms,
    "hidden": hidden,
    "laboratories": laboratories,
    "locked": locked,
    "networks": networks,
    "patients": patients,
    "pointing": pointing,
    "reviewed": reviewed,
    "stains": stains,
}


def made(text: str) -> str:
    """A document with its marked tables made anew. Raises KeyError where one is not known."""
    return MARKED.sub(lambda found: f"{found[1]}{report.grid(*TABLES[found[2]]())}\n", text)


def main(argv: Sequence[str]) -> int:
    if "--files" in argv:
        listed = shipped.listing(ROOT / "models").networks
        print(*(f"models/{listed[network]}/model.tflite" for network in NETWORKS))
        return 0
    check, stale = "--check" in argv, []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text()
        anew = made(text)
        if anew != text:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(anew)
    told = "tables differ from the reports: make tables" if check else "tables made anew"
    for path in stale:
        print(f"{path}: {told}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
