"""Starting programs, ending them whatever happens, and a folder that goes away."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

TIME_LIMIT = 1800.0
"""Seconds after which a program that still runs is ended: twenty times the slowest we know."""

GRACE = 10.0
"""Seconds between asking a program to end and killing it."""


class BenchError(Exception):
    """A part of the comparison failed; the message is a sentence for people."""


def say(line: str) -> None:
    """Tells how far the comparison is. Standard output is the report's."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def end_on_signals() -> None:
    """Makes SIGTERM and SIGHUP end the program as Ctrl-C does, through every `finally`."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


@contextlib.contextmanager
def started(command: Sequence[str | Path], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program that runs as long as the block, if not shorter."""
    arguments = [str(word) for word in command]
    try:
        process = subprocess.Popen(arguments, text=True, **options)  # type: ignore[call-overload]
    except OSError as error:
        raise BenchError(f"cannot start {arguments[0]}: {error}; `make setup` installs what is needed") from error
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Ends a program, gently first: buildah then unmounts what it has mounted."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """What a program writes to standard output; an error with its last words if it fails."""
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        try:
            output, errors = process.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{described(command)} took longer than {TIME_LIMIT:.0f} s") from error
    if process.returncode != 0:
        raise BenchError(f"{described(command)} failed with exit code {process.returncode}:\n{last_lines(errors)}")
    return str(output)


def described(command: Sequence[str | Path]) -> str:
    """A command by its program and its first word: enough to find it, and never a credential."""
    return " ".join([Path(command[0]).name, *(str(word) for word in command[1:] if str(word)[:1] not in "-/")][:2])


def last_lines(text: str, count: int = 15) -> str:
    """The end of what a program wrote."""
    return "\n".join(text.strip().splitlines()[-count:])


@contextlib.contextmanager
def work_folder(keep: bool) -> Iterator[Path]:
    """A folder for registries, caches and images: some gigabytes, removed at the end unless they shall be kept."""
    folder = Path(tempfile.mkdtemp(prefix="imagewright-bench."))
    try:
        yield folder
    finally:
        if keep:
            say(f"everything is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                say(f"{folder} could not be removed whole")


def tools_on_path() -> str:
    """`PATH` with the folder in which `make setup` puts uv first."""
    root = Path(__file__).resolve().parent.parent
    tools = Path(os.environ.get("IMAGEWRIGHT_TOOLS") or root / "target/tools")
    return f"{tools / 'bin'}:{os.environ.get('PATH', os.defpath)}"
