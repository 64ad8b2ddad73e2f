//! What a build says when a compiler, a header or a tool is missing, and the APT package that has it.

/// Something that the image would need for a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// `the C compiler`, `the header Python.h`.
    pub(super) what: String,
    /// Names of APT packages; empty where it is not known which one has it.
    packages: String,
}

impl Missing {
    /// What people can do.
    pub(super) fn next_step(&self) -> String {
        if self.packages.is_empty() {
            return "find the system package that has it and add it with --apt, or choose a version with a wheel"
                .to_owned();
        }
        let options: Vec<String> =
            self.packages.split(' ').map(|package| format!("--apt {package}")).collect();
        format!("add `{}`, or choose a version with a wheel", options.join(" "))
    }
}

/// Words of tools, what is missing then, and the packages that have it. The first that is found counts.
const WORDS: [(&[&str], &str, &str); 20] = [
    (
        &[
            "command 'gcc' failed: No such file",
            "command 'cc' failed: No such file",
            "-linux-gnu-gcc' failed: No such file",
            "unable to execute 'gcc'",
            "unable to execute 'cc'",
            "gcc: command not found",
            "gcc: not found",
            "cc: not found",
            "linker `cc` not found",
            "No such file or directory: 'gcc'",
            "No such file or directory: 'cc'",
            "No such file or directory: 'x86_64-linux-gnu-gcc'",
            "No such file or directory: 'aarch64-linux-gnu-gcc'",
            "Unknown compiler(s): [['cc']",
            "No CMAKE_C_COMPILER could be found",
        ],
        "the C compiler",
        "gcc libc6-dev",
    ),
    (
        &[
            "command 'g++' failed: No such file",
            "command 'c++' failed: No such file",
            "-linux-gnu-g++' failed: No such file",
            "No such file or directory: 'g++'",
            "No such file or directory: 'x86_64-linux-gnu-g++'",
            "No such file or directory: 'aarch64-linux-gnu-g++'",
            "g++: not found",
            "g++: command not found",
            "Unknown compiler(s): [['c++']",
            "No CMAKE_CXX_COMPILER could be found",
            "cannot execute 'cc1plus'",
        ],
        "the C++ compiler",
        "g++",
    ),
    (
        &["Unknown compiler(s): [['gfortran']", "gfortran: not found", "gfortran: command not found"],
        "the Fortran compiler",
        "gfortran",
    ),
    (
        &[
            "can't find Rust compiler",
            "cargo: not found",
            "Cargo, the Rust package manager, is not installed",
            "No such file or directory: 'cargo'",
        ],
        "the Rust compiler",
        "cargo",
    ),
    (&["pg_config executable not found", "pg_config: not found"], "PostgreSQL's pg_config", "libpq-dev"),
    (
        &["mysql_config: not found", "Can not find valid pkg-config name", "mysql_config not found"],
        "MySQL's client library",
        "default-libmysqlclient-dev pkg-config gcc",
    ),
    (&["pkg-config: not found", "No such file or directory: 'pkg-config'"], "pkg-config", "pkg-config"),
    (
        &["libxml2 and libxslt development packages are installed", "xslt-config: not found"],
        "libxml2 and libxslt",
        "libxml2-dev libxslt1-dev",
    ),
    (
        &["CMake must be installed", "cmake: not found", "No such file or directory: 'cmake'"],
        "CMake",
        "cmake",
    ),
    (&["make: not found", "No such file or directory: 'make'", "make: command not found"], "make", "make"),
    (&["ninja: not found", "Could not detect Ninja"], "Ninja", "ninja-build"),
    (&["swig: not found", "command 'swig' failed: No such file"], "SWIG", "swig"),
    (
        &[
            "setuptools-scm was unable to detect version",
            "setuptools_scm was unable to detect version",
            "git: not found",
            "No such file or directory: 'git'",
        ],
        "Git, which tells the version,",
        "git",
    ),
    (&["gdal-config: not found", "A GDAL API version must be specified"], "GDAL", "libgdal-dev"),
    (&["geos-config: not found", "Could not find geos-config"], "GEOS", "libgeos-dev"),
    (&["nc-config: not found", "did not find netCDF"], "netCDF", "libnetcdf-dev"),
    (&["Unable to load dependency HDF5", "HDF5 library not found"], "HDF5", "libhdf5-dev"),
    (&["Could not run curl-config"], "libcurl", "libcurl4-openssl-dev libssl-dev"),
    (&["krb5-config: not found", "krb5-config: command not found"], "Kerberos", "libkrb5-dev"),
    (
        &["Please install the openssl", "Could not find directory of OpenSSL installation"],
        "OpenSSL",
        "libssl-dev",
    ),
];

/// Headers by the beginning of their path, and the packages that have them.
const HEADERS: [(&str, &str); 29] = [
    ("Python.h", "python3-dev"),
    ("pyconfig.h", "python3-dev"),
    ("libpq-fe.h", "libpq-dev"),
    ("ffi.h", "libffi-dev"),
    ("openssl/", "libssl-dev"),
    ("zlib.h", "zlib1g-dev"),
    ("bzlib.h", "libbz2-dev"),
    ("lzma.h", "liblzma-dev"),
    ("mysql", "default-libmysqlclient-dev"),
    ("libxml/", "libxml2-dev"),
    ("libxslt/", "libxslt1-dev"),
    ("jpeglib.h", "libjpeg-dev"),
    ("png.h", "libpng-dev"),
    ("ldap.h", "libldap2-dev"),
    ("lber.h", "libldap2-dev"),
    ("sasl/", "libsasl2-dev"),
    ("sql.h", "unixodbc-dev"),
    ("hdf5.h", "libhdf5-dev"),
    ("gmp.h", "libgmp-dev"),
    ("mpfr.h", "libmpfr-dev"),
    ("portaudio.h", "portaudio19-dev"),
    ("gssapi", "libkrb5-dev"),
    ("curl/", "libcurl4-openssl-dev"),
    ("snappy", "libsnappy-dev"),
    ("systemd/", "libsystemd-dev"),
    ("cairo", "libcairo2-dev"),
    ("graphviz/", "libgraphviz-dev"),
    ("stdio.h", "libc6-dev"),
    ("limits.h", "libc6-dev"),
];

/// Libraries as the linker names them, and the packages that have them for it.
const LIBRARIES: [(&str, &str); 10] = [
    ("curl", "libcurl4-openssl-dev"),
    ("pq", "libpq-dev"),
    ("ssl", "libssl-dev"),
    ("crypto", "libssl-dev"),
    ("z", "zlib1g-dev"),
    ("ffi", "libffi-dev"),
    ("xml2", "libxml2-dev"),
    ("mysqlclient", "default-libmysqlclient-dev"),
    ("mariadb", "libmariadb-dev"),
    ("stdc++", "g++"),
];

/// The first line that says what is missing.
pub(super) fn find(lines: &[String]) -> Option<(usize, Missing)> {
    lines.iter().enumerate().find_map(|(at, line)| Some((at, in_line(line)?)))
}

fn in_line(line: &str) -> Option<Missing> {
    if let Some(header) = header(line) {
        let packages = HEADERS.iter().find(|(start, _)| header.starts_with(start));
        let packages = packages.map_or("", |(_, packages)| packages).to_owned();
        return Some(Missing { what: format!("the header {header}"), packages });
    }
    if let Some(library) = line.split_once("cannot find -l").map(|(_, rest)| name(rest)) {
        let packages = LIBRARIES.iter().find(|(name, _)| *name == library);
        let packages = packages.map_or("", |(_, packages)| packages).to_owned();
        return Some(Missing { what: format!("the library {library}"), packages });
    }
    let (_, what, packages) =
        WORDS.iter().find(|(words, ..)| words.iter().any(|word| line.contains(word)))?;
    Some(Missing { what: (*what).to_owned(), packages: (*packages).to_owned() })
}

/// `Python.h` of `x.c:1:10: fatal error: Python.h: No such file or directory`.
fn header(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("fatal error: ")?;
    let rest = rest.trim_start_matches('\'');
    let end = rest
        .find([':', '\''])
        .filter(|end| rest[*end..].contains("No such file") || rest[*end..].contains("not found"))?;
    Some(&rest[..end])
}

/// The name that a text starts with.
fn name(text: &str) -> &str {
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || "_-+.".contains(character)));
    &text[..end.unwrap_or(text.len())]
}
