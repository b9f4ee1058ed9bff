//! The errors that end a connection. A bad line does not: it is a [`ParseError`](crate::ParseError), an item.

use std::io;

/// An error that ends the connection, because no further line can be read.
///
/// ```
/// use bytes::BytesMut;
/// use chat_proto::{CodecError, Fault, MAX_UNTERMINATED, ServerCodec};
/// use tokio_util::codec::Decoder;
///
/// let mut codec = ServerCodec::new();
/// let mut received = BytesMut::from(&[b'a'; MAX_UNTERMINATED][..]);
/// let too_long = codec.decode(&mut received)?.unwrap().unwrap_err(); // an item: a server answers it
/// assert_eq!(too_long.fault(), Fault::TooLong);
/// assert!(matches!(codec.decode(&mut received), Err(CodecError::Unterminated)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
