"""From samples to a JSON document, and from that to the README's tables."""

import dataclasses
import json
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.ground import Outcome
from bench.measure import Sample
from bench.options import Options
from bench.rows import ROWS, STEPS, Row

Document = dict[str, Any]
"""What JSON can hold."""


def document(options: Options, machine: dict[str, str | int], outcome: Outcome) -> Document:
    """Everything that was measured, and what it comes to. Times in seconds, sizes in bytes."""
    rows = [_row(row, outcome.samples[row.key]) for row in ROWS if row.key in outcome.samples]
    medians = {row["key"]: row["seconds"]["median"] for row in rows}
    aims = {row.key: row for row in ROWS}
    for described in rows:
        row = aims[described["key"]]
        if row.against in medians:
            described["times_faster"] = medians[row.against] / medians[row.key]
            if row.aim > 0:
                described["aim"] = row.aim
                described["reached"] = described["times_faster"] >= row.aim
    return {
        "machine": machine,
        "packages": list(options.packages),
        "one_more": options.one_more,
        "compression": "gzip" if options.gzip else "zstd",
        "rows": rows,
        "aims": _aims(rows),
        "proof": _proof(outcome),
        "system_proofs": [dataclasses.asdict(proof) for proof in outcome.system_proofs],
    }


def write_json(content: Document, file: Path) -> None:
    """Keeps the document for programs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _row(row: Row, samples: Sequence[Sample]) -> Document:
    def median(of: Callable[[Sample], float]) -> float:
        return statistics.median(map(of, samples))

    seconds = [sample.seconds for sample in samples]
    described: Document = {
        "key": row.key,
        "title": row.title,
        "runs": len(samples),
        "seconds": {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds)},
        "peak_memory": max(sample.peak_memory for sample in samples),
        "peak_memory_of_children": max(sample.peak_memory_of_children for sample in samples),
        "served_bytes": median(lambda sample: sample.traffic.served_bytes),
        "received_bytes": median(lambda sample: sample.traffic.received_bytes),
        "stored_bytes": median(lambda sample: sample.traffic.stored_bytes),
        "mounted_bytes": median(lambda sample: sample.traffic.mounted_bytes),
        "mounted_and_sent_bytes": max(sample.traffic.mounted_and_sent_bytes for sample in samples),
        "samples": [dataclasses.asdict(sample) for sample in samples],
    }
    if row.against:
        described["steps"] = {step: median(partial(_step, step)) for step in STEPS}
    return described


def _step(name: str, sample: Sample) -> float:
    """Seconds of one step, on all platforms together; 0 where it was not needed."""
    steps: Any = sample.result.get("steps", [])
    return float(sum(step["seconds"] for step in steps if step["step"] == name))


def _aims(rows: Sequence[Document]) -> Document:
    """The aims that hold for every row of ours."""
    ours = [row for row in rows if "steps" in row]
    limits = {row.key: row.memory_aim for row in ROWS}
    memory = []
    for limit in sorted({limits[row["key"]] for row in ours}):
        value = max(row["peak_memory"] for row in ours if limits[row["key"]] == limit)
        memory.append({"aim": limit, "value": value, "reached": value <= limit})
    sent = sum(row["mounted_and_sent_bytes"] for row in ours)
    return {
        "peak_memory": memory,
        "mounted_and_sent_bytes": {"aim": 0, "value": sent, "reached": sent == 0},
    }


def _proof(outcome: Outcome) -> Document | None:
    if outcome.proof is None:
        return None
    found = dataclasses.asdict(outcome.proof)
    for name, imports in (("peer", outcome.proof.peer), ("ours", outcome.proof.ours)):
        found[name]["median"] = imports.median
    return found


def markdown(content: Document) -> str:
    """The tables for people."""
    parts = [_head(content), _times(content), _everywhere(content["aims"]), _steps(content["rows"])]
    if content["proof"] is not None:
        parts.append(_same(content["proof"]))
    if content["system_proofs"]:
        parts.append("\n".join(map(_same_system, content["system_proofs"])))
    return "\n\n".join(parts)


def _head(content: Document) -> str:
    machine = content["machine"]
    return (
        f"`pip install {' '.join(content['packages'])}` on Debian 12 with Python 3.11; one package added: "
        f"`{content['one_more']}`. Registry on the same machine, layers in {content['compression']}.\n"
        f"{machine['date']}: {machine['cores']} cores of {machine['processor']}, "
        f"{_size(machine['memory_bytes'])} memory, {machine['system']}, kernel {machine['kernel']}. "
        f"imagewright {machine['imagewright']} ({machine['revision'] or 'no revision'}), uv {machine['uv']}, "
        f"buildah {machine['buildah']}, Distribution {machine['registry']}."
    )


def _times(content: Document) -> str:
    lines = [
        "| build | time (range) | times faster | aim | peak memory | registry sent | received | stored |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['title']} | {_time(row['seconds'])} | {_ratio(row)} | {_aim(row)} "
            f"| {_size(row['peak_memory'])} | {_size(row['served_bytes'])} "
            f"| {_size(row['received_bytes'])} | {_size(row['stored_bytes'])} |"
        )
    return "\n".join(lines)


def _time(seconds: Document) -> str:
    median = f"**{_seconds(seconds['median'])}**"
    if seconds["min"] == seconds["max"]:
        return median
    return f"{median} ({_seconds(seconds['min'])} – {_seconds(seconds['max'])})"


def _ratio(row: Document) -> str:
    return f"{row['times_faster']:.1f} ×" if "times_faster" in row else ""


def _aim(row: Document) -> str:
    return f"{row['aim']:.2g} ×: {_word(row['reached'])}" if "aim" in row else ""


def _everywhere(aims: Document) -> str:
    sent = aims["mounted_and_sent_bytes"]
    lines = [
        f"- Memory of the engine, at most {_size(memory['aim'])}: {_size(memory['value'])}, {_word(memory['reached'])}.\n"
        for memory in aims["peak_memory"]
    ]
    return "".join(lines) + (
        f"- Bytes sent for layers that were mounted, at most 0: {sent['value']}, {_word(sent['reached'])}."
    )


def _steps(rows: Sequence[Document]) -> str:
    lines = [
        "Where Imagewright's time goes:\n",
        f"| build | {' | '.join(STEPS)} | all else |",
        f"| --- |{' ---: |' * (len(STEPS) + 1)}",
    ]
    for row in (row for row in rows if "steps" in row):
        steps = row["steps"].values()
        rest = max(0.0, row["seconds"]["median"] - sum(steps))
        lines.append(f"| {row['title']} | {' | '.join(map(_seconds, [*steps, rest]))} |")
    return "\n".join(lines)


def _same(proof: Document) -> str:
    if proof["differences"]:
        packages = "Not the same packages: " + "; ".join(proof["differences"]) + "."
    else:
        packages = f"Both images hold the same {proof['packages']} packages at the same versions."
    peer, ours = proof["peer"], proof["ours"]
    return (
        f"{packages} `pip check` in ours: {proof['pip_check']}\n"
        f"`import {', '.join(proof['modules'])}` takes {_seconds(peer['median'])} in theirs and "
        f"{_seconds(ours['median'])} in ours (median of {len(ours['seconds'])}, each in a fresh container); "
        f"bytecode files that Python had to write for it: {peer['bytecode_written']} in theirs, "
        f"{ours['bytecode_written']} in ours."
    )


def _same_system(proof: Document) -> str:
    if proof["differences"]:
        packages = "not the same system packages: " + "; ".join(proof["differences"])
    else:
        packages = f"both images hold the same {proof['installed']} system packages at the same versions"
    theirs, ours = proof["peer"].strip(), proof["ours"].strip()
    answers = f"`{proof['program']}` says {theirs} in theirs and {ours} in ours"
    return f"- `{' '.join(proof['packages'])}`: {packages}; {answers}."


def _word(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"


def _size(count: float) -> str:
    """Decimal units, as registries and disks are sold."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 9.95 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} B"
