"""`python -m infra.settings_table` writes the table of settings into docs/deployment.md."""

from pathlib import Path

from infra.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "deployment.md"
BEGIN = "<!-- settings: written by `python -m infra.settings_table` -->"
END = "<!-- end of settings -->"


def table() -> str:
    """A row for each setting: name, default, description."""
    rows = ["| setting | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name}` | {_text(field.default)} | {field.description} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _text(default: object) -> str:
    if default is None or default in ((), {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
