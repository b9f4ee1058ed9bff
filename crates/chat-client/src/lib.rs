//! A client of the chat line protocol that `protocole.md` describes.
//!
//! * [`connect`] and [`Login`] open a session, with a name or as a guest. Each refusal has a type, and a refused name can be
//!   retried.
//! * [`ChatClient`] sends messages. A message counts as sent when its `OK` has arrived. If the connection fails before, the
//!   sender gets [`SendError::Unknown`].
//! * [`Events`] is the stream of what happens in the chat room. It includes this client's own messages, in their place in the
//!   order.
//! * With the feature `conversation`, the module `conversation` connects lines of input and output with a session, for a
//!   person or a script.
//! * With the feature `reconnect`, `Redial` opens one session after the other, and `Reconnecting` joins their events into one
//!   stream.
//!
//! The transport is any `AsyncRead + AsyncWrite`. The library prints nothing, handles no signals and installs no subscriber. It
//! spawns one task for each session on the caller's Tokio runtime.
//!
//! `tokio::io::duplex` is a transport in memory for tests. At its other end the test plays the server, or passes it to one with
//! `chat_server::ChatServer::attach`:
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
#[cfg(feature = "reconnect")]
mod reconnect;
mod session;

pub use chat_proto::{
    DEFAULT_PORT, Fault, MAX_NAME, MAX_ROSTER, MAX_TEXT, Name, NameError, NameKey, ParseError, Refusal, ServerMessage,
    Text, TextError,
};

pub use address::{Address, AddressError};
pub use client::{ChatClient, Receipt};
pub use close_reason::{CloseError, CloseReason, SessionReport};
#[cfg(unix)]
pub use connect::connect_unix;
pub use connect::{CONNECT_TIMEOUT, connect};
pub use error::{ConnectError, LoginError, OpenError, RequestError, SendError};
pub use escape::escape;
pub use event::{Event, Events};
pub use login::{Login, Retry};
#[cfg(feature = "reconnect")]
pub use reconnect::{DialOutcome, Reconnecting, Redial, SessionEvent};
pub use session::{MAX_EVENTS, MAX_OUTSTANDING, MAX_QUEUED};
