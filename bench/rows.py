"""The rows of the report, what each is compared with, and the aims."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One kind of build."""

    key: str
    """Under which its samples are kept."""
    title: str
    """What people read."""
    against: str
    """The row of PrimeHub's flow it is compared with; empty for that flow itself."""
    aim: float
    """How many times faster it shall be; 0 where nothing is aimed at."""


ROWS = (
    Row("peer_cold", "PrimeHub's flow, nothing there", "", 0),
    Row("peer_base_there", "PrimeHub's flow, base there", "", 0),
    Row("cold", "Imagewright, nothing cached", "peer_cold", 5),
    Row("base_known", "Imagewright, base known", "peer_base_there", 6),
    Row("one_added", "Imagewright, one package added", "peer_base_there", 15),
    Row("seen_before", "Imagewright, new combination of known packages", "peer_base_there", 40),
    Row("identical", "Imagewright, the same again", "peer_base_there", 100),
    Row("peer_apt_one", "PrimeHub's flow, one APT package, nothing there", "", 0),
    Row("apt_one", "Imagewright, one APT package, nothing cached", "peer_apt_one", 1.2),
    Row("peer_apt_ten", "PrimeHub's flow, ten APT packages, nothing there", "", 0),
    Row("apt_ten", "Imagewright, ten APT packages, nothing cached", "peer_apt_ten", 1.2),
    Row("peer_apt_base_there", "PrimeHub's flow, the ten APT packages for another image, base there", "", 0),
    Row("apt_seen_before", "Imagewright, the ten APT packages for another image", "peer_apt_base_there", 30),
)

MEMORY_AIM = 300_000_000
"""Bytes that the engine's own process may take at its largest."""

STEPS = ("base", "system", "resolve", "packages", "layers", "push")
"""Imagewright's steps in their order."""
