//! A client of the chat line protocol that `protocole.md` defines, for bots, bridges and programs for people.
//!
//! A message counts as *sent* when its `OK` has arrived. If the connection fails before, the sender gets
//! [`SendError::Unknown`]: the message may have been delivered or not, and nothing is sent twice.
//!
//! ```
//! use chat_client::{Event, Login};
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (stream, mut server) = tokio::io::duplex(4096);
//! # let server = tokio::spawn(async move {
//! #     let mut hello = [0; 27];
//! #     server.read_exact(&mut hello).await?;
//! #     server.write_all(b"NAME OK\r\nWELCOME\r\nFROM alice MSG hello\r\n").await?;
//! #     let mut message = [0; 14];
//! #     server.read_exact(&mut message).await?;
//! #     server.write_all(b"OK\r\n").await?;
//! #     let mut bye = [0; 5];
//! #     server.read_exact(&mut bye).await?;
//! #     server.write_all(b"BYE\r\n").await
//! # });
//! // `chat_client::connect("localhost:2222").await?` does the same over TCP.
//! let (client, mut events) = Login::over(stream).log_in("bob".parse()?).await?;
//!
//! let Some(Event::Message { from, text, .. }) = events.next().await else { panic!("alice speaks first") };
//! assert_eq!(format!("{from}: {text}"), "alice: hello");
//!
//! client.send("hi alice".parse()?).await?; // resolves on its OK
//! let report = client.close().await?; // waits for what is still out, says BYE
//! assert_eq!(report.accepted, 1);
//! # server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | connect over TCP | [`connect`] |
//! | connect over a Unix socket, or to an address that a user typed | `connect_unix`, [`Address::connect`] |
//! | use a transport of your own | [`Login::over`] |
//! | open a session | [`Login::log_in`], or [`Login::as_guest`] without a name |
//! | try another name after a refusal | [`Retry::log_in`] |
//! | send a message and wait for its `OK` | [`ChatClient::send`] |
//! | send many messages in a row | [`ChatClient::queue`], which returns a [`Receipt`] |
//! | send a message without ever waiting | [`ChatClient::try_queue`] |
//! | ask who is present | [`ChatClient::clients`] |
//! | receive what happens in the chat room | [`Events::next`], or [`Events`] as a `Stream` |
//! | leave, and learn what became of the messages | [`ChatClient::close`] |
//! | show text from the network at a terminal | [`escape`] |
//! | reconnect with growing delays | [`Redial`], [`Reconnecting`] (feature `reconnect`) |
//! | join lines of input and output with a session | [`conversation`] (feature `conversation`) |
//!
//! Every wait has a limit. The login has [`LOGIN_TIMEOUT`]. A session under a name ends after twice [`KEEPALIVE_INTERVAL`]
//! without a line. A client that leaves gives the server [`LEAVE_TIMEOUT`] for each further answer. No message is given up
//! earlier because of the clock.
//!
//! The transport is any `AsyncRead + AsyncWrite`. The library prints nothing, handles no signals and installs no subscriber for
//! its `tracing` events. It spawns one task for each session on the caller's Tokio runtime. That task ends with the session.
//!
//! For tests, `tokio::io::duplex` is a transport in memory. At its other end the test plays the server, or passes it to one with
//! `chat_server::ChatServer::attach`.
//!
//! Numbers of clauses and sections in this documentation refer to `protocole.md`.
//!
//! # Features
//!
//! | feature | default | adds | needs |
//! |---|---|---|---|
//! | `conversation` | no | the module [`conversation`], for a person or a script | `bytes`, and the feature `reconnect` |
//! | `reconnect` | no | [`Redial`], [`Reconnecting`] and their events | `backon` |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::missing_errors_doc)]

mod address;
mod client;
mod close_reason;
mod connect;
#[cfg(feature = "conversation")]
pub mod conversation;
mod error;
mod escape;
mod event;
mod login;
mod receipt;
#[cfg(feature = "reconnect")]
mod reconnect;
mod session;

pub use chat_proto::{
    DEFAULT_PORT, Fault, MAX_NAME, MAX_ROSTER, MAX_TEXT, Name, NameError, NameKey, ParseError, Refusal, ServerMessage,
    Text, TextError,
};

pub use address::{Address, AddressError};
pub use client::ChatClient;
pub use close_reason::{CloseError, CloseReason, SessionReport};
#[cfg(unix)]
pub use connect::connect_unix;
pub use connect::{CONNECT_TIMEOUT, connect};
pub use error::{ConnectError, LoginError, OpenError, RequestError, SendError};
pub use escape::escape;
pub use event::{Event, Events};
pub use login::{LOGIN_TIMEOUT, Login, Retry};
pub use receipt::Receipt;
#[cfg(feature = "reconnect")]
pub use reconnect::{Reconnecting, Redial, SessionEvent};
pub use session::{KEEPALIVE_INTERVAL, LEAVE_TIMEOUT, MAX_EVENTS, MAX_OUTSTANDING, MAX_QUEUED};
