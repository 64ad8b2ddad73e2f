//! The port: chosen by the kernel once, and kept, since addresses of images have it in them.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use super::ManagedRegistryError;
use crate::private_file;

const FILE: &str = "port";
/// A port of this range may be somebody's who asks, for a moment; and a registry that was killed may not be gone yet.
const ATTEMPTS: u32 = 50;
const INTERVAL: Duration = Duration::from_millis(100);

/// The address that was chosen; none before the first start.
pub(super) fn kept(folder: &Path) -> Result<Option<SocketAddr>, ManagedRegistryError> {
    let file = folder.join(FILE);
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            let port = text.trim().parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                let consequence = "images that are in use have another port in their addresses";
                ManagedRegistryError::Damaged { file, consequence }
            })?;
            Ok(Some(address(port)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ManagedRegistryError::Folder { folder: folder.to_owned(), source }),
    }
}

/// The address of the registry, which is free now.
pub(super) async fn kept_or_chosen(folder: &Path) -> Result<SocketAddr, ManagedRegistryError> {
    let file = folder.join(FILE);
    let failed = |source| ManagedRegistryError::Folder { folder: folder.to_owned(), source };
    let port = if let Some(kept) = kept(folder)? {
        kept.port()
    } else {
        let port = bind(0).map_err(failed)?;
        private_file::create(&file, format!("{port}\n").as_bytes()).map_err(failed)?;
        port
    };
    for _ in 0..ATTEMPTS {
        match bind(port) {
            Ok(_) => return Ok(address(port)),
            Err(error) if error.kind() == ErrorKind::AddrInUse => tokio::time::sleep(INTERVAL).await,
            Err(error) => return Err(failed(error)),
        }
    }
    Err(ManagedRegistryError::PortTaken { port, file })
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Binds a port for a moment, and gives its number.
fn bind(port: u16) -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}
