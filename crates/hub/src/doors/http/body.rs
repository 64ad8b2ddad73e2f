//! Reading bodies, within a limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::error::{HubError, Kind, Result};

/// How much of a body that is too large is read and thrown away: many clients look for an answer only when they have
/// sent everything.
const DRAINED: usize = 16 * 1024 * 1024;

/// The whole body.
///
/// # Errors
/// Too large; a connection that broke.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes> {
    let mut stream = body.into_data_stream();
    let (mut read, mut length) = (BytesMut::new(), 0_usize);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| {
            HubError::new(Kind::Invalid, "The request has not arrived completely").with_source(error)
        })?;
        length = length.saturating_add(piece.len());
        if length <= limit {
            read.extend_from_slice(&piece);
        } else if length > limit.saturating_add(DRAINED) {
            break;
        }
    }
    if length > limit {
        let message = format!("The request is larger than the {limit} bytes that are accepted");
        return Err(HubError::new(Kind::TooLarge, message).with_hint("ask for less at once"));
    }
    Ok(read.freeze())
}
