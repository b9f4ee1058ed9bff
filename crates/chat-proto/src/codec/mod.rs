//! Bytes to messages and back, for tokio-util's `Framed`, `FramedRead` and `FramedWrite`.

mod client;
mod line;
mod server;

pub use client::ClientCodec;
pub use server::ServerCodec;
