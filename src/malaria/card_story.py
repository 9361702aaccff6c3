"""Sections of a model card that tell what a model is, what it is for, and whose cells it was made of."""

from typing import Any

from malaria import codec
from malaria.card_evidence import Evidence
from malaria.card_text import Section, bullets, facts, listed, many
from malaria.lineage import EXPORTED, JOINED
from malaria.memory import BASE, Counted
from malaria.options import COMPACT, ENSEMBLE, MOBILENET
from malaria.report import Table

NETWORKS = {
    MOBILENET: "MobileNetV2 with a neck that keeps a fine map",
    COMPACT: "plain convolutions with shortcuts, under 1 MB",
    ENSEMBLE: "several networks side by side, whose calibrated logits are averaged",
}
ROLES = {
    "train": "learnt from",
    "validation": "tuned and calibrated on",
    "gate": "compared on at each retraining, never learnt from",
    "test": "kept apart for one look a release",
}
HOW = {
    "train": "trained",
    JOINED: "joined of trained networks",
    "adapt": "adapted from {}",
    "full": "fine-tuned from {}",
    EXPORTED: "exported from {}",
}


def what(of: Evidence) -> Section:
    info = of.info
    text = (
        "A classifier of single red blood cells. It takes one picture of one cell from a stained thin blood "
        "smear and answers with the calibrated probability that the cell is parasitized, a map of where that "
        "is seen, and an embedding by which it is adapted to a laboratory."
    )
    how = HOW.get(str(of.lineage.get("method")), "").format(of.lineage.get("parent"))
    told = {
        "version": info.version,
        "SHA-256 of model.tflite": f"`{info.digest}`",
        "network": ": ".join(filter(None, (info.network, NETWORKS.get(info.network)))),
        "input": f"{info.input_size} x {info.input_size} pixels, RGB",
        "file": f"{info.size_bytes / 1e6:.2g} MB, TFLite",
        "classes": listed(info.labels),
        "made": ", ".join(filter(None, (f"{info.created:%Y-%m-%d}", how))),
    }
    names = ("version", "digest", "network", "input_size", "size_bytes", "labels", "created")
    told_json = codec.to_json(info)
    return Section(
        "what", "What it is", (text, facts(told.items())), {name: told_json[name] for name in names}
    )


def use(of: Evidence) -> Section:
    """The one place where a card says what kind of software this is."""
    text = (
        "For research and teaching: to measure how well parasitized cells can be told from uninfected ones, "
        "and to adapt that to a laboratory's own cells. It is research software, not a medical device. It is "
        "not made for"
    )
    species = [credit.species for credit in _sources(of) if credit.species]
    other = f" The parasites that it learnt from are *{listed(species)}*." if species else ""
    lines = (
        "finding cells in a field, counting parasites, telling species or stages, or thick smears;",
        "judging a person by what it says of single cells: each has a chance of a false answer (see Limits);",
        f"cells of another stain, microscope or species that it was not measured on before.{other}",
    )
    return Section("use", "Intended use", (text, bullets(lines)), {"species": species})


def data(of: Evidence) -> Section:
    """Cells by origin and role; never who a patient is."""
    sources, unknown = _sources(of), [f.told for f in of.files if of.credits.of(f.sha256) is None]
    blocks = [
        "Each patient, and each field of another laboratory, has one role for ever and stands on one side.",
        _counted(of),
        bullets(f"**{credit.name}**: {credit.what} ({credit.source})." for credit in sources),
        f"No source is recorded for {listed(unknown)}." if unknown else "",
    ]
    left = of.lineage.get("left_out")
    if left:
        blocks.append(
            f"{many(left, 'cell')} that a list names {'was' if left == 1 else 'were'} not learnt from."
        )
    values = {"cells": [codec.to_json(one) for one in of.cells], "sources": [c.name for c in sources]}
    return Section("data", "Data and patients", tuple(filter(None, blocks)), values, bool(of.cells))


def _counted(of: Evidence) -> Table | str:
    if not of.cells:
        return "This version has no feature memory, so how many cells it was made of cannot be told."
    rows = [
        (
            of.origin(one.origin),
            f"{one.role}: {ROLES.get(one.role, '')}",
            f"{one.cells:,}",
            f"{one.parasitized:,}",
            f"{one.cells - one.parasitized:,}",
            _groups(one),
        )
        for one in of.cells
    ]
    return Table("", ("cells of", "role", "cells", "parasitized", "uninfected", "from"), rows)


def _groups(one: Counted) -> str:
    if one.origin == BASE:
        return many(one.groups, "patient")
    if one.origin.startswith(BASE + ":"):
        return many(one.groups, "field")
    return many(one.groups, "patient, field or cell", "patients, fields or cells")


def _sources(of: Evidence) -> list[Any]:
    return of.credits.of_all(file.sha256 for file in of.files)
