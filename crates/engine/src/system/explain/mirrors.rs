//! Lists and archives that cannot be fetched from the base's mirrors.

use super::lines::Lines;
use super::{AptOutput, Cause};
use crate::error::ErrorKind;

/// What a piece of apt's text means.
struct Meaning {
    pieces: &'static [&'static str],
    kind: ErrorKind,
    what: &'static str,
    next: &'static str,
}

/// The first that matches is told: what is more exact stands first.
const MEANINGS: [Meaning; 12] = [
    Meaning {
        pieces: &[
            "Malformed entry ",
            "Malformed stanza ",
            "The list of sources could not be read",
            "The method driver ",
        ],
        kind: ErrorKind::Unsupported,
        what: "the base's list of sources has an entry that its apt cannot read",
        next: "correct /etc/apt/sources.list and /etc/apt/sources.list.d where the base is made, and push it again",
    },
    Meaning {
        pieces: &["407  Proxy", "407 Proxy", "Proxy Authentication Required"],
        kind: ErrorKind::Unauthorized,
        what: "the proxy wants a user and a password",
        next: "run a proxy that lets this machine through without one: foreign code in a step could read a password",
    },
    Meaning {
        pieces: &["401  Unauthorized", "401 Unauthorized", "403  Forbidden", "403 Forbidden"],
        kind: ErrorKind::Unauthorized,
        what: "a mirror refuses access",
        next: "choose a base whose sources need no password: foreign code in a step could read it",
    },
    Meaning {
        pieces: &[
            "Certificate verification failed",
            "certificate verify failed",
            "certificate is NOT trusted",
        ],
        kind: ErrorKind::Unreachable,
        what: "a mirror's certificate is not trusted",
        next: "pass the certificate of the mirror's or proxy's authority with --ca-bundle FILE",
    },
    // Two spaces around a status are apt's. It says of such a mirror that it "is not signed", too.
    Meaning {
        pieces: &["  429  ", "  500  ", "  502  ", "  503  ", "  504  ", "Invalid response from proxy"],
        kind: ErrorKind::Unreachable,
        what: "a mirror or proxy does not work at the moment",
        next: "try again in some minutes; if it stays so, ask who runs the mirror or the proxy",
    },
    Meaning {
        pieces: &[
            "NO_PUBKEY",
            "EXPKEYSIG",
            "BADSIG",
            "is not signed",
            "not signed.",
            "Missing key",
            "signatures were invalid",
        ],
        kind: ErrorKind::DigestMismatch,
        what: "the signature of a mirror cannot be verified with the base's keys",
        next: "use a newer base: its keys may have expired, or those of one of its sources are missing",
    },
    Meaning {
        pieces: &["is not valid yet", "is expired", "Release file expired"],
        kind: ErrorKind::Unreachable,
        what: "the lists of a mirror are out of date, or this machine's clock is wrong",
        next: "check the clock of this machine; if it is right, the mirror has stopped being updated: choose a base \
               with another one",
    },
    Meaning {
        pieces: &["Hash Sum mismatch", "File has unexpected size", "unexpected size"],
        kind: ErrorKind::DigestMismatch,
        what: "a mirror gave other bytes than its lists promise",
        next: "try again in some minutes: the mirror is being updated, or a proxy keeps old files",
    },
    Meaning {
        pieces: &["does not have a Release file", "no longer has a Release file"],
        kind: ErrorKind::NotFound,
        what: "a source of the base does not exist any more",
        next: "use a newer base: releases that are out of support move to an archive",
    },
    Meaning {
        pieces: &["404  Not Found", "404 Not Found"],
        kind: ErrorKind::NotFound,
        what: "a mirror does not have a file that its lists name",
        next: "try again: the mirror may have been updated just now; if it stays so, use a newer base",
    },
    Meaning {
        pieces: &["Temporary failure resolving", "Could not resolve", "Name or service not known"],
        kind: ErrorKind::Unreachable,
        what: "the name of a mirror or proxy cannot be resolved",
        next: "check this machine's name servers and proxy settings (http_proxy, https_proxy)",
    },
    Meaning {
        pieces: &[
            "Could not connect",
            "Unable to connect",
            "Connection refused",
            "Connection timed out",
            "Connection failed",
            "No route to host",
            "Network is unreachable",
            "Connection reset",
            "Cannot initiate the connection",
            "Failed to fetch",
            "Some index files failed to download",
        ],
        kind: ErrorKind::Unreachable,
        what: "a mirror or proxy cannot be reached",
        next: "check this machine's network and proxy settings (http_proxy, https_proxy), then try again",
    },
];

pub(super) fn cause(output: &AptOutput<'_>, lines: &Lines) -> Option<Cause> {
    MEANINGS.iter().find_map(|meaning| {
        let found = lines.with(meaning.pieces);
        (!found.is_empty()).then(|| Cause {
            kind: meaning.kind,
            message: format!("system packages of {} cannot be fetched: {}", output.base, meaning.what),
            lines: found,
            next: meaning.next.to_owned(),
        })
    })
}
