"""Virtual environments made for one test, by the project's own uv and lock."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def outside() -> dict[str, str]:
    """This process's variables without those by which a virtual environment makes itself known."""
    hidden = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL")
    return {name: value for name, value in os.environ.items() if name not in hidden}


@dataclass(frozen=True)
class Environment:
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(
        self, *command: str, home: Path | None = None, backend: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment, such as 'python' or 'malaria'. backend: what Keras runs on."""
        program, *rest = command
        told = {"MALARIA_HOME": home and str(home), "KERAS_BACKEND": backend}
        return subprocess.run(
            [str(self.folder / "bin" / program), *rest],
            cwd=self.folder,  # away from the checkout, so that only what is installed is found
            env={**outside(), **{name: value for name, value in told.items() if value}},
            capture_output=True,
            text=True,
            timeout=timeout,
        )


def make(folder: Path, *extras: str, python: str | None = None) -> Environment:
    """An environment with these extras of the project and nothing else."""
    command = [str(ROOT / "scripts" / "uv"), "sync", "--frozen", "--no-default-groups"]
    command += [word for extra in extras for word in ("--extra", extra)]
    command += ["--python", python] if python else []
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**outside(), "UV_PROJECT_ENVIRONMENT": str(folder)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return Environment(folder)
