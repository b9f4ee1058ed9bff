//! The errors that end a connection. A bad line does not: it is a [`ParseError`](crate::ParseError), an item.

use std::io;

/// An error that ends the connection, because no further line can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The peer sent [`MAX_UNTERMINATED`](crate::MAX_UNTERMINATED) bytes without an LF (clause 1.4).
    #[error("{} bytes without an LF (clause 1.4)", crate::MAX_UNTERMINATED)]
    Unterminated,
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
