"""What can be said on the command line."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PACKAGES = ("jupyterlab", "pandas", "scikit-learn", "matplotlib")


@dataclass(frozen=True)
class Options:
    """The options of one run."""

    packages: tuple[str, ...]
    """pip requirements that every image gets."""
    one_more: str
    """The requirement that the row "one package added" adds."""
    runs: int
    """How often each build of ours is measured."""
    peer_runs: int
    """How often PrimeHub's flow is measured; 0 leaves it out."""
    gzip: bool
    """Compress layers with gzip, as PrimeHub's flow does, instead of zstd."""
    imagewright: Path
    """The program."""
    json: Path
    """Where the results go as JSON."""
    only: str
    """`pip`, `apt` or `conda`: that part alone; empty for all."""
    records: int
    """Records of the conda channel."""
    keep: bool
    """Leave registries, caches and images where they are."""


def _count(text: str) -> int:
    """A number of runs."""
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def parse() -> Options:
    """Reads the command line; a wrong one ends the program with a usage message."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compare Imagewright with PrimeHub's flow: same base, same registry, same packages.",
    )
    parser.add_argument(
        "--packages",
        nargs="+",
        metavar="REQ",
        default=list(DEFAULT_PACKAGES),
        help=f"pip requirements of the image [default: {' '.join(DEFAULT_PACKAGES)}]",
    )
    parser.add_argument(
        "--one-more", metavar="REQ", default="seaborn", help="requirement that is added to them [default: seaborn]"
    )
    parser.add_argument("--runs", type=_count, default=3, metavar="N", help="runs of every build [default: 3]")
    parser.add_argument("--peer-runs", type=_count, default=1, metavar="N", help="runs of PrimeHub's flow with pip packages [default: 1]")
    parser.add_argument("--skip-peer", action="store_true", help="measure Imagewright alone, without ratios")
    parser.add_argument("--only", choices=("pip", "apt", "conda"), default="", help="measure this part alone")
    parser.add_argument(
        "--records", type=_count, default=500_000, metavar="N", help="records of the conda channel [default: 500000]"
    )
    parser.add_argument("--gzip", action="store_true", help="compress layers with gzip instead of zstd")
    parser.add_argument(
        "--json",
        type=Path,
        default=ROOT / "target/bench/latest.json",
        metavar="FILE",
        help="where the results go as JSON [default: target/bench/latest.json]",
    )
    parser.add_argument("--keep", action="store_true", help="keep the working folder, and say where it is")
    parser.add_argument(
        "--imagewright",
        type=Path,
        default=target / "release/imagewright",
        metavar="FILE",
        help="the program [default: the release build]",
    )
    given = parser.parse_args()
    if not os.access(given.imagewright, os.X_OK):
        parser.error(f"{given.imagewright} is not there: run `make build`, or name the program with --imagewright")
    return Options(
        packages=tuple(given.packages),
        one_more=given.one_more,
        runs=given.runs,
        peer_runs=0 if given.skip_peer else given.peer_runs,
        gzip=given.gzip,
        imagewright=given.imagewright.resolve(),
        json=given.json,
        only=given.only,
        records=given.records,
        keep=given.keep,
    )
