//! One session: pure [`state`], and a [`driver`] task that joins it with the requests and the [`wire`].

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

use crate::{ChatClient, Events, Report};
use driver::Driver;
use event_sink::Outbox;
use state::State;
use wire::Wire;

pub(crate) use state::{Answer, Request};

/// So many requests may be written and wait for their answer; the next ones wait to be written.
pub const MAX_OUTSTANDING: usize = 1_024;
/// So many requests may wait to be written; who wants to make another waits first.
pub const MAX_QUEUED: usize = 64;
/// So many events may wait to be read: see [`Events`].
pub const MAX_EVENTS: usize = 1_024;

/// What a session can run over.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for S {}

/// A connection, as lines. Its transport is boxed: a client has few, and a person does not notice; types and errors
/// without a parameter everyone does.
pub(crate) type Lines = Framed<Box<dyn Transport>, ClientCodec>;

/// Where the answer to a request goes.
pub(crate) type Ticket = oneshot::Sender<Answer>;

/// Starts the task of a session whose login is over. `name` is `None` for a guest.
pub(crate) fn start(lines: Lines, name: Option<Name>) -> (ChatClient, Events) {
    let session = lines.codec().session();
    let (request, requests) = mpsc::channel(MAX_QUEUED);
    let (event, events) = mpsc::channel(MAX_EVENTS);
    let (report, reported) = watch::channel(None::<Report>);
    let mut wire = Wire::new(lines);
    if session == Session::Plain {
        // An empty first line opens the session and says nothing (clause 4.2).
        wire.say(ClientMessage::Blank);
    }
    tokio::spawn(Driver::new(wire, State::new(session, name), requests, Outbox::new(event)).drive(report));
    (ChatClient::new(request, reported, name), Events::new(events))
}
