"""What every comparison starts from, and what is kept of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import base, registry
from bench.measure import Sample
from bench.processes import say
from bench.proof import Proof
from bench.registry import Registry

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


@dataclass(frozen=True)
class SystemProof:
    """The system packages of both images beside each other."""

    packages: list[str]
    """What was asked for."""
    installed: int
    """System packages in our image, those of the base included."""
    differences: list[str]
    """Packages that are in one image only, at another version, or not installed, in words."""
    program: str
    """A command that was run in both images."""
    peer: str
    """What it said in theirs."""
    ours: str
    """What it said in ours."""


@dataclass
class Outcome:
    """All that was measured."""

    samples: Samples = field(default_factory=dict)
    proof: Proof | None = None
    system_proofs: list[SystemProof] = field(default_factory=list)

    def add(self, row: str, sample: Sample) -> None:
        """Keeps a sample, and says what came of it."""
        self.samples.setdefault(row, []).append(sample)
        say(f"{row.replace('_', ' ')}: {sample.seconds:.2f} s")


@contextmanager
def ground(folder: Path, name: str, archive: Path) -> Iterator[Ground]:
    """A new registry that holds the base image."""
    with registry.running(folder / f"registry-{name}") as home:
        yield Ground(home, base.push(archive, home), folder)
