"""buildah in storage of its own: it neither sees nor changes this machine's images."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import BenchError, run

RUN = ("run", "--isolation", "chroot")
"""Runs a command without control groups, which build machines often do not give."""


class Containers:
    """A storage for images and containers."""

    def __init__(self, folder: Path, driver: str) -> None:
        root, run_root = folder / "root", folder / "run"
        self._options: list[str | Path] = ["--root", root, "--runroot", run_root, "--storage-driver", driver]

    def command(self, *words: str | Path) -> list[str | Path]:
        """A `buildah` command that works in this storage."""
        return ["buildah", *self._options, *words]

    def buildah(self, *words: str | Path) -> str:
        """Runs it and returns what it says."""
        return run(self.command(*words)).strip()

    @contextmanager
    def container(self, reference: str) -> Iterator[str]:
        """A fresh container of an image, which is pulled unless it is there."""
        name = self.buildah("from", "--quiet", "--tls-verify=false", f"docker://{reference}")
        try:
            yield name
        finally:
            self.buildah("rm", name)

    def run_in(self, container: str, command: Sequence[str]) -> str:
        """What a command in a container writes."""
        return self.buildah(*RUN, container, "--", *command)

    def forget(self, reference: str) -> None:
        """Removes an image; layers that others need stay."""
        self.buildah("rmi", "--force", reference)

    def clear(self) -> None:
        """Removes everything, also after an error half-way: then the error is what matters."""
        for words in (("rm", "--all"), ("rmi", "--all", "--force")):
            with contextlib.suppress(BenchError):
                self.buildah(*words)


@contextmanager
def storage(folder: Path) -> Iterator[Containers]:
    """A new, empty storage. Its content goes with the block: buildah must unmount what it mounted."""
    folder.mkdir(parents=True)
    containers = Containers(folder, _driver(folder))
    try:
        yield containers
    finally:
        containers.clear()


def _driver(folder: Path) -> str:
    """`overlay` where kernel and file system allow it, else `vfs`, which works everywhere and is slow."""
    with contextlib.suppress(BenchError):
        Containers(folder / "try", "overlay").buildah("info")
        return "overlay"
    return "vfs"
