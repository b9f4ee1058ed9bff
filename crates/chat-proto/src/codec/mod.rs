//! Bytes to messages and back, for tokio-util's `Framed`, `FramedRead` and `FramedWrite`.

mod client;
mod error;
mod line;
mod server;

pub use client::ClientCodec;
pub use error::CodecError;
pub use server::ServerCodec;
