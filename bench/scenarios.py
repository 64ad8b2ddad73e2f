"""Which builds are made, in which order, with which caches.

Every comparison begins with a registry that holds the base alone: a blob it has already would be stored, and often
sent, for nothing.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import base, containers, peer, registry
from bench.engine import Engine
from bench.measure import Sample
from bench.options import Options
from bench.processes import say
from bench.proof import Proof, compare
from bench.registry import Registry

Samples = dict[str, list[Sample]]
"""Measured builds by the key of their row."""


@dataclass
class Outcome:
    """All that was measured."""

    samples: Samples = field(default_factory=dict)
    proof: Proof | None = None

    def add(self, row: str, sample: Sample) -> None:
        """Keeps a sample, and says what came of it."""
        self.samples.setdefault(row, []).append(sample)
        say(f"{row.replace('_', ' ')}: {sample.seconds:.2f} s")


def run(options: Options, archive: Path, work: Path) -> Outcome:
    """Measures everything; the first run is also the one whose images are compared."""
    outcome = Outcome()
    for number in range(1, max(options.runs, options.peer_runs) + 1):
        say(f"run {number} of {max(options.runs, options.peer_runs)}")
        folder = work / str(number)
        with _registry_with_base(folder, "first", archive) as (home, base_image):
            peer_image = None
            with containers.storage(folder / "containers") as storage:
                if number <= options.peer_runs:
                    peer_image = _peer(options, home, storage, folder, base_image, outcome)
                if number <= options.runs:
                    _from_scratch(options, home, folder, base_image, outcome)
                if number == 1 and peer_image is not None:
                    our_image = f"{home.host}/ours/cold:1"
                    outcome.proof = compare(storage, peer_image, our_image, options.packages)
        if number <= options.runs:
            with _registry_with_base(folder, "second", archive) as (home, base_image):
                _with_known_base(options, home, folder, base_image, outcome)
            with _registry_with_base(folder, "third", archive) as (home, base_image):
                _with_known_packages(options, home, folder, base_image, outcome)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _peer(
    options: Options,
    home: Registry,
    storage: containers.Containers,
    folder: Path,
    base_image: str,
    outcome: Outcome,
) -> str:
    """PrimeHub's flow with an empty storage, then with one that has the base. Returns the second image."""
    cold, again = f"{home.host}/peer/cold:1", f"{home.host}/peer/base-there:1"
    context = folder / "context"
    outcome.add("peer_cold", peer.build(home, storage, context, base_image, options.packages, cold))
    storage.forget(cold)
    outcome.add("peer_base_there", peer.build(home, storage, context, base_image, options.packages, again))
    return again


def _from_scratch(options: Options, home: Registry, folder: Path, base_image: str, outcome: Outcome) -> None:
    """The first build on a new machine."""
    engine = Engine(options, home, _first_cache(folder), base_image)
    outcome.add("cold", engine.build(options.packages, "ours/cold:1"))


def _with_known_base(options: Options, home: Registry, folder: Path, base_image: str, outcome: Outcome) -> None:
    """A base that was read before; then one package more; then the very same again."""
    engine = Engine(options, home, _cache_with_base_alone(folder, "second"), base_image)
    outcome.add("base_known", engine.build(options.packages, "ours/notebook:1"))
    outcome.add("one_added", engine.build([*options.packages, options.one_more], "ours/notebook:2"))
    outcome.add("identical", engine.build(options.packages, "ours/notebook:1"))


def _with_known_packages(
    options: Options, home: Registry, folder: Path, base_image: str, outcome: Outcome
) -> None:
    """Each package was built before in another image, this set never."""
    if len(options.packages) < 2:
        say("a new combination needs two packages: left out")
        return
    engine = Engine(options, home, _cache_with_base_alone(folder, "third"), base_image)
    middle = len(options.packages) // 2
    engine.build(options.packages[:middle], "ours/some:1")
    engine.build(options.packages[middle:], "ours/others:1")
    outcome.add("seen_before", engine.build(options.packages, "ours/all:1"))


def _first_cache(folder: Path) -> Path:
    return folder / "cache-first"


def _cache_with_base_alone(folder: Path, name: str) -> Path:
    """A cache as it is when the base was read and nothing was built: its path index, no packages, no resolver data."""
    cache = folder / f"cache-{name}"
    shutil.copytree(_first_cache(folder) / "index", cache / "index")
    return cache


@contextmanager
def _registry_with_base(folder: Path, name: str, archive: Path) -> Iterator[tuple[Registry, str]]:
    """A new registry that holds the base image, and the base's reference."""
    with registry.running(folder / f"registry-{name}") as home:
        yield home, base.push(archive, home)
