"""System packages: each comparison with a machine where nothing is there, on both sides."""

from pathlib import Path

from bench import containers, peer
from bench.containers import Containers
from bench.engine import Engine
from bench.ground import Ground, Outcome, ground
from bench.options import Options
from bench.processes import BenchError, say

ONE = ("jq",)
"""A small package: most of the time is that of reading the lists."""

TEN = ("curl", "git", "graphviz", "jq", "less", "libgl1", "rsync", "unzip", "vim-tiny", "wget")
"""What data-science images commonly ask for; some seventy packages with all they need."""

_AIMS = (("one", ONE), ("ten", TEN))


def run(options: Options, archive: Path, folder: Path, number: int, outcome: Outcome) -> None:
    """One run: one package, ten packages, and the ten once more for another image."""
    for name, packages in _AIMS:
        with (
            ground(folder, f"system-{name}", archive) as place,
            containers.storage(folder / f"containers-{name}") as storage,
        ):
            theirs, ours = f"{place.registry.host}/peer/{name}:1", f"ours/{name}:1"
            if number <= options.peer_runs:
                sample = peer.build(place.registry, storage, folder / name, place.base, (), theirs, packages)
                outcome.add(f"peer_apt_{name}", sample)
            if number > options.runs:
                continue
            engine = Engine(options, place.registry, folder / f"cache-system-{name}", place.base)
            outcome.add(f"apt_{name}", engine.build((), ours, packages))
            if number == 1 and options.peer_runs > 0:
                _prove(storage, place, theirs, ours)
            if packages is TEN:
                outcome.add("apt_seen_before", engine.build((), "ours/another:1", packages))


def _prove(storage: Containers, place: Ground, theirs: str, ours: str) -> None:
    """Both images have the same system packages."""
    question = ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\\n"]
    listed = []
    for image in (theirs, f"{place.registry.host}/{ours}"):
        with storage.container(image) as container:
            listed.append(set(storage.run_in(container, question).splitlines()))
    if listed[0] != listed[1]:
        different = ", ".join(sorted(listed[0] ^ listed[1]))
        raise BenchError(f"the images do not hold the same system packages: {different}")
    say(f"both images hold the same {len(listed[0])} system packages")
