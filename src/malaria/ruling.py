"""Which rules of the gate are asked of which cells, and what they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from malaria.comparison import First, GateSet, Resampled, Thresholds
from malaria.criteria import (
    BASE,
    EARLIER,
    FIRST,
    SITE_CLASSES,
    Criterion,
    Exported,
    GateSettings,
    base_rule,
    calibration_rule,
    doubted_rule,
    file_size_rule,
    gain_rule,
    labels_rule,
    parity_rule,
    site_class_rule,
    site_rule,
    size_rule,
)
from malaria.domain import Verdict


def rules(
    base: GateSet,
    site: GateSet,
    uploads: Sequence[GateSet],
    at: Thresholds,
    settings: GateSettings,
    unlearnt: Criterion | None = None,
    file: Exported | None = None,
    first: First | None = None,
    elsewhere: Mapping[str, GateSet] | None = None,
) -> list[Criterion]:
    """Every rule that is asked, in order; see `gate.judge`, of which this is the part that decides."""
    both = [one for one in uploads if min(one.cells(0), one.cells(1)) >= settings.min_site_per_class]
    enough = [one for one in uploads if len(one) >= settings.min_site_cells]
    found = _worst([labels_rule(one, settings) for one in both])
    found += _worst([doubted_rule(one, settings) for one in enough])
    found += base_rules(base, at, settings)
    if first is not None:
        found += first_rules(first, at[1], settings)
    found += earlier_rules(base, at, settings, elsewhere or {})
    if file is not None:
        found += [parity_rule(file, settings), file_size_rule(file, settings)]
    found.append(size_rule(site, settings))
    if unlearnt is not None:
        return [*found, unlearnt]
    return [*found, *(site_rules(base, site, at, settings) if found[-1].passed else ())]


def _worst(asked: Sequence[Criterion]) -> list[Criterion]:
    """Of a rule that is asked of several uploads the one answer that decides: broken, else open, else any."""
    return sorted(asked, key=lambda rule: (rule.passed is not False, rule.passed is not None))[:1]


def base_rules(base: GateSet, at: Thresholds, settings: GateSettings) -> list[Criterion]:
    """The rules that base patients decide."""
    drawn = Resampled(base, at, settings)
    found = [base_rule(base, label, drawn, settings) for label in BASE]
    return [*found, calibration_rule(drawn, settings)] if len(base) else found


def earlier_rules(
    base: GateSet, at: Thresholds, settings: GateSettings, elsewhere: Mapping[str, GateSet] | None = None
) -> list[Criterion]:
    """The rules that earlier uploads and other base laboratories decide, each by itself: of each class the
    one that decides."""
    found: dict[int, list[Criterion]] = {label: [] for label in EARLIER}
    uploads = {f"the upload {upload[:8]}": cells for upload, cells in base.by_upload().items()}
    for whose, cells in {**uploads, **(elsewhere or {})}.items():
        enough = [label for label in EARLIER if cells.cells(label) >= settings.min_site_per_class]
        if not enough:
            continue
        drawn = Resampled(cells, at, settings)
        for label in enough:
            rule = site_class_rule(cells, label, drawn, settings, EARLIER, "that laboratory")
            told = f"Of {whose}, which the served model has learnt from: {rule.text}"
            found[label].append(replace(rule, text=told))
    return [rule for asked in found.values() for rule in _worst(asked)]


def first_rules(first: First, at: float, settings: GateSettings) -> list[Criterion]:
    """The rules that the first release on base patients decides. at: the challenger's operating point."""
    drawn = Resampled(first.cells, (first.threshold, at), settings)
    return [base_rule(first.cells, label, drawn, settings, FIRST) for label in FIRST]


def site_rules(base: GateSet, site: GateSet, at: Thresholds, settings: GateSettings) -> list[Criterion]:
    """The rules that a site of sufficient size decides, and the gain, which base patients may show too."""
    drawn = Resampled(site, at, settings)
    found = [site_rule(site, drawn, settings)]
    found += [site_class_rule(site, label, drawn, settings) for label in SITE_CLASSES]
    return [*found, gain_rule(base, site, at, settings)] if all(c.passed for c in found) else found


def verdict_of(passed: Sequence[bool | None]) -> Verdict:
    """What the rules come to: one broken (False) rejects, else one that is open (None) is undecidable."""
    if False in passed:
        return Verdict.REJECTED
    return Verdict.UNDECIDABLE if None in passed else Verdict.ACCEPTED
