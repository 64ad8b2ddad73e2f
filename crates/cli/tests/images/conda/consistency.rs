//! Whether the records of a prefix and its files agree.

use imagewright_testkit::Runner;

/// Asked of the prefix itself, with Debian's Python, which every base here has. It knows nothing of ours.
const QUESTION: &str = r#"
import hashlib, json, os, sys
prefix = sys.argv[1]
problems, owned = [], set()
folder = os.path.join(prefix, "conda-meta")
for name in sorted(os.listdir(folder)):
    if not name.endswith(".json"):
        continue
    with open(os.path.join(folder, name)) as file:
        record = json.load(file)
    label = "{name}-{version}-{build}".format(**record)
    if name != label + ".json":
        problems.append(f"{name} is the record of {label}")
    listed = {entry["_path"] for entry in record["paths_data"]["paths"]}
    if listed != set(record["files"]):
        problems.append(f"{label} lists files and paths that differ: {listed ^ set(record['files'])}")
    for entry in record["paths_data"]["paths"]:
        path = os.path.join(prefix, entry["_path"])
        owned.add(os.path.normpath(path))
        if not os.path.lexists(path):
            problems.append(f"{label} has no {entry['_path']}")
        digest = entry.get("sha256_in_prefix") or entry.get("sha256")
        if digest and entry["path_type"] == "hardlink" and os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != digest:
                    problems.append(f"{label} has another {entry['_path']} than it says")
for parent, _, files in os.walk(os.path.join(prefix, "lib")):
    for name in files:
        path = os.path.normpath(os.path.join(parent, name))
        # A command that was run may have left bytecode of what came without.
        if "site-packages" in path and "__pycache__" not in path and path not in owned:
            problems.append(f"nobody owns {path}")
print("\n".join(problems), end="")
"#;

/// Every file that a record names is there, with the content that it says, and there is no other in `site-packages`.
pub(super) fn assert_consistent(image: &Runner, prefix: &str) {
    let answer = image.run(&["/usr/bin/python3", "-c", QUESTION, prefix]);
    assert_eq!(answer.stdout, "", "the records and the files of {prefix} differ");
}
