"""Seconds, memory and traffic of one build."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import TIME_LIMIT, BenchError, described, last_lines, started
from bench.registry import Registry, Traffic

_INTERVAL = 0.02
"""Seconds between two looks at the memory. The kernel keeps the peak, so only the very last rise can be missed."""


@dataclass(frozen=True)
class Sample:
    """One measured build."""

    seconds: float
    """Wall time."""
    peak_memory: int
    """Bytes of the program's own process at its largest (`VmHWM`)."""
    peak_memory_of_children: int
    """Bytes of all processes it started, together, when they were largest (`VmRSS`)."""
    traffic: Traffic
    """The registry's side."""
    result: Mapping[str, object] = field(default_factory=dict)
    """What Imagewright itself said of the build; empty for PrimeHub's flow."""


def measured(
    registry: Registry, commands: Sequence[Sequence[str | Path]], environment: Mapping[str, str]
) -> tuple[Sample, str]:
    """Runs programs one after the other; returns their measures together and what the last wrote."""
    mark = registry.mark()
    seconds, own, children, output = 0.0, 0, 0, ""
    for command in commands:
        begin = time.monotonic()
        with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            watch = _MemoryWatch(process.pid)
            try:
                output, errors = process.communicate(timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired as error:
                raise BenchError(f"{described(command)} took longer than {TIME_LIMIT:.0f} s") from error
            finally:
                watch.stop()
        seconds += time.monotonic() - begin
        own, children = max(own, watch.peak), max(children, watch.peak_of_children)
        if process.returncode != 0:
            words = last_lines(errors or output)
            raise BenchError(f"{described(command)} failed with exit code {process.returncode}:\n{words}")
    return Sample(seconds, own, children, registry.since(mark)), output


class _MemoryWatch:
    """Looks at the memory of a process, and of those it starts, until it is told to stop."""

    def __init__(self, process: int) -> None:
        self.peak = 0
        self.peak_of_children = 0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, _memory(self._process, "VmHWM"))
            children = sum(_memory(child, "VmRSS") for child in self._descendants())
            self.peak_of_children = max(self.peak_of_children, children)
            if self._ended.wait(_INTERVAL):
                return

    def _descendants(self) -> list[int]:
        """Processes below the watched one.

        One that has not begun its own program yet still shares its parent's memory, and is not counted.
        """
        program = _program(self._process)
        found: list[int] = []
        ahead = [self._process]
        while ahead:
            children = _children(ahead.pop())
            ahead.extend(children)
            found.extend(children)
        return [child for child in found if _program(child) != program]


def _memory(process: int, name: str) -> int:
    """Bytes of a line of `/proc/PID/status`; 0 when the process has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _children(process: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.scandir(f"/proc/{process}/task"):
            children += map(int, Path(thread.path, "children").read_text(encoding="utf-8").split())
    except OSError:
        pass
    return children


def _program(process: int) -> str:
    try:
        return os.readlink(f"/proc/{process}/exe")
    except OSError:
        return ""
