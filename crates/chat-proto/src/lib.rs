//! The chat line protocol of `protocole.md`: messages, checked names and texts, and codecs with hard limits.
//!
//! The crate needs no runtime, no sockets and no clock. Numbers of clauses and sections refer to `protocole.md`.
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
//!
//! | to | use |
//! |---|---|
//! | parse what a client sent | [`ClientMessage::parse`] |
//! | parse what a server sent | [`ServerMessage::parse`] |
//! | format a line | [`ClientMessage::write`], [`ServerMessage::write`] or its `Display` |
//! | check a name or a text | [`Name::new`], [`Name::chosen`], [`Text::new`] |
//! | put the lines of a roster together | [`RosterReader`] |
//! | learn which clause a line breaks, and what a server answers | [`ParseError::clause`], [`ParseError::refusal`] |
//! | read and write a connection as a server | [`ServerCodec`] (feature `codec`) |
//! | read and write a connection as a client | [`ClientCodec`] (feature `codec`) |
//! | read `protocole.md` itself, for tests | [`contract`] (feature `contract`) |
//!
//! [`Name`] and [`Text`] are made only by checking. So neither the network nor your code can put a line break or a control
//! character on the wire. A bad line is an *item* of the codec, a [`ParseError`]. Only a [`CodecError`] ends the connection.
//!
//! # Features
//!
//! | feature | default | adds | needs |
//! |---|---|---|---|
//! | `codec` | yes | the codecs for `tokio_util::codec::Framed` | `tokio-util`, `bytes` |
//! | `contract` | no | the clauses, test vectors and dialogues of `protocole.md` | nothing |

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

/// Maximum length of a line in bytes, its terminator included (clause 1.3).
pub const MAX_LINE: usize = 8_192;
/// Number of bytes without an LF that close the connection (clause 1.4).
pub const MAX_UNTERMINATED: usize = 65_536;
/// Maximum length of a text, in Unicode scalar values (clause 1.5).
pub const MAX_TEXT: usize = 2_000;
/// Maximum length of a name, in bytes. All its characters are ASCII (clause 1.6).
pub const MAX_NAME: usize = 20;
/// Number of refused names on one connection after which the server closes it (clause 3.3).
pub const MAX_NAME_FAILURES: u32 = 5;
/// The default TCP port.
pub const DEFAULT_PORT: u16 = 2222;
/// The protocol version that a named session requests (clause 3.1).
pub const VERSION: &str = "0.1";
