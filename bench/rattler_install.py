"""Solves and installs with rattler's own Python package; run by the interpreter that has it.

    rattler_install.py CHANNEL CACHE PREFIX SPEC...
"""

import asyncio
import os
import pathlib
import sys

from rattler import Channel, Gateway, GenericVirtualPackage, PackageName, Version, install, solve
from rattler.package import BuildString

# What the base image has.
MACHINE = {"__glibc": "2.36", "__linux": "4.18", "__unix": "0"}


async def main() -> None:
    """Solves and installs."""
    channel, cache, prefix, *specs = sys.argv[1:]
    machine = [
        GenericVirtualPackage(PackageName(name), Version(version), BuildString("0")) for name, version in MACHINE.items()
    ]
    folder = pathlib.Path(cache)
    gateway = Gateway(cache_dir=folder / "channels")
    platforms = ["linux-64", "noarch"]
    records = await solve([Channel(channel)], specs, gateway=gateway, platforms=platforms, virtual_packages=machine)
    await install(records, target_prefix=prefix, cache_dir=folder / "packages")
    print(len(records), flush=True)
    # Its threads sometimes outlive the interpreter, which then ends with an error: the work is done here.
    os._exit(0)


asyncio.run(main())
