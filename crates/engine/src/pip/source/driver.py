"""Builds a wheel in the room, with the base's own Python (3.6 or newer) and its standard library alone.

Run as `python driver.py JOB`, where JOB is a JSON file. What comes of it is written to `result.json` in a new folder.
Nobody outside believes what is written here: the sources that are built can change every file.
"""

import json
import os
import shutil
import subprocess
import sys

SITE = """
import os, site, sys, sysconfig

# What the base has is not seen: a source distribution says itself what it is built with.
_theirs = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
_theirs.update(getattr(site, "getsitepackages", list)())
_theirs = {os.path.realpath(path) for path in _theirs if path}
sys.path[:] = [path for path in sys.path if not path or os.path.realpath(path) not in _theirs]
site.addsitedir(os.environ["IMAGEWRIGHT_BUILD_SITE"])
"""


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.chmod(path, 0o644)


def fresh(folder):
    if os.path.lexists(folder):
        shutil.rmtree(folder)
    os.makedirs(folder, 0o755)
    os.chmod(folder, 0o755)
    return folder


def is_inside(name):
    parts = name.split("/")
    return not name.startswith("/") and ".." not in parts


def unpack_tar(path, folder):
    import tarfile

    with tarfile.open(path) as archive:
        members = []
        for member in archive.getmembers():
            if not is_inside(member.name) or not (
                member.isfile() or member.isdir() or member.issym() or member.islnk()
            ):
                continue
            # The archive's users do not exist here.
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = (member.mode & 0o777) | (0o755 if member.isdir() else 0o644)
            members.append(member)
        if hasattr(tarfile, "fully_trusted_filter"):
            archive.extractall(folder, members, filter="fully_trusted")
        else:
            archive.extractall(folder, members)


def unpack_zip(path, folder):
    import time
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not is_inside(info.filename):
                continue
            target = archive.extract(info, folder)
            if not info.is_dir():
                mode = (info.external_attr >> 16) & 0o777
                os.chmod(target, mode | 0o644)
                stamp = time.mktime(info.date_time + (0, 0, -1))
                os.utime(target, (stamp, stamp))


def unpack(path, folder):
    import zipfile

    if zipfile.is_zipfile(path):
        unpack_zip(path, folder)
    else:
        unpack_tar(path, folder)


def top_folder(folder, subdirectory):
    """The folder of the sources: the archive's only one, and the part of it that was asked for."""
    names = [name for name in os.listdir(folder) if name != "pax_global_header"]
    if len(names) == 1 and os.path.isdir(os.path.join(folder, names[0])):
        folder = os.path.join(folder, names[0])
    return os.path.join(folder, subdirectory) if subdirectory else folder


def unpack_sources(job):
    folder = os.path.join(fresh(job["work"]), "source")
    os.mkdir(folder)
    unpack(job["sources"], folder)
    source = top_folder(folder, job["subdirectory"])
    if not os.path.isdir(source):
        return {"failure": "no_folder"}
    result = {"source": source, "setup_py": os.path.isfile(os.path.join(source, "setup.py"))}
    pyproject = os.path.join(source, "pyproject.toml")
    if os.path.isfile(pyproject):
        with open(pyproject, "rb") as file:
            result["pyproject"] = file.read(job["longest_text"]).decode("utf-8", "replace")
    return result


def call(job, hook, result):
    """Calls a hook in a process of its own, which sees the build's requirements and not what the base has."""
    work = job["work"]
    scripts = os.path.join(work, "environment", "bin")
    environment = dict(os.environ)
    for name in list(environment):
        if name.startswith(("PIP_", "PYTHON")) and name not in ("PYTHONHASHSEED",):
            del environment[name]
    environment.update(
        {
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": os.path.join(work, "isolation"),
            "PYTHONNOUSERSITE": "1",
            "IMAGEWRIGHT_BUILD_SITE": os.path.join(work, "environment", "site"),
            "HOME": os.path.join(work, "home"),
            "TMPDIR": os.path.join(work, "temporary"),
            # Containers have a new name each time, and some builds write it down.
            "HOSTNAME": "build",
        }
    )
    order = os.path.join(work, hook + ".order")
    write_json(order, dict(job, hook=hook, result=result))
    ended = subprocess.call(
        [sys.executable, os.path.abspath(__file__), "--hook", order], cwd=job["source"], env=environment
    )
    if os.path.isfile(result):
        return read_json(result)
    return {"failure": "ended", "status": ended}


def build(job):
    work = job["work"]
    environment = fresh(os.path.join(work, "environment"))
    unpack_tar(job["environment"], environment)
    os.makedirs(os.path.join(environment, "site"), exist_ok=True)
    isolation = fresh(os.path.join(work, "isolation"))
    with open(os.path.join(isolation, "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write(SITE)
    for name in ("home", "temporary", "wheel"):
        fresh(os.path.join(work, name))
    needs = call(job, "get_requires_for_build_wheel", os.path.join(work, "requires.json"))
    if "failure" in needs:
        return needs
    missing = [line for line in needs["value"] if line not in job["given"]]
    if missing:
        return {"requires": missing}
    made = call(job, "build_wheel", os.path.join(work, "made.json"))
    if "failure" in made:
        return made
    name = made["value"]
    path = os.path.join(work, "wheel", name)
    if not isinstance(name, str) or os.path.basename(name) != name or not os.path.isfile(path):
        return {"failure": "no_wheel"}
    wheel = os.path.join(job["out"], "wheel")
    shutil.copyfile(path, wheel)
    os.chmod(wheel, 0o644)
    shutil.rmtree(work, ignore_errors=True)
    return {"wheel": name}


def hook(job):
    """In the process of its own."""
    import importlib
    import traceback

    # The folder of this program is on the path first.
    sys.path.pop(0)
    paths = [os.path.normpath(os.path.join(job["source"], path)) for path in job["backend_path"]]
    sys.path[:0] = paths
    module, _, attribute = job["backend"].partition(":")
    try:
        backend = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            backend = getattr(backend, part)
    except Exception as error:
        traceback.print_exc()
        return {"failure": "backend", "text": "{}: {}".format(type(error).__name__, error)}
    try:
        if job["hook"] == "build_wheel":
            value = backend.build_wheel(os.path.join(job["work"], "wheel"), None, None)
        else:
            requires = getattr(backend, job["hook"], None)
            value = list(requires(None)) if requires else []
    except BaseException as error:
        if isinstance(error, SystemExit) and isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        else:
            traceback.print_exc()
        return {"failure": "hook", "text": "{}: {}".format(type(error).__name__, error)}
    return {"value": value}


def main():
    os.umask(0o022)
    if sys.argv[1] == "--hook":
        job = read_json(sys.argv[2])
        result = hook(job)
        sys.stdout.flush()
        write_json(job["result"], result)
        # Threads that a backend has left do not matter.
        sys.stderr.flush()
        os._exit(0)
    job = read_json(sys.argv[1])
    fresh(job["out"])
    result = unpack_sources(job) if job["phase"] == "unpack" else build(job)
    write_json(os.path.join(job["out"], "result.json"), result)


main()
