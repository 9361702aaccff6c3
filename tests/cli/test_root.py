import os
import subprocess
import sys
from pathlib import Path

import pytest

from malaria.cli.output import printable
from tests.cli.conftest import Run

COMMANDS = {
    (): {"serve", "predict", "evaluate", "retrain", "train", "jobs", "models", "data", "doctor"},
    ("jobs",): {"list", "show", "watch", "cancel"},
    ("models",): {"list", "show", "history", "promote", "rollback"},
    ("data",): {"fetch", "import", "sample"},
}
PAGES = [(*group, name) for group, names in COMMANDS.items() for name in sorted(names)]


@pytest.mark.parametrize("page", [(), *PAGES], ids=" ".join)
def test_every_command_explains_itself(run: Run, page: tuple[str, ...]) -> None:
    told = run(*page, "--help")
    assert told.exit_code == 0
    assert "Usage:" in told.stdout
    assert told.stderr == ""
    for name in COMMANDS.get(page, ()):
        assert name in told.stdout


def test_help_shows_what_stands_in_brackets(run: Run) -> None:
    told = run("adapt-curve", "--help")
    assert "[[variant]]" in told.stdout.replace("\n", "").replace("│", "").replace(" ", "")


def test_nothing_heavy_is_loaded_for_help() -> None:
    heavy = {"numpy", "PIL", "pydantic", "obstore", "fastapi", "sklearn", "tensorflow", "keras", "boto3"}
    code = f"import sys, malaria.cli; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").stdout.strip().count(".") == 2


@pytest.mark.parametrize(
    "arguments", [("predict",), ("jbos",), ("data", "sample", "no-number"), ("predict", "x.png", "--what")]
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    told = run(*arguments)
    assert told.exit_code == 2
    assert "Traceback" not in told.stderr


def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALARIA_PORT", "eighty")
    told = run("models", "list")
    assert told.exit_code == 2
    assert told.stderr.startswith("error: The setting MALARIA_PORT is wrong")
    assert told.stderr.count("\n") == 1


def test_an_error_is_one_line_and_debug_shows_where(start, tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "a-file"
    file.write_text("in the way")
    process = start("data", "sample", "2", "--out", file / "below")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1
    process = start("--debug", "data", "sample", "2", "--out", file / "below")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" in stderr


def test_no_colours_go_into_a_pipe(start) -> None:  # type: ignore[no-untyped-def]
    process = start("--help", NO_COLOR="1")
    stdout, _ = process.communicate(timeout=60)
    assert "\x1b[" not in stdout


def test_the_shell_completes_commands() -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("malaria")],
        env={
            **os.environ,
            "_MALARIA_COMPLETE": "complete_bash",
            "COMP_WORDS": "malaria mod",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["models"]


def test_text_from_outside_steers_no_terminal() -> None:
    assert printable("cell\x1b[31m\x07\u202e.png\ud800") == "cell\ufffd[31m\ufffd\ufffd.png\ufffd"


@pytest.mark.parametrize(
    ("command", "says"), [(["serve"], "serves by itself"), (["feedback", "rekey"], "private/signing.keys")]
)
def test_what_a_deployment_does_itself_is_not_done_here_in_its_name(
    run: Run, home: Path, command: list[str], says: str
) -> None:
    told = run("--target", "hospital", *command)
    assert told.exit_code == 2
    assert says in " ".join(told.stderr.split())
    assert not (home / "signing.keys").exists()
