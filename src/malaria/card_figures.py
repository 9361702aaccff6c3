"""Sections of a model card that tell how good a model is: figures with intervals, or that there are none."""

from collections.abc import Iterator, Mapping
from typing import Any

from malaria import codec, evaluation_tables, report, subject
from malaria.card_evidence import Evidence, Measured
from malaria.card_text import Block, Section, bullets, facts, flat, listed, many
from malaria.domain import ModelVersion, Review, Screen
from malaria.evaluate import NO_ROLE
from malaria.metrics import Metrics
from malaria.operating import INCLUDED, RULE
from malaria.report import Table, figure

NOT_MEASURED = "This was not measured."
INTERVALS = "Figures in brackets are 95% intervals, by resampling patients (else fields, else cells)."
RATES = ("sensitivity", "specificity", "auc")
ALL, UPLOADS = "all cells", "gate cells of uploads"
CORE = set(ModelVersion.__dataclass_fields__)
"""What every manifest tells; what one tells beside it is shown with the operating point."""


def of_patients(of: Evidence) -> list[Measured]:
    """Evaluations on class folders of patients who have a role."""
    return [one for one in of.told if not one.found.fields and one.roles - {NO_ROLE}]


def elsewhere(of: Evidence) -> list[Measured]:
    """Evaluations on fields, and on cells of nobody who has a role."""
    return [one for one in of.told if one.found.fields or not one.roles - {NO_ROLE}]


def patient_sets(of: Evidence) -> dict[str, Metrics]:
    """Figures by set of cells: gate first, all cells before those that a list names; then validation."""
    sets: dict[str, Metrics] = {}
    for one in of_patients(of):
        who = listed(sorted(one.roles - {NO_ROLE}))
        sets[f"{who}, {ALL}"] = one.found.metrics
        for name, found in one.found.suspects.items():
            if found is not None:
                sets[f"{who}, {evaluation_tables.SETS[name]}"] = found
    known, told = of.metrics, {name.split(",")[0] for name in sets}
    manifest = {"gate": f"gate, {ALL}", "site_gate": UPLOADS, "validation": "validation"}
    return sets | {shown: known[n] for n, shown in manifest.items() if n in known and n not in told}


def figures(of: Evidence) -> Section:
    sets = patient_sets(of)
    blocks: list[Block] = [INTERVALS, report.figures_table("", sets)] if sets else [NOT_MEASURED]
    blocks += [f"{one.name}: {one.found.warning}" for one in of_patients(of) if one.found.warning]
    blocks.append(_test(of))
    values = {name: codec.to_json(found) for name, found in sets.items()}
    return Section("figures", "Figures on patients", tuple(blocks), {"sets": values}, bool(sets))


def _test(of: Evidence) -> str:
    """How often test patients and fields were looked at with this version."""
    withheld = len(of.measured) - len(of.told)
    more = " A report on them is not told here, since no look at them is recorded." if withheld else ""
    if not of.looks:
        return f"Test patients were not looked at with this version.{more}"
    looks = (
        f"{look.date:%Y-%m-%d}, {many(look.cells, 'cell')} of {look.of} kept for the test"
        for look in of.looks
    )
    return f"Looks at what is kept for the test, with this version:{more}\n\n{bullets(looks)}"


def laboratories(of: Evidence) -> Section:
    rows, values = list[tuple[object, ...]](), dict[str, Any]()
    for name, views, where in laboratory_sets(of):
        values[name] = {view: codec.to_json(found) for view, found in views.items()} | {"learnt": where}
        for view, found in views.items():
            rates = (figure(found, rate) for rate in RATES)
            size = f"{found.cells:,} ({found.parasitized:,} parasitized)"
            rows.append((name, view, size, found.patients, *rates, where))
    if not rows:
        return Section("laboratories", "Other laboratories", (NOT_MEASURED,), {}, False)
    columns = ("set", "shown", "cells", "fields", "sensitivity", "specificity", "ROC AUC", "learnt from")
    blocks: list[Block] = [_SHOWN, Table("", columns, rows)]
    sources = of.credits.of_all(sha for one in elsewhere(of) for sha in one.data.values())
    blocks += [f"{source.name}: {source.use}." for source in sources if source.use]
    for one in elsewhere(of):
        if len(one.found.kinds) > 1:
            blocks.append(evaluation_tables.kinds(f"{of.named(one)}, by kind of cell", one.found.kinds))
        if one.found.not_cells:
            title = f"{of.named(one)}, what is no red cell: the share called parasitized"
            blocks.append(evaluation_tables.kinds(title, one.found.not_cells))
    return Section("laboratories", "Other laboratories", tuple(blocks), values)


_SHOWN = (
    "Raw: as the cell is cropped from its field. Masked: all but the cell in black. Where the two differ, "
    "the model looks at what is about the cell. Without parasitized cells there is no sensitivity to tell."
)


def laboratory_sets(of: Evidence) -> Iterator[tuple[str, dict[str, Metrics], str]]:
    """Each set with its figures by view, and what was learnt from it; those of the manifest where there are
    no others."""
    measured = set()
    for one in elsewhere(of):
        measured |= set(one.data.values())
        views = {"raw": one.found.metrics, **({"masked": one.found.masked} if one.found.masked else {})}
        views = views if one.found.fields else {"as they are": one.found.metrics}
        yield of.named(one), views, "other fields of it" if one.found.warning else "nothing"
    own = {file.name: file.sha256 for file in of.files if file.option == "laboratory"}
    for name, found in sorted(of.metrics.items()):
        role, _, origin = name.partition(":")
        if origin and own.get(origin) not in measured:
            yield of.origin(f"base:{origin}"), {f"raw, {role} fields": found}, "other fields of it"


def operating_point(of: Evidence) -> Section:
    """The threshold and its rule, and whatever else the manifest says of how answers are used."""
    at, told = of.info.threshold, codec.to_json(of.info)
    further = {name: value for name, value in told.items() if name not in CORE and value}
    text = f"A cell is called parasitized from a calibrated probability of {at:g} on."
    blocks: list[Block] = [f"{text} {_reviewed(of.info.review)}", _screened(of.info.screen)]
    sent = [one for one in of.told if _whole(one, of.info)]
    blocks.append(_sent(of, sent) if sent else "What is sent to a person elsewhere was not measured.")
    for name, value in sorted(further.items()):
        blocks.append(facts(flat(value if isinstance(value, Mapping) else {name: value}).items(), name))
    return Section(
        "operating_point",
        "Operating point",
        tuple(blocks),
        {
            "threshold": at,
            "review": told["review"],
            "screen": told["screen"],
            "sent": {one.name: codec.to_json(one.found.reviewed) for one in sent},
            **further,
        },
    )


def _whole(one: Measured, info: ModelVersion) -> bool:
    """Whether an evaluation tells all that is left to a person: older ones do not know of the screen."""
    found = one.found.reviewed
    return found is not None and (info.screen is None or found.refused is not None)


def _sent(of: Evidence, those: list[Measured]) -> Table:
    """What is left to a person on each set, and how right the other answers are."""
    rows = list[tuple[object, ...]]()
    for one in those:
        found, roles = one.found.reviewed, sorted(one.roles - {NO_ROLE})
        assert found is not None
        name = f"{of.named(one)}, {listed(roles)}" if roles else of.named(one)
        shares = (
            report.with_interval(rate.value, rate.interval) if rate else None
            for rate in (found.sent, found.refused, found.wrong)
        )
        rates = (figure(found.others, rate) if found.others else None for rate in RATES[:2])
        row = (name, f"{one.found.metrics.cells:,}", *shares, *rates)
        if row not in rows:  # the same cells may have been measured twice, for something else
            rows.append(row)
    columns = ("cells of", "how many", "sent to a person", "no answer", "wrong among the others")
    others = ("sensitivity of the others", "specificity of the others")
    return Table("What is left to a person", (*columns, *others), rows, _SENT)


_SENT = (
    "Of fields: raw crops. Validation patients and fields had a part in choosing the bounds; no others had."
)


def _reviewed(band: Review | None) -> str:
    """What is sent to a person, and by which rule that and the threshold were chosen."""
    if band is None:
        return (
            "No rule is recorded by which it was chosen, and no band of answers that a person should look at."
        )
    whole = "" if band.screened is None else f" {INCLUDED}"
    return (
        f"Answers between {band.low:.3f} and {band.high:.3f} ask for a person's look: {band.sent:.1%} of the "
        f"cells of validation patients, which leaves {band.wrong:.1%} wrong among the others. {RULE}{whole}"
    )


def _screened(screen: Screen | None) -> str:
    """What is not taken for one good cell, and by which rule that was chosen."""
    if screen is None:
        return "It cannot tell what is no cell: every picture that can be read is answered."
    return (
        f"A picture whose P(cell) is below {screen.refuse:.3g} gets no answer, one below {screen.review:.3g} "
        f"asks for a person's look: at most {screen.refused:.1%} and {screen.reviewed:.1%} of the validation "
        f"cells of any laboratory. {subject.RULE}"
    )


def calibration(of: Evidence) -> Section:
    sets = patient_sets(of)
    for name, views, _ in laboratory_sets(of):
        sets |= {f"{name}, {view}": found for view, found in views.items()}
    temperature = of.lineage.get("temperature")
    text = f"Logits are divided by {temperature:.3f}, set on validation cells." if temperature else ""
    if not sets:
        return Section("calibration", "Calibration", tuple(filter(None, (text, NOT_MEASURED))), {}, False)
    rows = [(name, f"{m.cells:,}", figure(m, "ece"), figure(m, "brier")) for name, m in sets.items()]
    table = Table("", ("cells", "how many", "calibration error (ECE)", "Brier score"), rows, _ECE)
    values = {
        "temperature": temperature,
        "sets": {n: {"ece": m.ece, "brier": m.brier} for n, m in sets.items()},
    }
    return Section("calibration", "Calibration", tuple(filter(None, (text, table))), values)


_ECE = "Over 10 bins of equal width; 0 is best."


def robustness(of: Evidence) -> Section:
    those = [one for one in of.told if one.found.corruptions]
    stained = [one for one in of.told if one.found.stains]
    if not those and not stained:
        return Section("robustness", "Robustness", (NOT_MEASURED,), {}, False)
    made = [(evaluation_tables.corruptions(one.found), one) for one in those]
    made += [(evaluation_tables.stains(one.found), one) for one in stained]
    blocks: list[Block] = [
        Table(f"{table.title}: {_whose(one)}", table.columns, table.rows, table.note) for table, one in made
    ]
    values = {one.name: [codec.to_json(drop) for drop in one.found.corruptions] for one in those}
    values |= {f"{one.name}, stains": [codec.to_json(s) for s in one.found.stains] for one in stained}
    return Section("robustness", "Robustness", tuple(blocks), values)


def _whose(one: Measured) -> str:
    return f"{many(one.found.metrics.cells, 'cell')} of {listed(sorted(one.roles))}"


def doubted(of: Evidence) -> Section:
    blocks, values, rows = list[Block](), dict[str, Any](), list[tuple[object, ...]]()
    done = {"doubted": "learnt, but nothing of it is moved onto other cells", "without": "not learnt from"}
    for file in of.files:
        if file.option in done:
            credit = of.credits.of(file.sha256)
            told = f": {credit.what} ({credit.source})" if credit else ""
            blocks.append(f"What {file.name} lists is {done[file.option]}{told}.")
    for one in of_patients(of):
        for name, found in one.found.suspects.items():
            if found is not None:
                values[f"{one.name}/{name}"] = codec.to_json(found)
                who = f"{listed(sorted(one.roles))}, {evaluation_tables.SETS[name]}"
                rows.append(
                    (who, f"{found.cells:,}", *(figure(found, rate) for rate in ("accuracy", *RATES)))
                )
    if rows:
        columns = ("cells", "how many", "accuracy", *(report.FIGURES[rate] for rate in RATES))
        blocks.append(Table("", columns, rows, _LISTS))
    else:
        blocks.append("What doubted labels change in the figures was not measured.")
    return Section("doubted_labels", "Doubted labels", tuple(blocks), values, bool(rows))


_LISTS = (
    "No label is changed. A list made by looking at what models get wrong makes the cells not listed look "
    "better than they are."
)
