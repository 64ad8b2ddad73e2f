"""A synthetic conda channel of half a million records, with real archives for what the bench installs.

    python -m bench.conda_channel FOLDER [--records N]

The graph is drawn like that of a large public channel: a few libraries on which nearly everything depends, layers above
them, a long tail of leaves; each name has versions, and compiled ones have a build for each of three Pythons. It is the
same whenever it is made. `FOLDER/big` has lists (`repodata.json`, `.zst`), `FOLDER/sharded` has shards (CEP 16) of the
same records. Needs `zstandard` and `msgpack`.
"""

import argparse
import hashlib
import io
import json
import pathlib
import random
import tarfile
import zipfile

import msgpack
import zstandard

NAMES = 10_000
# Names below this number have archives; they depend on each other alone.
INSTALLABLE = 120
PYTHONS = ["3.10", "3.11", "3.12"]
TIME = 1_700_000_000
MACHINE, NOARCH = "linux-64", "noarch"


def name_of(number):
    """Names sort as they are layered."""
    return f"pkg-{number:05}"


def is_pure(number):
    """Every third package is of pure Python."""
    return number % 3 == 2


def dependencies(generator, number):
    """Lower numbers: mostly those that everybody needs, with ranges of versions."""
    pool = min(number, INSTALLABLE if number < INSTALLABLE else NAMES)
    if pool == 0:
        return []
    picked = {min(int(generator.expovariate(1.0) * pool / 12), pool - 1) for _ in range(generator.randint(1, 6))}
    picked.discard(number)
    ranges = ["", " >=1.0", " >=1.1,<9", " >=1.0,<8", " !=1.2"]
    return [name_of(other) + generator.choice(ranges) for other in sorted(picked) if other < number]


def archive(index, number, version):
    """A `.conda` archive with sixty files."""
    content = random.Random(f"{number} {version} {index['build']}")
    site = "site-packages" if index["subdir"] == NOARCH else f"lib/python{index['build'][2]}.{index['build'][3:5]}/site-packages"
    module = index["name"].replace("-", "_")
    files = {
        f"{site}/{module}/part_{at:02}.py": (f"# {module} {version}\n" + "".join(
            f"VALUE_{line} = {content.random()}\n" for line in range(60))).encode()
        for at in range(60)
    }
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        for path, data in files.items()
    ]
    information = {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
    }
    if index["subdir"] == NOARCH:
        link = {"noarch": {"type": "python", "entry_points": []}, "package_metadata_version": 1}
        information["info/link.json"] = json.dumps(link).encode()

    def tar(members):
        memory = io.BytesIO()
        with tarfile.open(fileobj=memory, mode="w") as output:
            for path, data in members.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mtime = len(data), TIME
                output.addfile(entry, io.BytesIO(data))
        return zstandard.ZstdCompressor(level=3).compress(memory.getvalue())

    memory = io.BytesIO()
    stem = f"{index['name']}-{version}-{index['build']}"
    with zipfile.ZipFile(memory, "w") as output:
        for part, data in {
            "metadata.json": b'{"conda_pkg_format_version": 2}',
            f"pkg-{stem}.tar.zst": tar(files),
            f"info-{stem}.tar.zst": tar(information),
        }.items():
            output.writestr(zipfile.ZipInfo(part, (2023, 11, 14, 0, 0, 0)), data)
    return memory.getvalue()


def records_of(number, versions):
    """The records of one name: index and archive, where it has one."""
    generator = random.Random(number)
    for version_number in range(versions):
        version = f"{1 + version_number // 10}.{version_number % 10}"
        needs = dependencies(generator, number)
        builds = [("py_0", NOARCH, ["python >=3.9"])] if is_pure(number) else [
            (f"py{python.replace('.', '')}_0", MACHINE, [f"python {python}.*", f"python_abi {python}.*"])
            for python in PYTHONS
        ]
        for build, subdir, python in builds:
            index = {
                "name": name_of(number), "version": version, "build": build, "build_number": 0,
                "depends": python + needs, "license": "MIT", "subdir": subdir, "timestamp": (TIME + version_number) * 1000,
            }
            if subdir == NOARCH:
                index["noarch"] = "python"
            yield index


def python_records():
    """Pythons that everything else needs; a file stands for each."""
    for python in PYTHONS:
        for name, version in (("python", f"{python}.4"), ("python_abi", python)):
            yield {
                "name": name, "version": version, "build": f"py{python.replace('.', '')}_0", "build_number": 0,
                "depends": [f"python {python}.*"] if name == "python_abi" else [], "license": "MIT",
                "subdir": MACHINE, "timestamp": TIME * 1000,
            }


def make(folder, records):
    """Writes both channels."""
    per_name = records / NAMES
    packages = {MACHINE: {}, NOARCH: {}}
    big, sharded = folder / "big", folder / "sharded"
    for subdir in packages:
        for channel in (big, sharded):
            (channel / subdir).mkdir(parents=True, exist_ok=True)

    def add(index, content):
        file = f"{index['name']}-{index['version']}-{index['build']}.conda"
        if content is not None:
            for channel in (big, sharded):
                (channel / index["subdir"] / file).write_bytes(content)
            digest = hashlib.sha256(content)
        else:
            digest = hashlib.sha256(file.encode())
        size = len(content) if content is not None else 100_000
        packages[index["subdir"]][file] = {
            **index, "sha256": digest.hexdigest(), "md5": hashlib.md5(file.encode()).hexdigest(), "size": size}

    for index in python_records():
        add(index, archive({**index, "build": index["build"]}, 0, index["version"]))
    for number in range(NAMES):
        installable = number < INSTALLABLE
        # Pure packages have one build a version, compiled ones three; those with archives are fewer.
        versions = 6 if installable else int(per_name * (1 if is_pure(number) else 1 / 3))
        for index in records_of(number, max(versions, 1)):
            add(index, archive(index, number, index["version"]) if installable else None)
    for subdir, listed in packages.items():
        text = json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": listed, "repodata_version": 1})
        (big / subdir / "repodata.json").write_text(text)
        (big / subdir / "repodata.json.zst").write_bytes(zstandard.ZstdCompressor(level=3).compress(text.encode()))
        write_shards(sharded / subdir, subdir, listed)
    return sum(map(len, packages.values()))


def write_shards(folder, subdir, listed):
    """One shard a name, and the index of all."""
    by_name = {}
    for file, record in listed.items():
        record = {**record, "sha256": bytes.fromhex(record["sha256"]), "md5": bytes.fromhex(record["md5"])}
        by_name.setdefault(record["name"], {})[file] = record
    shards = {}
    compressor = zstandard.ZstdCompressor(level=3)
    (folder / "shards").mkdir(exist_ok=True)
    for name, files in by_name.items():
        content = compressor.compress(msgpack.packb({"packages": {}, "packages.conda": files, "removed": []}))
        digest = hashlib.sha256(content)
        shards[name] = digest.digest()
        (folder / "shards" / f"{digest.hexdigest()}.msgpack.zst").write_bytes(content)
    index = {
        "version": 1,
        "info": {"subdir": subdir, "base_url": "./", "shards_base_url": "./shards/", "created_at": "2026-01-01T00:00:00Z"},
        "shards": shards,
    }
    (folder / "repodata_shards.msgpack.zst").write_bytes(compressor.compress(msgpack.packb(index)))


def main():
    """Makes the channel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--records", type=int, default=500_000)
    arguments = parser.parse_args()
    print(make(arguments.folder, arguments.records), "records")


if __name__ == "__main__":
    main()
