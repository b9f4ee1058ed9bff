//! For tests of programs that embed the server (feature `testkit`): a transport with seeded faults, and a checker of what
//! clients sent and received.
//!
//! * [`Faulty`] wraps any stream and slices, stalls, resets and half-closes it as its [`Faults`] say. An [`Rng`] decides
//!   when. Everything follows from the seed: print it when a test fails, and the same seed replays the run. Stalls use
//!   Tokio's time, so they cost no time while it is paused.
//! * [`Session`] records what one client sent and received. [`check`] takes the sessions of a run and finds violations: a
//!   message lost, delivered twice, swapped, invented, or delivered although refused; clients that see different orders;
//!   replies that are not in the order of the requests; a roster that is not exact.
//!
//! ```
//! use std::time::Duration;
//!
//! use chat_server::{
//!     ChatServer, Peer,
//!     testkit::{Ask, Faults, Faulty, Rng, Session, check},
//! };
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = 42;
//! let mut rng = Rng::new(seed);
//! let server = ChatServer::builder().build();
//!
//! // Ann's lines arrive in pieces of up to three bytes, and one piece in ten comes late.
//! let faults = Faults::none().slices(3).stalls(10, Duration::from_millis(50));
//! let (ann, theirs) = tokio::io::duplex(256);
//! server.attach(Faulty::new(theirs, faults, rng.fork()), Peer::labelled("ann"));
//!
//! let mut record = Session::new("ann".parse()?);
//! let (reader, mut writer) = tokio::io::split(ann);
//! record.asks(Ask::Say("hello".parse()?));
//! record.asks(Ask::Bye);
//! writer.write_all(b"PROT 0.1 CONNECT USER ann\r\nMSG hello\r\nBYE\r\n").await?;
//! let mut lines = BufReader::new(reader).lines();
//! while let Some(line) = lines.next_line().await? {
//!     record.hears(&line);
//! }
//!
//! // The first session is the witness: it joins before all others, and stays until the end.
//! let summary = check(&[record]).unwrap_or_else(|violations| panic!("seed {seed}: {violations}"));
//! assert_eq!(summary.accepted, 1);
//! # Ok(()) }
//! ```

mod check;
mod rng;
mod session;
mod transport;

pub use self::{
    check::{Seen, Summary, Violation, Violations, check},
    rng::Rng,
    session::{Ask, Session},
    transport::{Faults, Faulty},
};
