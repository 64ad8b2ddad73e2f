"""System packages: which builds are made, and whether both flows installed the same.

A first build begins with nothing on either side: no base, no package lists, no cache. What stays warm is outside of
both flows, the mirror and this machine's disk cache; so they take turns in going first. The flow of PrimeHub is
measured as often as ours, since a few tenths decide whether the aim is reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import containers, peer
from bench.containers import Containers
from bench.engine import Engine
from bench.ground import Ground, Outcome, SystemProof, ground
from bench.options import Options
from bench.processes import say

ONE = ("jq",)
"""A small package: most of the time is that of reading the lists."""

TEN = ("curl", "git", "graphviz", "jq", "less", "libgl1", "rsync", "unzip", "vim-tiny", "wget")
"""What data-science images commonly ask for."""

_PROGRAM = ("jq", "--version")
"""Runs in the images of both sets."""

_LIST = ("dpkg-query", "--show", "--showformat", "${binary:Package} ${Version} ${db:Status-Status}\\n")
_INSTALLED = "installed"


@dataclass(frozen=True)
class _Set:
    """One set of packages in one run, with all that its builds need."""

    name: str
    packages: tuple[str, ...]
    place: Ground
    storage: Containers
    engine: Engine

    @property
    def their_image(self) -> str:
        """Reference of what PrimeHub's flow built first."""
        return f"{self.place.registry.host}/peer/{self.name}:1"

    @property
    def our_repository(self) -> str:
        """Repository and tag of what Imagewright built first."""
        return f"ours/{self.name}:1"


def run(options: Options, archive: Path, folder: Path, number: int, outcome: Outcome) -> None:
    """One run: one package, then ten, then the ten once more for another image."""
    for name, packages in (("one", ONE), ("ten", TEN)):
        with (
            ground(folder, f"system-{name}", archive) as place,
            containers.storage(folder / f"containers-{name}") as storage,
        ):
            engine = Engine(options, place.registry, folder / f"cache-system-{name}", place.base)
            wanted = _Set(name, packages, place, storage, engine)
            flows: list[Callable[[_Set, Outcome], None]] = [_ours]
            if options.peer_runs > 0:
                flows.append(_theirs)
            for flow in flows if number % 2 else reversed(flows):
                flow(wanted, outcome)
            if number == 1 and options.peer_runs > 0:
                outcome.system_proofs.append(_compare(wanted))


def _ours(wanted: _Set, outcome: Outcome) -> None:
    """With an empty cache; the ten then for another image, whose repository has none of their layers."""
    outcome.add(f"apt_{wanted.name}", wanted.engine.build((), wanted.our_repository, wanted.packages))
    if wanted.packages is TEN:
        outcome.add("apt_seen_before", wanted.engine.build((), "ours/another:1", wanted.packages))


def _theirs(wanted: _Set, outcome: Outcome) -> None:
    """With an empty storage; the ten then with one that has the base, for another image."""
    _their_build(wanted, f"peer_apt_{wanted.name}", wanted.their_image, outcome)
    if wanted.packages is TEN:
        wanted.storage.forget(wanted.their_image)
        another = f"{wanted.place.registry.host}/peer/another:1"
        _their_build(wanted, "peer_apt_base_there", another, outcome)
        wanted.storage.forget(another)


def _their_build(wanted: _Set, row: str, to: str, outcome: Outcome) -> None:
    place, context = wanted.place, wanted.place.folder / f"context-{wanted.name}"
    sample = peer.build(place.registry, wanted.storage, context, place.base, (), to, wanted.packages)
    outcome.add(row, sample)


def _compare(wanted: _Set) -> SystemProof:
    """Pulls both images and asks dpkg, and a program that was installed."""
    say("comparing the system packages")
    theirs, their_answer = _look_into(wanted, wanted.their_image)
    ours, our_answer = _look_into(wanted, f"{wanted.place.registry.host}/{wanted.our_repository}")
    names = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    differences = [f"{name}: {theirs.get(name, 'absent')} in theirs, {ours.get(name, 'absent')} in ours" for name in names]
    installed = {name.partition(":")[0] for name, state in ours.items() if state.split()[-1] == _INSTALLED}
    differences += [f"{name}: not installed in ours" for name in wanted.packages if name not in installed]
    return SystemProof(list(wanted.packages), len(ours), differences, " ".join(_PROGRAM), their_answer, our_answer)


def _look_into(wanted: _Set, image: str) -> tuple[dict[str, str], str]:
    """Version and state of every system package of an image, and what the program in it says."""
    with wanted.storage.container(image) as container:
        listed = wanted.storage.run_in(container, _LIST).splitlines()
        answer = wanted.storage.run_in(container, _PROGRAM)
    states = (line.partition(" ") for line in listed)
    return {name: state for name, _, state in states}, answer
