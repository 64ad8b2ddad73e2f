"""One run of `imagewright build`."""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Sample, measured
from bench.options import Options
from bench.processes import BenchError, run, tools_on_path
from bench.registry import Registry


class Engine:
    """Imagewright with a cache and, in one registry, a repository for layers."""

    def __init__(self, options: Options, registry: Registry, cache: Path, base: str) -> None:
        self._options = options
        self._registry = registry
        self._cache = cache
        self._base = base

    def read_base(self) -> None:
        """Reads the base, so that its index is known."""
        run([self._options.imagewright, "inspect", "--json", self._base], self._environment())

    def build(
        self,
        packages: Sequence[str],
        to: str,
        system_packages: Sequence[str] = (),
        conda: tuple[str, Sequence[str]] | None = None,
    ) -> Sample:
        """Builds and pushes `HOST/to`; returns its measures with Imagewright's own summary."""
        command: list[str | Path] = [self._options.imagewright, "build", "--events", "json", "--base", self._base]
        for package in packages:
            command += ["--pip", package]
        for package in system_packages:
            command += ["--apt", package]
        if conda is not None:
            channel, specs = conda
            command += ["--conda", " ".join(["-c", channel, *specs])]
        if self._options.gzip:
            command += ["--compression", "gzip"]
        command += ["--layer-repo", f"{self._registry.host}/layers", "--to", f"{self._registry.host}/{to}"]
        sample, output = measured(self._registry, [command], self._environment())
        return dataclasses.replace(sample, result=_result(output))

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ, IMAGEWRIGHT_CACHE=str(self._cache), PATH=tools_on_path())
        # The same index as the other flow.
        if index := os.environ.get("PIP_INDEX_URL"):
            environment.setdefault("IMAGEWRIGHT_INDEX_URL", index)
        return environment


def _result(output: str) -> dict[str, object]:
    """The summary among the events."""
    for line in reversed(output.splitlines()):
        event = json.loads(line)
        if event.get("event") == "result":
            return {name: value for name, value in event.items() if name != "event"}
    raise BenchError("imagewright ended well without a result event")
