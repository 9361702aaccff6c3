"""Builds the images that ship, and runs them, with buildah: it needs no service, and no registry.

Nothing is changed but the base. It is a stand-in for python:3.13-slim-trixie, made of the packages of the
same release of Debian, Python 3.13 among them, so that no registry has to be reached.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import processes

RELEASE = "trixie"
BASE = f"localhost/malaria-stand-in:{RELEASE}"
_PACKAGES = "python3,python3-pip,ca-certificates"
_CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_BUILD_SECONDS = 3600


def folder() -> Path:
    """Where the stand-in is kept from run to run: outside of the checkout, which builders are sent."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "malaria-images"


class Buildah:
    """A store of images in a folder of its own, so that it cannot meet a person's."""

    def __init__(self, where: Path) -> None:
        self._where = where
        driver = next(one for one in ("overlay", "vfs") if self._works(one))
        self._options = self._of(driver)

    def __call__(self, *arguments: str, seconds: float = 120) -> str:
        """What a command prints. Raises AssertionError with what it said where it fails."""
        process = subprocess.Popen(
            [*self._options, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, told = (text.decode() for text in process.communicate(timeout=seconds))
        finally:
            end(process)
        assert process.returncode == 0, f"buildah {' '.join(arguments)}:\n{(out + told)[-4000:]}"
        return out.strip()

    def base(self) -> str:
        """The name of the stand-in, which is made where it is not there: in under a minute."""
        if BASE not in self._names():
            with tempfile.TemporaryDirectory(dir=self._where) as made:
                root = Path(made) / "root"
                extract(root, _PACKAGES, "minbase")
                _trust_as_here(root)
                self._commit(root)
        return BASE

    def build(self, context: Path, file: str, arguments: Mapping[str, str], tag: str) -> "Image":
        """Build an image as `docker build` would: its whole Dockerfile, every layer anew."""
        told = [f"--build-arg={name}={value}" for name, value in {**arguments, "BASE": self.base()}.items()]
        command = ["bud", "--isolation", "chroot", "--layers=false", *told, "--file", str(context / file)]
        self(*command, "--tag", tag, str(context), seconds=_BUILD_SECONDS)
        config = json.loads(self("inspect", "--type", "image", tag))["OCIv1"]["config"]
        return Image(self, tag, config, self._bytes(tag) - self._bytes(BASE))

    def clear(self) -> None:
        """Keep the stand-in alone."""
        self("rm", "--all")
        for name in self._names() - {BASE}:
            self("rmi", "--force", name)
        self("rmi", "--prune")

    @contextmanager
    def mounted(self, image: str) -> Iterator[Path]:
        """The files of an image, for as long as the block runs."""
        container = self("from", "--pull-never", image)
        try:
            yield Path(self("mount", container))
        finally:
            self("rm", container)

    def running(self, container: str, command: Sequence[str], *options: str) -> list[str]:
        """The command line that runs a command in a container."""
        return [*self._options, "run", "--isolation", "chroot", *options, container, "--", *command]

    def _commit(self, root: Path) -> None:
        container = self("from", "scratch")
        self("add", "--quiet", container, str(root), "/")
        told = {"PATH": _PATH, "SSL_CERT_FILE": f"/{_CERTIFICATES}", "PIP_CERT": f"/{_CERTIFICATES}"}
        self("config", *(f"--env={name}={value}" for name, value in told.items()), container)
        self("commit", "--quiet", "--rm", container, BASE)

    def _names(self) -> set[str]:
        found = json.loads(self("images", "--json") or "[]")
        return {name for one in found for name in one["names"] or ()}

    def _bytes(self, image: str) -> int:
        """How much lies in an image, as its files are."""
        with self.mounted(image) as root:
            told = subprocess.run(["du", "-sb", root], capture_output=True, text=True, check=True)
        return int(told.stdout.split()[0])

    def _of(self, driver: str) -> list[str]:
        store, run = self._where / driver, self._where / f"{driver}-run"
        return ["buildah", "--root", str(store), "--runroot", str(run), "--storage-driver", driver]

    def _works(self, driver: str) -> bool:
        """Layers lie over each other where the file system lets them, else each is a copy."""
        asked = subprocess.run([*self._of(driver), "info"], capture_output=True, check=False)
        return asked.returncode == 0


@dataclass(frozen=True)
class Image:
    """An image that was built. config: entry point, command, user and environment as it tells them itself.
    size: bytes of its files above those of its base."""

    buildah: Buildah
    tag: str
    config: Mapping[str, Any]
    size: int

    @contextmanager
    def container(self) -> Iterator[str]:
        """A container with a disk of its own."""
        container = self.buildah("from", "--pull-never", self.tag)
        try:
            yield container
        finally:
            self.buildah("rm", container)

    def command(
        self,
        container: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        user: str = "",
        entry_point: Sequence[str] = (),
        volumes: Mapping[Path, str] | None = None,
    ) -> list[str]:
        """The command line that runs the image's entry point, or another, with these arguments; without any,
        with those that the image tells."""
        after = list(arguments) or self.config.get("Cmd", [])
        options = [f"--env={name}={value}" for name, value in environment.items()]
        options += [f"--user={user}"] if user else []
        options += [f"--volume={here}:{there}" for here, there in (volumes or {}).items()]
        return self.buildah.running(
            container, [*(entry_point or self.config["Entrypoint"]), *after], *options
        )

    def run(self, *arguments: str, seconds: float = 300, **how: Any) -> "subprocess.CompletedProcess[str]":
        """Run the entry point to its end, and read what it writes. how: as `command` takes it."""
        with self.container() as container, tempfile.TemporaryFile("w+") as log:
            command = self.command(container, arguments, how.pop("environment", {}), **how)
            process = processes.started(command, os.environ, log)  # type: ignore[arg-type]
            try:
                process.wait(timeout=seconds)
            finally:
                end(process)
            log.seek(0)
            return subprocess.CompletedProcess(command, process.returncode, log.read())

    def python(self, code: str, arguments: Sequence[str] = (), **how: Any) -> str:
        """What the image's own Python prints, as the image's own user."""
        done = self.run("-c", code, *arguments, entry_point=["python3"], **how)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process with what it has started; buildah alone would leave it running."""
    processes.tell(process, signal.SIGKILL)
    process.wait()


def extract(root: Path, packages: str, variant: str, architecture: str = "") -> None:
    """Lay Debian's packages below `root`. variant: 'minbase' installs them; 'extract' runs none of their
    scripts, so that the architecture may be another than this machine's."""
    told = [f"--variant={variant}", f"--include={packages}"]
    told += [f"--architectures={architecture}"] if architecture else []
    command = ["mmdebstrap", "--quiet", *told, RELEASE, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr[-4000:]}"


def _trust_as_here(root: Path) -> None:
    """Trust whom this machine trusts: where a proxy reads along, downloads have its certificate."""
    with suppress(FileNotFoundError):
        shutil.copyfile(Path("/") / _CERTIFICATES, root / _CERTIFICATES)
