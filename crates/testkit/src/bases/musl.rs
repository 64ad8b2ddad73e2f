//! A base laid out as Alpine Linux is.

use crate::{ImageBuilder, LayerBuilder, PushedImage, Registry};

/// What tells an Alpine base with Python 3.12 from others: musl's loader, apk's records, os-release. Its programs
/// are headers without code, so it can be indexed and built upon but not run.
pub async fn musl_layout(registry: &Registry) -> PushedImage {
    let layer = LayerBuilder::new()
        .directory("bin")
        .directory("etc")
        .file("etc/alpine-release", "3.20.3\n")
        .file(
            "etc/os-release",
            "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n",
        )
        .directory("lib")
        .program("lib/ld-musl-x86_64.so.1", elf_header(None))
        .symlink("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1")
        .directory("lib/apk")
        .directory("lib/apk/db")
        .file("lib/apk/db/installed", INSTALLED)
        .directory("usr")
        .directory("usr/bin")
        .symlink("usr/bin/python3", "python3.12")
        .program("usr/bin/python3.12", elf_header(Some("/lib/ld-musl-x86_64.so.1")))
        .directory("usr/lib")
        .program("usr/lib/libpython3.12.so.1.0", elf_header(None))
        .directory("usr/lib/python3.12")
        .file("usr/lib/python3.12/os.py", "# The file by which Python knows its own library.\n")
        .file("usr/lib/python3.12/EXTERNALLY-MANAGED", "[externally-managed]\nError=use apk\n")
        .directory("usr/lib/python3.12/site-packages")
        .build();
    ImageBuilder::new()
        .layer(layer)
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .command(&["/bin/sh"])
        .push(registry, "bases/musl:1")
        .await
}

/// apk's database: paragraphs of one-letter fields, P the package, V its version, A the architecture, F a folder
/// and R a file in it.
const INSTALLED: &str = "P:musl
V:1.2.5-r0
A:x86_64
T:the musl c library (libc) implementation
F:lib
R:ld-musl-x86_64.so.1
R:libc.musl-x86_64.so.1

P:python3
V:3.12.7-r0
A:x86_64
T:High-level scripting language
D:so:libc.musl-x86_64.so.1
F:usr/bin
R:python3
R:python3.12
F:usr/lib/python3.12
R:os.py

";

/// The first bytes of a 64-bit x86 program, or (without a loader) of a shared library: a header and, for a program,
/// one segment that names its loader.
fn elf_header(loader: Option<&str>) -> Vec<u8> {
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    let program = loader.is_some();
    elf.extend(if program { 2_u16 } else { 3 }.to_le_bytes()); // executable or shared object
    elf.extend(62_u16.to_le_bytes()); // x86-64
    elf.extend(1_u32.to_le_bytes());
    elf.extend(0_u64.to_le_bytes()); // entry point
    elf.extend(if program { HEADER } else { 0 }.to_le_bytes()); // segments
    elf.extend(0_u64.to_le_bytes()); // sections
    elf.extend(0_u32.to_le_bytes()); // flags
    for field in [64_u16, 56, u16::from(program), 64, 0, 0] {
        elf.extend(field.to_le_bytes()); // header, segment size and count, section size, count and names
    }
    if let Some(loader) = loader {
        let length = loader.len() as u64 + 1;
        elf.extend(3_u32.to_le_bytes()); // names a loader
        elf.extend(4_u32.to_le_bytes()); // readable
        for field in [HEADER + SEGMENT, 0, 0, length, length, 1] {
            elf.extend(field.to_le_bytes()); // offset, addresses, sizes, alignment
        }
        elf.extend(loader.as_bytes());
        elf.push(0);
    }
    elf
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::elf_header;
    use crate::process::run;
    use crate::{Registry, bases, require_tool};

    #[tokio::test]
    async fn is_pushed() {
        require_tool!("docker-registry");
        let registry = Registry::new();
        let base = bases::musl_layout(&registry).await;
        assert_eq!(registry.tags(&base.repository).await, ["1"]);
    }

    #[test]
    fn its_program_names_the_loader_of_musl() {
        require_tool!("readelf");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("python3.12");
        std::fs::write(&file, elf_header(Some("/lib/ld-musl-x86_64.so.1"))).expect("a file");
        let output = run(Command::new("readelf").arg("--program-headers").arg(file));
        let output = String::from_utf8_lossy(&output.stdout);
        assert!(output.contains("[Requesting program interpreter: /lib/ld-musl-x86_64.so.1]"), "{output}");
    }
}
