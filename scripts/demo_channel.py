"""Makes a small conda channel of real packages, for `scripts/demo`: public ones cannot be reached from everywhere.

    demo_channel.py FOLDER WHEELS

FOLDER becomes the channel: `python`, which is this machine's own Debian Python 3.11 packed anew, and every
distribution that was installed into the folder WHEELS (`uv pip install --target WHEELS ...`), as packages of pure
Python. Prints the names of the packages.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile

# The time of all files, so that the channel is the same whenever it is made.
TIME = 1_700_000_000

# The Debian packages that the interpreter and its library are in.
PYTHON = ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"]

# Debian's Python looks for its own folders; this makes it look into the prefix's, as conda's does.
SITE = b"import site, sys\nsite.addsitedir(sys.prefix + '/lib/python3.11/site-packages')\n"


def member(archive, path, content, mode=0o644):
    """Adds a file to an archive."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.mtime = len(content), mode, TIME
    archive.addfile(entry, io.BytesIO(content))


def package(channel, index, files, links=()):
    """Writes one package and gives its entry in the channel's list. `files` are content and mode by path."""
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest(),
         "size_in_bytes": len(content)}
        for path, (content, _) in sorted(files.items())
    ]
    paths += [{"_path": path, "path_type": "softlink"} for path, _ in links]
    information = {
        "index.json": index,
        "paths.json": {"paths": paths, "paths_version": 1},
        "about.json": {"license": index["license"]},
    }
    if index.get("noarch") == "python":
        information["link.json"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:bz2", compresslevel=1) as archive:
        for name, value in information.items():
            member(archive, f"info/{name}", json.dumps(value).encode())
        for path, (content, mode) in sorted(files.items()):
            member(archive, path, content, mode)
        for path, target in links:
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname, entry.mtime = tarfile.SYMTYPE, target, TIME
            archive.addfile(entry)
    content = memory.getvalue()
    name = f"{index['name']}-{index['version']}-{index['build']}.tar.bz2"
    folder = channel / index["subdir"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return index["subdir"], name, {**index, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def python(channel):
    """This machine's Python as a package."""
    program = "import platform; print(platform.python_version())"
    version = subprocess.run(["/usr/bin/python3.11", "-I", "-c", program], capture_output=True, text=True, check=True)
    listed = subprocess.run(["dpkg", "--listfiles", *PYTHON], capture_output=True, text=True, check=True)
    files = {"lib/python3.11/sitecustomize.py": (SITE, 0o644)}
    for path in map(pathlib.Path, listed.stdout.splitlines()):
        if not path.is_file() or path.name in ("sitecustomize.py", "EXTERNALLY-MANAGED"):
            continue
        if str(path) == "/usr/bin/python3.11":
            files["bin/python3.11"] = (path.read_bytes(), 0o755)
        elif str(path).startswith("/usr/lib/python3.11/"):
            files[str(path.relative_to("/usr"))] = (path.read_bytes(), 0o644)
    index = {"name": "python", "version": version.stdout.strip(), "build": "h1_0_cpython", "build_number": 0,
             "depends": ["__glibc >=2.17"], "license": "Python-2.0", "subdir": "linux-64"}
    return package(channel, index, files, [("bin/python3", "python3.11"), ("bin/python", "python3.11")])


def distribution(channel, wheels, metadata):
    """An installed distribution as a package of pure Python."""
    name, version = metadata.name.removesuffix(".dist-info").split("-", 1)
    files = {}
    for line in (metadata / "RECORD").read_text().splitlines():
        path = line.rsplit(",", 2)[0].strip('"')
        source = wheels / path
        if ".." not in path and "__pycache__" not in path and source.is_file():
            files[f"site-packages/{path}"] = (source.read_bytes(), 0o644)
    files[f"site-packages/{metadata.name}/INSTALLER"] = (b"conda\n", 0o644)
    index = {"name": name.replace("_", "-").lower(), "version": version, "build": "py_0", "build_number": 0,
             "depends": ["python >=3.8"], "license": "see METADATA", "subdir": "noarch", "noarch": "python"}
    return package(channel, index, files)


def main():
    """Makes the channel."""
    channel, wheels = map(pathlib.Path, sys.argv[1:])
    listed = {"linux-64": {}, "noarch": {}}
    made = [python(channel)] + [distribution(channel, wheels, one) for one in sorted(wheels.glob("*.dist-info"))]
    for subdir, name, entry in made:
        listed[subdir][name] = entry
    for subdir, packages in listed.items():
        (channel / subdir).mkdir(parents=True, exist_ok=True)
        text = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}, "repodata_version": 1}
        (channel / subdir / "repodata.json").write_text(json.dumps(text))
    print(" ".join(f"{entry['name']}-{entry['version']}" for _, _, entry in made))


if __name__ == "__main__":
    main()
