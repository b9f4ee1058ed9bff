//! What a conversation sends in its sessions, and what became of it.

use std::{
    collections::VecDeque,
    future::{pending, poll_fn},
    pin::Pin,
    task::ready,
};

use chat_proto::Text;
use tokio::sync::oneshot;

use crate::{ChatClient, SendError, session::Answer};

/// Requests for the current session, and the counts of all sessions.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    client: Option<ChatClient>,
    /// Whether the session takes no more requests.
    is_closed: bool,
    /// Requests that found no room. While there are some, no line of the input is read.
    held: VecDeque<Held>,
    /// Messages that the last session did not send. The next session sends them first.
    returned: VecDeque<Text>,
    /// Number of messages that the current session has taken.
    queued: u64,
    rosters: VecDeque<oneshot::Receiver<Answer>>,
    /// Number of messages that the server refused.
    pub(super) refused: u64,
    /// Number of messages without an answer.
    pub(super) unacknowledged: u64,
    /// Number of messages that a session took but did not send, and did not return.
    not_returned: u64,
}

#[derive(Debug)]
enum Held {
    Message(Text),
    Roster,
}

impl Outgoing {
    /// A session is open.
    pub(super) fn connected(&mut self, client: ChatClient) {
        client.wait_for_reader();
        self.client = Some(client);
        self.is_closed = false;
        self.send();
    }

    /// The current session.
    pub(super) fn client(&self) -> Option<&ChatClient> {
        self.client.as_ref()
    }

    pub(super) fn say(&mut self, text: Text) {
        self.held.push_back(Held::Message(text));
        self.send();
    }

    pub(super) fn request_roster(&mut self) {
        self.held.push_back(Held::Roster);
        self.send();
    }

    /// Whether everything was passed to a session.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.returned.is_empty()
    }

    /// Waits until the session has room for what is held. Cancel safe.
    pub(super) fn has_room(&self) -> impl Future<Output = ()> + use<> {
        let client = self.client.clone().filter(|_| !self.held.is_empty() && !self.is_closed);
        async move {
            match client {
                Some(client) => client.has_room().await,
                None => pending().await,
            }
        }
    }

    /// Passes to the session what it has room for.
    pub(super) fn send(&mut self) {
        let Some(client) = &self.client else { return };
        while let Some(next) = self.held.front() {
            let sent = match next {
                Held::Message(text) => client.try_queue(text.clone()).map(|receipt| {
                    // Events and the session's report tell what becomes of it.
                    drop(receipt);
                    self.queued += 1;
                }),
                Held::Roster => client.try_request_clients().map(|answer| self.rosters.push_back(answer)),
            };
            match sent {
                Ok(()) => drop(self.held.pop_front()),
                Err(SendError::Full) => return,
                Err(_) => {
                    // The session is over, and its last event follows.
                    self.is_closed = true;
                    return;
                }
            }
        }
    }

    /// The session has ended without sending this message.
    pub(super) fn returned(&mut self, text: Text) {
        self.returned.push_back(text);
    }

    /// The session is over.
    pub(super) fn over(&mut self) {
        let Some(client) = self.client.take() else { return };
        let queued = std::mem::take(&mut self.queued);
        // Without a report its task was stopped, and nothing is known.
        let (refused, unknown, written) = client.report().map_or((0, queued, queued), |report| {
            (report.refused, report.unknown, report.accepted + report.refused + report.unknown)
        });
        self.refused += refused;
        self.unacknowledged += unknown;
        self.not_returned += queued.saturating_sub(written).saturating_sub(self.returned.len() as u64);
        for text in std::mem::take(&mut self.returned).into_iter().rev() {
            self.held.push_front(Held::Message(text));
        }
        self.rosters.clear();
    }

    /// Number of messages that no session has sent.
    pub(super) fn unsent(&self) -> u64 {
        let held = self.held.iter().filter(|held| matches!(held, Held::Message(_))).count();
        self.not_returned + (held + self.returned.len()) as u64
    }

    /// Waits for the answer to the oldest request for a roster. Returns whether the server sent one. Cancel safe.
    pub(super) async fn next_roster(&mut self) -> bool {
        poll_fn(|cx| {
            let Some(oldest) = self.rosters.front_mut() else { return std::task::Poll::Pending };
            let answer = ready!(Pin::new(oldest).poll(cx));
            self.rosters.pop_front();
            // The roster itself is an event.
            std::task::Poll::Ready(!matches!(answer, Ok(Answer::Refused | Answer::Malformed)))
        })
        .await
    }
}
