//! An async chat server to embed. All clients see one total order, no line is lost silently, and a message is encoded
//! once for all receivers. `protocole.md` defines the protocol.
//!
//! The embedding program owns the runtime, the listeners, the signals and the logger ([`tracing`]). Pass the server a
//! listener or a stream, or join from inside:
//!
//! ```
//! use chat_server::{ChatServer, Event, Peer};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ChatServer::builder().max_clients(100).build();
//! let mut bot = server.local("bot").await?;
//!
//! let (mut stream, theirs) = tokio::io::duplex(1024);
//! server.attach(theirs, Peer::labelled("gateway"));
//! stream.write_all(b"PROT 0.1 CONNECT USER ann\r\nMSG hello\r\n").await?;
//!
//! let Event::Joined { member, .. } = bot.recv().await? else { panic!() };
//! let Event::Message { from, text, .. } = bot.recv().await? else { panic!() };
//! assert_eq!((from, text.as_str()), (member, "hello"));
//!
//! let report = server.shutdown().await;
//! assert_eq!(report.drained, 1);
//! let mut received = String::new();
//! stream.read_to_string(&mut received).await?;
//! assert_eq!(received, "NAME OK\r\nWELCOME\r\nOK\r\nBYE\r\n");
//! # Ok(()) }
//! ```
//!
//! | to | use |
//! |---|---|
//! | serve TCP ports, Unix sockets, or a transport of your own | [`ChatServer::serve`], [`listen`] |
//! | do a handshake first, such as TLS or the PROXY protocol | [`listen::Handshakes`] |
//! | serve one stream, and end it | [`ChatServer::attach`], [`Connection`] |
//! | take part | [`ChatServer::local`] |
//! | watch | [`ChatServer::watch`], [`ChatServer::events`], [`ChatServer::stats`] |
//! | kick a client, send a notice to all or to one | [`ChatServer::kick`], [`ChatServer::notice`], [`ChatServer::notice_to`] |
//! | give several rooms one limit | [`Limits`] |
//! | set rules | [`Policy`] |
//! | set limits and timeouts | [`ChatServerBuilder`] |
//! | test with a faulty network | `testkit`, with the feature `testkit` |
//! | stop | [`Serve::with_graceful_shutdown`], [`ChatServer::shutdown`] |
//!
//! The [`guide`] has a page for each of: a web app beside the chat, WebSocket, TLS, authentication, several rooms, storage
//! of messages, testing.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod conn;
mod connection;
mod event;
#[cfg(any(doc, doctest))]
pub mod guide;
mod hub;
mod limit;
pub mod listen;
mod local;
mod member;
mod options;
mod peer;
mod policy;
mod reason;
mod serve;
mod server;
mod shared;
mod stats;
#[cfg(feature = "testkit")]
pub mod testkit;
mod warning;

pub use builder::ChatServerBuilder;
pub use chat_proto::{Fault, MAX_NAME, MAX_TEXT, Name, NameError, NameKey, Text, TextError};
pub use chat_room::ConnId;
pub use connection::Connection;
pub use event::{Event, Events, EventsLost};
pub use limit::{Limits, RateLimit, SharedLimits};
pub use local::{LocalClient, LocalError, LocalEvents, LocalLogin, LocalReceipt, LocalSender};
pub use member::Member;
pub use options::{PlainSessions, StopOnBye};
pub use peer::Peer;
pub use policy::{Admission, Connect, Credential, Deferred, Ended, Login, Message, Policy, Verdict};
pub use reason::{EndReason, Ending, Full};
pub use serve::Serve;
pub use server::{ChatServer, WeakChatServer};
pub use shared::Report;
pub use stats::Stats;
