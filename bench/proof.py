"""Whether the images of both flows hold the same, and import it as fast."""

import json
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.containers import Containers
from bench.processes import say

RUNS = 5
"""Imports in each image, every one in a fresh container; one more comes first and only fills the disk cache."""

# In the image: the modules that distributions provide. sys.argv: names of distributions.
_MODULES = """
import json, re, sys
from importlib.metadata import packages_distributions
normal = lambda name: re.sub('[-_.]+', '-', name).lower()
wanted = {normal(name) for name in sys.argv[1:]}
provided = packages_distributions().items()
print(json.dumps(sorted(
    module for module, names in provided
    if module.isidentifier() and not module.startswith('_') and wanted & {normal(name) for name in names})))
"""

# In the image: seconds that importing takes a new Python, and how many .pyc files are new or changed afterwards.
_IMPORT = """
import json, os, subprocess, sys, time
def bytecode():
    found = {}
    for folder in filter(os.path.isdir, sys.path):
        for parent, _, files in os.walk(folder):
            for file in files:
                if file.endswith('.pyc'):
                    path = os.path.join(parent, file)
                    status = os.stat(path)
                    found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found
before = bytecode()
begin = time.perf_counter()
subprocess.run([sys.executable, '-c', 'import ' + ', '.join(sys.argv[1:])], check=True)
seconds = time.perf_counter() - begin
changed = sum(before.get(path) != value for path, value in bytecode().items())
print(json.dumps({'seconds': seconds, 'bytecode_written': changed}))
"""


@dataclass(frozen=True)
class Imports:
    """How an image imports the packages."""

    seconds: list[float]
    """Each time, the start of Python included."""
    bytecode_written: int
    """`.pyc` files that Python had to write, in all imports together: 0 where those that are there are valid."""

    @property
    def median(self) -> float:
        """The time to compare."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Proof:
    """Both images beside each other."""

    modules: list[str]
    """What was imported."""
    packages: int
    """Distributions in our image."""
    differences: list[str]
    """Distributions that are in one image only or at another version, in words."""
    peer: Imports
    ours: Imports
    pip_check: str
    """What `pip check` says in our image."""


def compare(containers: Containers, peer_image: str, our_image: str, packages: Sequence[str]) -> Proof:
    """Pulls both images and asks them."""
    say("comparing the images")
    names = [re.split(r"[^A-Za-z0-9._-]", package.strip(), maxsplit=1)[0] for package in packages]
    with containers.container(peer_image) as peer, containers.container(our_image) as ours:
        modules = json.loads(_python(containers, ours, _MODULES, names))
        theirs, own = _distributions(containers, peer), _distributions(containers, ours)
        pip_check = containers.run_in(ours, ["python3", "-m", "pip", "check"])
    # In turns, so that a busy moment of the machine does not hit one of them alone.
    answers: dict[str, list[dict[str, float]]] = {peer_image: [], our_image: []}
    for _ in range(1 + RUNS):
        for image, found in answers.items():
            with containers.container(image) as container:
                found.append(json.loads(_python(containers, container, _IMPORT, modules)))
    return Proof(
        modules=modules,
        packages=len(own),
        differences=_differences(theirs, own),
        peer=_imports(answers[peer_image]),
        ours=_imports(answers[our_image]),
        pip_check=pip_check,
    )


def _imports(answers: list[dict[str, float]]) -> Imports:
    return Imports(
        seconds=[answer["seconds"] for answer in answers[1:]],
        bytecode_written=sum(int(answer["bytecode_written"]) for answer in answers),
    )


def _python(containers: Containers, container: str, program: str, arguments: Sequence[str]) -> str:
    return containers.run_in(container, ["python3", "-c", program, *arguments])


def _distributions(containers: Containers, container: str) -> dict[str, str]:
    """Name and version of everything `pip list` shows."""
    answer = containers.run_in(container, ["python3", "-m", "pip", "list", "--format=json"])
    return {entry["name"]: entry["version"] for entry in json.loads(answer)}


def _differences(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    return [
        f"{name}: {theirs.get(name, 'absent')} in theirs, {ours.get(name, 'absent')} in ours"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name) != ours.get(name)
    ]
