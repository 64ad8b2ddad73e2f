//! What the kernel allows: later parts run installers in sandboxes.

use super::part::Part;

/// Namespaces of users.
pub(super) fn user_namespaces() -> Part {
    let part =
        Part::optional("user namespaces", "keep later steps that run foreign code apart from this machine");
    let setting = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    if setting("kernel/unprivileged_userns_clone") == Some(0) {
        return part.missing("switched off", "sysctl --write kernel.unprivileged_userns_clone=1");
    }
    match setting("user/max_user_namespaces") {
        Some(0) => part.missing("switched off", "sysctl --write user.max_user_namespaces=15000"),
        Some(most) => part.present(format!("up to {most}")),
        None => part.missing("this kernel has none", "boot a kernel with CONFIG_USER_NS"),
    }
}

/// The overlay file system.
pub(super) fn overlay() -> Part {
    let part = Part::optional("overlayfs", "lays the images of later steps over each other without copying");
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some("overlay")) {
        part.present("known to the kernel")
    } else {
        part.missing("not known to the kernel", "modprobe overlay")
    }
}
