"""What the documents say is true of the tree: commands, links, settings; and nothing of a private machine."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from malaria.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".cff", ".html", ".js", ".css", ".sh", ""}
PRIVATE = re.compile(r"(?<![\w.:])/(?:work|root)/\w|\bissues? (?:show )?#?\d+\b", re.I)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)


def said(pattern: str) -> list[tuple[str, Any]]:
    """(document, match) for what shell blocks and `quoted` text say."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text()
        commands = "\n".join([*blocks(text), *re.findall(r"`([^`\n]+)`", text)])
        found += [(path.name, match) for match in re.findall(pattern, commands, re.M)]
    return found


def commands() -> set[str]:
    """Every command of `malaria`, such as 'models rollback'."""
    from malaria.cli import app

    def walk(command: Any, name: str) -> set[str]:
        inner = getattr(command, "commands", {})
        return (
            {name} if not inner else set().union(*(walk(c, f"{name} {n}".strip()) for n, c in inner.items()))
        )

    return walk(typer.main.get_command(app), "")


def options(command: str) -> set[str]:
    from malaria.cli import app

    found: Any = typer.main.get_command(app)
    for part in command.split():
        found = found.commands[part]
    return {option for of in found.params for option in (*of.opts, *of.secondary_opts)}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))


def test_every_make_target_named_in_the_documents_exists() -> None:
    named = said(r"\bmake ([a-z-]+)\b")
    assert {name for name, _ in named} >= {"README.md"}
    assert [n for n in named if n[1] not in targets()] == []


def test_the_makefile_has_the_targets_that_people_expect() -> None:
    wanted = "serve dev test lint format train evaluate demo smoke bench synth clean help"
    assert targets() >= set(wanted.split())


def test_every_malaria_command_and_option_named_in_the_documents_exists() -> None:
    known = commands()
    named = said(r"(?:^|/|`)malaria ((?:[a-z][a-z-]*)(?: [a-z]+)?)([^\n#]*)")
    assert len(named) >= 8
    for document, (words, rest) in named:
        command = words if words in known else words.split()[0]
        assert command in known, f"{document} names `malaria {words}`"
        for option in re.findall(r"(--[a-z-]+)", rest):
            assert option in options(command), f"{document}: `malaria {command}` has no {option}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_every_setting_is_documented_with_its_default_and_none_is_invented() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    listed = dict(re.findall(r"^\| `(MALARIA_\w+)` \| (\S+) \|", text, re.M))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        expected[f"MALARIA_{name.upper()}"] = "none" if default is None else f"`{default}`"
    assert listed == expected


def test_no_tracked_text_names_a_private_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    guilty = []
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in TEXT and path.is_file() and path != Path(__file__):
            guilty += [f"{name}: {m.group()}" for m in PRIVATE.finditer(path.read_text(errors="ignore"))]
    assert guilty == []
