"""On what, with what and when it was measured."""

import datetime
import os
import platform
import re
from pathlib import Path

from bench.options import ROOT
from bench.processes import BenchError, run, tools_on_path


def describe(imagewright: Path) -> dict[str, str | int]:
    """Facts for the head of a report."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
        "imagewright": _version([imagewright, "--version"]),
        "revision": _revision(),
        "uv": _version(["uv", "--version"]),
        "buildah": _version(["buildah", "--version"]),
        "registry": _version(["docker-registry", "--version"]),
    }


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(command: list[str | Path]) -> str:
    """The first number with points in what a program says of itself."""
    words = run(command, environment=dict(os.environ, PATH=tools_on_path()))
    found = re.search(r"\d+(\.\d+)+[^\s,]*", words)
    return found[0] if found else words.strip()


def _revision() -> str:
    """The checkout's commit, marked when files differ from it; empty outside a checkout."""
    try:
        return run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"]).strip()
    except BenchError:
        return ""
