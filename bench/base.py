"""The base image: Debian 12 with Python 3.11 and pip, as one compressed layer."""

import os
import tempfile
from pathlib import Path

from bench.options import ROOT
from bench.processes import run, say
from bench.registry import Registry

REPOSITORY = "bases/python"

_MADE_BY_TESTKIT = ROOT / "target/testkit/debian-12-python-1.tar.gz"
_MADE_BY_DEMO = ROOT / "target/demo/debian-12-python.tar.gz"
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


def archive() -> Path:
    """The layer's file: one that the tests or the demo have made, else a new one, kept for the next time."""
    # The test kit writes the description last: where it is, the archive is whole.
    if _MADE_BY_TESTKIT.with_name("debian-12-python-1.json").is_file():
        return _MADE_BY_TESTKIT
    if not _MADE_BY_DEMO.is_file():
        say("making the base image with mmdebstrap")
        _MADE_BY_DEMO.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_MADE_BY_DEMO.parent) as folder:
            unfinished = Path(folder) / "base.tar.gz"
            packages = "--include=python3,python3-pip,ca-certificates"
            run(["mmdebstrap", "--quiet", "--variant=apt", packages, "bookworm", unfinished, *_own_mirror()])
            os.replace(unfinished, _MADE_BY_DEMO)
    return _MADE_BY_DEMO


def push(layer: Path, registry: Registry) -> str:
    """Makes an image of the layer in a registry; returns its reference."""
    reference = f"{registry.host}/{REPOSITORY}:3.11"
    run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"tarball:{layer}", f"docker://{reference}"])
    return reference


def _own_mirror() -> list[Path]:
    """A machine with a Debian 12 mirror of its own uses it here too."""
    if _SOURCES.is_file() and "bookworm" in _SOURCES.read_text(encoding="utf-8"):
        return [_SOURCES]
    return []
