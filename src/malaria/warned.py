"""What to know of an upload as a whole: as a code with numbers, and as a sentence for a person."""

from dataclasses import dataclass

_NO_GATE = (
    "cell fell to the site's gate set, so models cannot be compared on them. Bring cells of more patients."
)
SENTENCES = {
    "unmatched-rows": "{count} rows of patients.csv name no picture of the ZIP.",
    "unknown-patients": "{count} of {of} cells name no patient; cells of one field are kept together, but "
    "one patient may stand on both sides, so the site's figures may flatter. Add a "
    "patients.csv (file,patient).",
    "near-duplicates": "{count} pictures are nearly the same as others of the upload and count once. "
    "Pictures of a cell saved, lit or turned anew are no more cells.",
    "patient-per-cell": "Nearly every cell names a patient of its own. If these are numbers of cells, add a "
    "patients.csv.",
    "known": "{count} cells are known already: the model has learnt from the same pictures.",
    "no-gate-parasitized": f"No parasitized {_NO_GATE}",
    "no-gate-uninfected": f"No uninfected {_NO_GATE}",
    "gate-learnt": "{count} gate cells are of patients the base model has learnt from, so the site's figures "
    "may flatter.",
    "listed-only": "Only the first {count} of each kind are listed by name.",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to know of an upload as a whole. code: kebab-case and stable. count: of cells, rows or
    entries that it is about; of: how many there are, where that matters."""

    code: str
    count: int
    of: int = 0

    def sentence(self) -> str:
        return SENTENCES[self.code].format(count=self.count, of=self.of)
