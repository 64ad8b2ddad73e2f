//! What the tests install.

use imagewright_testkit::conda::{Channels, CondaPackage, CondaPackageBuilder, PLACEHOLDER, python};

/// A pure Python package with a command of its name, which prints its name and version.
pub(super) fn pure(name: &str, version: &str) -> CondaPackageBuilder {
    let module = format!("VERSION = '{version}'\n\ndef main():\n    print('{name}', VERSION)\n");
    CondaPackageBuilder::noarch_python(name, version)
        .depends("python >=3.8")
        .module(&format!("{name}/__init__.py"), module)
        .metadata()
        .entry_point(&format!("{name} = {name}:main"))
}

/// A package without Python that holds one file with its version.
pub(super) fn plain(name: &str, version: &str) -> CondaPackageBuilder {
    CondaPackageBuilder::new(name, version).file(&format!("share/{name}/version"), format!("{version}\n"))
}

/// A compiled package: the prefix is in its script and in its library.
pub(super) fn compiled() -> CondaPackage {
    CondaPackageBuilder::new("compiled", "1.0")
        .depends("python")
        .text_with_prefix(
            "bin/compiled",
            &format!("#!{PLACEHOLDER}/bin/python\nimport sys\nprint('{PLACEHOLDER}', sys.prefix)\n"),
        )
        .binary_with_prefix("lib/libcompiled.so", format!("\x7fELF before\0{PLACEHOLDER}/share\0after"))
        .symlink("lib/libcompiled.so.1", "libcompiled.so")
        .build()
}

/// A server whose channel `conda-forge` has Python and two versions each of two pure packages.
pub(crate) fn forge() -> Channels {
    let channels = Channels::new();
    let forge = channels.channel("conda-forge");
    forge.add(&python()).add(&compiled());
    for version in ["1.0", "2.0"] {
        forge.add(&pure("greeting", version).build());
        forge.add(&pure("library", version).build());
    }
    channels
}
