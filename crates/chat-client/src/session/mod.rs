//! One session: the pure [`state`], and a [`driver`] task between it, the requests and the [`wire`].

mod ack_behaviour;
mod deadlines;
mod driver;
mod event_sink;
mod state;
mod wire;

use std::time::Duration;

use chat_proto::{ClientCodec, ClientMessage, Name, Session};
use tokio::time::Instant;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot, watch},
};
use tokio_util::codec::Framed;

use crate::{ChatClient, Events, SessionReport};
use deadlines::Deadlines;
use driver::Driver;
use event_sink::EventSink;
use state::State;
use wire::Wire;

pub use deadlines::{KEEPALIVE_INTERVAL, LEAVE_TIMEOUT};
pub(crate) use state::{Answer, Request};

/// Maximum number of requests that are written and wait for their answers. Later requests wait in the queue.
pub const MAX_OUTSTANDING: usize = 1_024;
/// Maximum number of requests that wait to be written. When the queue is full, callers wait.
pub const MAX_QUEUED: usize = 64;
/// Maximum number of events that wait to be read: see [`Events`].
pub const MAX_EVENTS: usize = 1_024;

/// A transport for a session.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for S {}

/// A connection as lines. The boxed transport costs little, and it keeps a type parameter out of all types and errors.
pub(crate) type Lines = Framed<Box<dyn Transport>, ClientCodec>;

/// Receives the answer to a request.
pub(crate) type Ticket = oneshot::Sender<Answer>;

/// What the handles tell the session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    /// Whether to leave.
    pub(crate) leave: bool,
    /// When the session must be over.
    pub(crate) leave_by: Option<Instant>,
    /// Whether to read no more than the reader of events takes, even if requests wait for answers.
    pub(crate) waits_for_reader: bool,
}

/// What is known of a session that is over.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) report: SessionReport,
    /// When the last line was received.
    #[cfg_attr(not(feature = "reconnect"), allow(dead_code, reason = "only gaps between sessions need it"))]
    pub(crate) last_received: Instant,
}

/// Starts the task of a session after its login. `name` is `None` for a guest. `keepalive` is as for
/// [`Login::keepalive`](crate::Login::keepalive).
pub(crate) fn start(lines: Lines, name: Option<Name>, keepalive: Option<Duration>) -> (ChatClient, Events) {
    let session = lines.codec().session();
    let (request, requests) = mpsc::channel(MAX_QUEUED);
    let (event, events) = mpsc::channel(MAX_EVENTS);
    let (report, reported) = watch::channel(None);
    let (order, orders) = watch::channel(Orders::default());
    let mut wire = Wire::new(lines);
    if session == Session::Plain {
        // An empty first line opens a plain session (clause 4.2).
        wire.send(ClientMessage::Blank);
    }
    let deadlines = Deadlines::new(keepalive, Instant::now());
    let driver = Driver::new(wire, State::new(session, name), deadlines, requests, orders, EventSink::new(event));
    tokio::spawn(driver.drive(report));
    (ChatClient::new(request, order, reported, name), Events::new(events))
}
