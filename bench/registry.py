"""CNCF Distribution (`docker-registry`) on a free port, and what it tells of its traffic."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.processes import BenchError, last_lines, started

_START_DEADLINE = 30.0
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")
_BLOB = re.compile(r"^/v2/(?P<repository>.+)/blobs/(?P<digest>sha256:[0-9a-f]{64})$")
_UPLOAD = re.compile(r"^/v2/(?P<repository>.+)/blobs/uploads/")


@dataclass(frozen=True)
class Mark:
    """A moment in the life of a registry."""

    log_offset: int
    stored_bytes: int


@dataclass(frozen=True)
class Traffic:
    """What a registry did between a mark and now."""

    served_bytes: int
    """Bytes of blobs that were sent to clients."""
    received_bytes: int
    """Bytes of blobs that clients uploaded."""
    stored_bytes: int
    """How much its storage grew: blobs it had already cost nothing."""
    mounted_bytes: int
    """Bytes of blobs that were made part of another repository without being sent."""
    mounted_and_sent_bytes: int
    """Bytes of blobs that were mounted into a repository and uploaded to it nevertheless: should be 0."""


class Registry:
    """A running registry."""

    def __init__(self, host: str, storage: Path, log: Path) -> None:
        self.host = host
        self._storage = storage
        self._log = log

    def mark(self) -> Mark:
        """Now."""
        return Mark(self._log.stat().st_size, self._stored_bytes())

    def since(self, mark: Mark) -> Traffic:
        """What happened since the mark. Nobody may be talking to the registry any more."""
        served = 0
        mounted: set[tuple[str, str]] = set()
        sent: set[tuple[str, str]] = set()
        for answer in self._answers(mark.log_offset):
            method, status = answer.get("http.request.method"), answer.get("http.response.status")
            address = urlsplit(str(answer.get("http.request.uri", "")))
            query = parse_qs(address.query)
            if method == "GET" and _BLOB.match(address.path):
                served += int(answer.get("http.response.written", 0))
            upload = _UPLOAD.match(address.path)
            if upload and status == 201:
                target = mounted if "mount" in query else sent
                for digest in query.get("mount", query.get("digest", [])):
                    target.add((upload["repository"], digest))
        return Traffic(
            served_bytes=served,
            received_bytes=self._size_of(sent),
            stored_bytes=self._stored_bytes() - mark.stored_bytes,
            mounted_bytes=self._size_of(mounted),
            mounted_and_sent_bytes=self._size_of(mounted & sent),
        )

    def _answers(self, offset: int) -> Iterator[dict[str, Any]]:
        """The log's lines about answered requests, each with its fields."""
        with self._log.open("rb") as log:
            log.seek(offset)
            for line in log:
                entry = json.loads(line)
                if "http.response.status" in entry:
                    yield entry

    def _size_of(self, blobs: set[tuple[str, str]]) -> int:
        """Bytes of these blobs, each of which may be in several repositories."""
        return sum(self._blob_file(digest).stat().st_size for _, digest in blobs)

    def _blob_file(self, digest: str) -> Path:
        hexadecimal = digest.removeprefix("sha256:")
        return self._storage / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"

    def _stored_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._storage.rglob("data") if file.is_file())


@contextmanager
def running(folder: Path) -> Iterator[Registry]:
    """A new, empty registry in this folder; it ends with the block."""
    storage, log = folder / "storage", folder / "registry.log"
    storage.mkdir(parents=True)
    configuration = folder / "registry.json"
    settings = {
        "version": 0.1,
        # Every answer with its size, as JSON; the access log would say the same once more.
        "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "cache": {"blobdescriptor": "inmemory"},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": "127.0.0.1:0"},
    }
    configuration.write_text(json.dumps(settings), encoding="utf-8")
    # Ends with this program even if that is killed.
    command: list[str | Path] = ["setpriv", "--pdeathsig", "TERM", "docker-registry", "serve", configuration]
    with log.open("w") as output, started(command, stdout=output, stderr=output) as process:
        yield Registry(_address(process, log), storage, log)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Where the registry listens: the kernel chose the port, the log names it."""
    deadline = time.monotonic() + _START_DEADLINE
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8")
        if found := _LISTENING.search(text):
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise BenchError(f"the registry did not start:\n{last_lines(log.read_text(encoding='utf-8'))}")
