"""Which builds are made, in which order, with which caches.

Every comparison begins with a registry that holds the base alone: a blob it has already would be stored, and often
sent, for nothing.
"""

import shutil
from pathlib import Path

from bench import conda, containers, peer, system
from bench.containers import Containers
from bench.engine import Engine
from bench.ground import Ground, Outcome, ground
from bench.options import Options
from bench.processes import say
from bench.proof import compare

_PEER_IMAGE = "peer/base-there:1"
_OUR_IMAGE = "ours/cold:1"
"""The two images that are compared with each other."""


def run(options: Options, archive: Path, work: Path) -> Outcome:
    """Measures everything; the first run is also the one whose images are compared."""
    outcome = Outcome()
    count = max(options.runs, options.peer_runs)
    for number in range(1, count + 1):
        say(f"run {number} of {count}")
        folder = work / str(number)
        if options.only in ("", "pip"):
            _pip(options, archive, folder, number, outcome)
        if options.only in ("", "apt") and number <= options.runs:
            system.run(options, archive, folder, number, outcome)
        if options.only in ("", "conda") and number <= options.runs:
            conda.run(options, archive, folder, number, outcome)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _pip(options: Options, archive: Path, folder: Path, number: int, outcome: Outcome) -> None:
    """One run with pip packages."""
    with ground(folder, "first", archive) as place, containers.storage(folder / "containers") as storage:
        if number <= options.peer_runs:
            _peer(options, place, storage, outcome)
        if number <= options.runs:
            _from_scratch(options, place, outcome)
        if number == 1 and options.peer_runs > 0:
            theirs, ours = (f"{place.registry.host}/{name}" for name in (_PEER_IMAGE, _OUR_IMAGE))
            outcome.proof = compare(storage, theirs, ours, options.packages)
    if number <= options.runs:
        with ground(folder, "second", archive) as place:
            _with_known_base(options, place, outcome)
        with ground(folder, "third", archive) as place:
            _with_known_packages(options, place, outcome)


def _peer(options: Options, place: Ground, storage: Containers, outcome: Outcome) -> None:
    """PrimeHub's flow with an empty storage, then with one that has the base."""
    host, context = place.registry.host, place.folder / "context"
    cold, again = f"{host}/peer/cold:1", f"{host}/{_PEER_IMAGE}"
    outcome.add("peer_cold", peer.build(place.registry, storage, context, place.base, options.packages, cold))
    storage.forget(cold)
    outcome.add("peer_base_there", peer.build(place.registry, storage, context, place.base, options.packages, again))


def _from_scratch(options: Options, place: Ground, outcome: Outcome) -> None:
    """The first build on a new machine."""
    engine = Engine(options, place.registry, _first_cache(place.folder), place.base)
    outcome.add("cold", engine.build(options.packages, _OUR_IMAGE))


def _with_known_base(options: Options, place: Ground, outcome: Outcome) -> None:
    """A base that was read before; then one package more; then the very same again."""
    engine = Engine(options, place.registry, _cache_with_base_alone(place.folder, "second"), place.base)
    outcome.add("base_known", engine.build(options.packages, "ours/notebook:1"))
    outcome.add("one_added", engine.build([*options.packages, options.one_more], "ours/notebook:2"))
    outcome.add("identical", engine.build(options.packages, "ours/notebook:1"))


def _with_known_packages(options: Options, place: Ground, outcome: Outcome) -> None:
    """Each package was built before in another image, this set never."""
    middle = len(options.packages) // 2
    if middle == 0:
        say("a new combination needs two packages: left out")
        return
    engine = Engine(options, place.registry, _cache_with_base_alone(place.folder, "third"), place.base)
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
