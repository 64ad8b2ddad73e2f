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
from bench.containers import Containers
from bench.engine import Engine
from bench.measure import Sample
from bench.options import Options
from bench.processes import say
from bench.proof import Proof, compare
from bench.registry import Registry

_PEER_IMAGE = "peer/base-there:1"
_OUR_IMAGE = "ours/cold:1"
"""The two images that are compared with each other."""

Samples = dict[str, list[Sample]]
"""Measured builds by the key of their row."""


@dataclass(frozen=True)
class Ground:
    """What a comparison starts from."""

    registry: Registry
    """Holds the base and nothing else."""
    base: str
    """The base's reference."""
    folder: Path
    """For everything that this run makes."""


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
    count = max(options.runs, options.peer_runs)
    for number in range(1, count + 1):
        say(f"run {number} of {count}")
        folder = work / str(number)
        with _ground(folder, "first", archive) as ground, containers.storage(folder / "containers") as storage:
            if number <= options.peer_runs:
                _peer(options, ground, storage, outcome)
            if number <= options.runs:
                _from_scratch(options, ground, outcome)
            if number == 1 and options.peer_runs > 0:
                theirs, ours = (f"{ground.registry.host}/{name}" for name in (_PEER_IMAGE, _OUR_IMAGE))
                outcome.proof = compare(storage, theirs, ours, options.packages)
        if number <= options.runs:
            with _ground(folder, "second", archive) as ground:
                _with_known_base(options, ground, outcome)
            with _ground(folder, "third", archive) as ground:
                _with_known_packages(options, ground, outcome)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _peer(options: Options, ground: Ground, storage: Containers, outcome: Outcome) -> None:
    """PrimeHub's flow with an empty storage, then with one that has the base."""
    host, context = ground.registry.host, ground.folder / "context"
    cold, again = f"{host}/peer/cold:1", f"{host}/{_PEER_IMAGE}"
    outcome.add("peer_cold", peer.build(ground.registry, storage, context, ground.base, options.packages, cold))
    storage.forget(cold)
    outcome.add("peer_base_there", peer.build(ground.registry, storage, context, ground.base, options.packages, again))


def _from_scratch(options: Options, ground: Ground, outcome: Outcome) -> None:
    """The first build on a new machine."""
    engine = Engine(options, ground.registry, _first_cache(ground.folder), ground.base)
    outcome.add("cold", engine.build(options.packages, _OUR_IMAGE))


def _with_known_base(options: Options, ground: Ground, outcome: Outcome) -> None:
    """A base that was read before; then one package more; then the very same again."""
    engine = Engine(options, ground.registry, _cache_with_base_alone(ground.folder, "second"), ground.base)
    outcome.add("base_known", engine.build(options.packages, "ours/notebook:1"))
    outcome.add("one_added", engine.build([*options.packages, options.one_more], "ours/notebook:2"))
    outcome.add("identical", engine.build(options.packages, "ours/notebook:1"))


def _with_known_packages(options: Options, ground: Ground, outcome: Outcome) -> None:
    """Each package was built before in another image, this set never."""
    middle = len(options.packages) // 2
    if middle == 0:
        say("a new combination needs two packages: left out")
        return
    engine = Engine(options, ground.registry, _cache_with_base_alone(ground.folder, "third"), ground.base)
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
def _ground(folder: Path, name: str, archive: Path) -> Iterator[Ground]:
    """A new registry that holds the base image."""
    with registry.running(folder / f"registry-{name}") as home:
        yield Ground(home, base.push(archive, home), folder)
