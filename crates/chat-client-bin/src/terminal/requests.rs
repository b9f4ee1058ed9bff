//! Requests that the session has not taken yet. A session takes only so many at a time, and the terminal does not wait.

use std::collections::VecDeque;

use chat_client::{ChatClient, Receipt, SendError, Text};

/// A request to the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Say(Text),
    Clients,
    Bye,
}

impl Request {
    fn is_message(&self) -> bool {
        matches!(self, Self::Say(_))
    }
}

/// A request that was given to the session.
#[derive(Debug)]
pub(super) enum Sent {
    /// A message, and the receipt for its `OK`. On an error, the session did not take it.
    Message(Text, Result<Receipt, SendError>),
    Other,
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Oldest first.
    waiting: VecDeque<Request>,
    /// Number of messages among them.
    messages: usize,
}

impl Requests {
    pub(super) fn push(&mut self, request: Request) {
        self.messages += usize::from(request.is_message());
        self.waiting.push_back(request);
    }

    /// Puts back a request that the session did not take.
    pub(super) fn push_front(&mut self, request: Request) {
        self.messages += usize::from(request.is_message());
        self.waiting.push_front(request);
    }

    /// Number of waiting messages.
    pub(super) fn messages(&self) -> usize {
        self.messages
    }

    /// Gives the first request to the session, once that has room. Call [`Requests::remove_first`] after this. Never
    /// returns without a session. Cancel safe.
    pub(super) async fn send_first(&self, client: Option<&ChatClient>) -> Sent {
        let (Some(client), Some(first)) = (client, self.waiting.front()) else { return std::future::pending().await };
        match first {
            Request::Say(text) => {
                let receipt = client.queue(text.clone()).await;
                return Sent::Message(text.clone(), receipt);
            }
            Request::Clients => client.request_clients().await,
            Request::Bye => client.leave().await,
        }
        Sent::Other
    }

    /// Removes the first request.
    pub(super) fn remove_first(&mut self) {
        let first = self.waiting.pop_front();
        self.messages -= usize::from(first.is_some_and(|request| request.is_message()));
    }

    /// Drops all requests, and returns the messages among them: they were not sent.
    pub(super) fn take_messages(&mut self) -> Vec<Text> {
        let say = |request| match request {
            Request::Say(text) => Some(text),
            _ => None,
        };
        self.messages = 0;
        self.waiting.drain(..).filter_map(say).collect()
    }
}
