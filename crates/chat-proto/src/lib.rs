//! The OK/BYE chat line protocol of `protocole.md`: what can be said, how it is written, and how bytes become it.
//!
//! * [`ClientMessage`] and [`ServerMessage`] are what either side says; each is parsed and formatted in one place.
//! * [`Name`] and [`Text`] can only be made by checking: no line break or control character gets past them.
//! * [`ServerCodec`] and [`ClientCodec`] frame lines with hard limits. A bad line is an *item*
//!   ([`ParseError`], with the clause that it breaks); only a broken connection is a stream error ([`CodecError`]).
//!
//! Nothing here needs a runtime, a socket or a clock:
//!
//! ```
//! use bytes::BytesMut;
//! use chat_proto::{ClientMessage, ServerCodec};
//! use tokio_util::codec::Decoder;
//!
//! let mut codec = ServerCodec::new();
//! let mut received = BytesMut::from("PROT 0.1 CONNECT USER bob\r\nMSG hi\r\nmsg hi\r\n");
//! let mut next = || codec.decode(&mut received).unwrap().unwrap();
//!
//! assert_eq!(next().unwrap(), ClientMessage::ConnectUser("bob".parse().unwrap()));
//! assert_eq!(next().unwrap(), ClientMessage::Msg("hi".parse().unwrap()));
//! assert_eq!(next().unwrap_err().clause(), "3.9"); // verbs are upper-case
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "codec")]
mod codec;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod message;
mod name;
mod roster;
mod terminator;
mod text;

#[cfg(feature = "codec")]
pub use codec::{ClientCodec, CodecError, ServerCodec};
pub use error::{Fault, ParseError, Refusal};
pub use message::{ClientMessage, ServerMessage, Session, Stage};
pub use name::{Name, NameError, NameKey};
pub use roster::{MAX_ROSTER, RosterError, RosterReader};
pub use terminator::Terminator;
pub use text::{Text, TextError};

/// The longest line in bytes, its terminator included (clause 1.3).
pub const MAX_LINE: usize = 8_192;
/// So many bytes without an LF close the connection (clause 1.4).
pub const MAX_UNTERMINATED: usize = 65_536;
/// The longest text, in Unicode scalar values (clause 1.5).
pub const MAX_TEXT: usize = 2_000;
/// The longest name, in characters, which are bytes (clause 1.6).
pub const MAX_NAME: usize = 20;
/// The name refused for the last time: so many failures close the connection (clause 3.3).
pub const MAX_NAME_FAILURES: u32 = 5;
/// The TCP port of the original project, and the default of both programs.
pub const DEFAULT_PORT: u16 = 2222;
/// The version that a named session asks for (clause 3.1).
pub const VERSION: &str = "0.1";
