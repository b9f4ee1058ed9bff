//! One session: the pure [`state`], and a [`driver`] task between it, the requests and the [`wire`].

mod ack_behaviour;
mod driver;
mod event_sink;
mod state;
mod wire;

use chat_proto::{ClientCodec, ClientMessage, Name, Session};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot, watch},
};
use tokio_util::codec::Framed;

use crate::{ChatClient, Events, SessionReport};
use driver::Driver;
use event_sink::EventSink;
use state::State;
use wire::Wire;

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

/// Starts the task of a session after its login. `name` is `None` for a guest.
pub(crate) fn start(lines: Lines, name: Option<Name>) -> (ChatClient, Events) {
    let session = lines.codec().session();
    let (request, requests) = mpsc::channel(MAX_QUEUED);
    let (event, events) = mpsc::channel(MAX_EVENTS);
    let (report, reported) = watch::channel(None::<SessionReport>);
    let mut wire = Wire::new(lines);
    if session == Session::Plain {
        // An empty first line opens a plain session (clause 4.2).
        wire.send(ClientMessage::Blank);
    }
    tokio::spawn(Driver::new(wire, State::new(session, name), requests, EventSink::new(event)).drive(report));
    (ChatClient::new(request, reported, name), Events::new(events))
}
