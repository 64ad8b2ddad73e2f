# Compiles Python files for another place and time, in the order given. Runs in a fresh interpreter for every
# package: what an interpreter compiled before changes the bytes of what it compiles next.
#
# Arguments: the file that holds the sources, the file for the bytecode (new).
# Standard input: NUL-terminated fields, four for each source: offset, size, modification time, path in the image.
# Standard output: one line for each source: size of its bytecode, or `-` where it does not compile.
import sys

# The folder we were started in is not ours to import from.
sys.path = [folder for folder in sys.path if folder]

import importlib.util
import marshal
import os
import struct


def leave_room_for_others():
    """Lower the priority, and bound the memory that a source made to exhaust it can take."""
    os.nice(5)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    except (ImportError, OSError, ValueError):
        pass


def header(mtime, size):
    """What stands before the code: PEP 552's flags are 0, so that time and size are compared at import."""
    flags = struct.pack("<I", 0) if sys.version_info >= (3, 7) else b""
    return importlib.util.MAGIC_NUMBER + flags + struct.pack("<II", mtime & 0xFFFFFFFF, size & 0xFFFFFFFF)


def main(sources_path, bytecode_path):
    leave_room_for_others()
    fields = sys.stdin.buffer.read().split(b"\0")
    results = []
    with open(sources_path, "rb") as sources, open(bytecode_path, "xb") as output:
        for first in range(0, len(fields) - 1, 4):
            offset, size, mtime = (int(field) for field in fields[first : first + 3])
            sources.seek(offset)
            try:
                path = fields[first + 3].decode("utf-8")
                code = compile(sources.read(size), path, "exec", dont_inherit=True, optimize=0)
                bytecode = header(mtime, size) + marshal.dumps(code)
            except Exception:
                # Templates, code for other versions, files made to break compilers: installed as they are.
                results.append("-")
                continue
            output.write(bytecode)
            results.append(str(len(bytecode)))
    sys.stdout.write("".join(result + "\n" for result in results))


main(*sys.argv[1:])
