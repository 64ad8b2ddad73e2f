"""The rows of the report, what each is compared with, and the aims."""

from dataclasses import dataclass


MEMORY_AIM = 300_000_000
"""Bytes that the engine's own process may take at its largest."""

CONDA_MEMORY_AIM = 600_000_000
"""The same with a conda channel of half a million records."""


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
    memory_aim: int = MEMORY_AIM
    """Bytes that the engine's own process may take at its largest."""


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
    Row("rattler_list_cold", "rattler, 20 conda packages of 500,000 records, nothing there", "", 0),
    Row("conda_list_cold", "Imagewright, the same as an image, channel not known", "rattler_list_cold", 1 / 1.3, CONDA_MEMORY_AIM),
    Row("rattler_list_known", "rattler, some of them in a new prefix, all known", "", 0),
    Row("conda_list_known", "Imagewright, the same as an image, all known", "rattler_list_known", 0, CONDA_MEMORY_AIM),
    Row("conda_list_identical", "Imagewright, the first image again", "rattler_list_known", 0, CONDA_MEMORY_AIM),
    Row("rattler_shards_cold", "rattler, the 20 packages, a channel in shards, nothing there", "", 0),
    Row("conda_shards_cold", "Imagewright, the same as an image, channel not known", "rattler_shards_cold", 1 / 1.3, CONDA_MEMORY_AIM),
    Row("rattler_shards_known", "rattler, some of them in a new prefix, all known", "", 0),
    Row("conda_shards_known", "Imagewright, the same as an image, all known", "rattler_shards_known", 0, CONDA_MEMORY_AIM),
    Row("conda_shards_identical", "Imagewright, the first image again", "rattler_shards_known", 0, CONDA_MEMORY_AIM),
)

STEPS = ("base", "system", "conda", "resolve", "packages", "layers", "push")
"""Imagewright's steps in their order."""
