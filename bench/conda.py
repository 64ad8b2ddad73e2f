"""conda packages from a channel of half a million records, beside rattler's own solver and installer.

Both ask the same channel on this machine for the same packages. rattler links them into a prefix on a disk; Imagewright
makes layers of them, and pushes an image: it does more. Its base was read before, since rattler has none.
"""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.engine import Engine
from bench.ground import Ground, Outcome, ground
from bench.measure import measured
from bench.options import ROOT, Options
from bench.processes import run as run_program
from bench.processes import say, tools_on_path

RATTLER = ("py-rattler==0.28.0", "msgpack==1.1.1", "zstandard==0.23.0")
"""What the other side is measured with, and what its channel is made with."""

SOME = ("pkg-00080", "pkg-00095", "python=3.11")
"""Built first where packages are known."""

WANTED = ("pkg-00080", "pkg-00090", "pkg-00095", "pkg-00100", "pkg-00110", "python=3.11")
"""Some twenty packages with what they need."""

CHANNELS = (("big", "list"), ("sharded", "shards"))
"""Folder of each channel, and how its rows are called."""


def run(options: Options, archive: Path, folder: Path, number: int, outcome: Outcome) -> None:
    """One run: each channel with nothing cached, then with everything known."""
    interpreter = _interpreter()
    with _served(_channel(interpreter, options.records)) as server:
        for channel, name in CHANNELS:
            with ground(folder, f"conda-{name}", archive) as place:
                flows = [_ours, _theirs] if number % 2 else [_theirs, _ours]
                for flow in flows:
                    flow(options, place, f"{server}/{channel}", name, interpreter, outcome)


def _ours(options: Options, place: Ground, channel: str, name: str, _interpreter: Path, outcome: Outcome) -> None:
    """A base that was read before; then the very same again; then a new combination of what is known."""
    engine = Engine(options, place.registry, place.folder / f"cache-conda-{name}", place.base)
    engine.read_base()
    outcome.add(f"conda_{name}_cold", engine.build((), f"ours/conda-{name}:1", conda=(channel, WANTED)))
    outcome.add(f"conda_{name}_identical", engine.build((), f"ours/conda-{name}:1", conda=(channel, WANTED)))
    outcome.add(f"conda_{name}_known", engine.build((), f"ours/conda-{name}:2", conda=(channel, SOME)))


def _theirs(options: Options, place: Ground, channel: str, name: str, interpreter: Path, outcome: Outcome) -> None:
    """An empty cache; then a new prefix of what is known."""
    if options.peer_runs == 0:
        return
    cache = place.folder / f"rattler-{name}"
    for row, specs in (("cold", WANTED), ("known", SOME)):
        prefix = place.folder / f"prefix-{name}-{row}"
        program = Path(__file__).with_name("rattler_install.py")
        command = [interpreter, "-B", program, channel, cache, prefix, *specs]
        sample, _ = measured(place.registry, [command], dict(os.environ))
        outcome.add(f"rattler_{name}_{row}", sample)
        shutil.rmtree(prefix, ignore_errors=True)


def _interpreter() -> Path:
    """An interpreter with rattler's package, made once."""
    folder = ROOT / "target/bench/rattler"
    python = folder / "bin/python"
    marker = folder / "installed"
    if not marker.exists() or marker.read_text(encoding="utf-8") != " ".join(RATTLER):
        environment = dict(os.environ, PATH=tools_on_path())
        run_program(["uv", "venv", "--quiet", "--clear", "--python", "/usr/bin/python3", folder], environment)
        run_program(["uv", "pip", "install", "--quiet", "--python", python, *RATTLER], environment)
        marker.write_text(" ".join(RATTLER), encoding="utf-8")
    return python


def _channel(interpreter: Path, records: int) -> Path:
    """The channel, made once: some 600 MB."""
    folder = ROOT / f"target/bench/channel-{records}"
    if not folder.exists():
        say(f"making a channel of {records} records")
        made = folder.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        run_program([interpreter, "-B", "-m", "bench.conda_channel", made, "--records", str(records)], environment)
        made.rename(folder)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """A server of the channel on a free port; its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
