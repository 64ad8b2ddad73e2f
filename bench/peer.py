"""PrimeHub's flow: a Dockerfile with one step per package manager, built by buildah, then pushed.

Its builder does this in a pod that starts with an empty storage; where an administrator gave it a shared one, the
base is there already. Both are measured. Layers are not cached, as there.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from bench.containers import Containers
from bench.measure import Sample, measured
from bench.registry import Registry

_PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
"""This machine's package index, if it has one of its own: for the step alone, never for the image."""

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def dockerfile(base: str, packages: Sequence[str], system_packages: Sequence[str] = ()) -> str:
    """The file that PrimeHub writes for pip and APT packages.

    Debian asks for PIP_BREAK_SYSTEM_PACKAGES before pip may touch its Python; other bases ignore it.
    """
    steps = []
    if system_packages:
        # Without what is only recommended, as we install them: both images are to hold the same.
        words = " ".join(system_packages)
        install = f"apt-get install --yes --no-install-recommends {words}"
        steps.append(f"RUN apt-get update && DEBIAN_FRONTEND=noninteractive {install}\n")
    if packages:
        words = " ".join(f"'{package}'" for package in packages)
        steps.append(f"RUN pip install {words}\n")
    arguments = "".join(f"ARG {name}\n" for name in _passed_on())
    return f"FROM {base}\nUSER root\nARG PIP_BREAK_SYSTEM_PACKAGES=1\n{arguments}{''.join(steps)}"


def build(
    registry: Registry,
    containers: Containers,
    folder: Path,
    base: str,
    packages: Sequence[str],
    to: str,
    system_packages: Sequence[str] = (),
) -> Sample:
    """One build and push. Pulls the base unless the storage has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "Dockerfile"
    file.write_text(dockerfile(base, packages, system_packages), encoding="utf-8")
    bud: list[str | Path] = ["bud", "--isolation", "chroot", "--tls-verify=false", "--layers=false"]
    for name in _passed_on():
        # Without a value: buildah takes it from the environment, where nobody else sees it.
        bud += ["--build-arg", name]
    if certificates := os.environ.get("SSL_CERT_FILE"):
        bud += ["--volume", f"{Path(certificates).resolve()}:{_CERTIFICATES}:ro"]
    bud += ["--file", file, "--tag", to, folder]
    push = ["push", "--quiet", "--tls-verify=false", to, f"docker://{to}"]
    commands = [containers.command(*bud), containers.command(*push)]
    sample, _ = measured(registry, commands, dict(os.environ))
    return sample


def _passed_on() -> list[str]:
    return [name for name in _PASSED_ON if os.environ.get(name)]
