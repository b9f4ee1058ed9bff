//! Handles the events of the session: connections, lost connections, and what happens in the chat room.

use std::time::Duration;

use chat_client::{ChatClient, CloseReason, Event, OpenError, SessionEvent};

use super::{Stage, Terminal};
use crate::{Exit, open_failure};

impl Terminal<'_> {
    pub(super) async fn on_session_event(&mut self, event: Option<SessionEvent>) -> Option<Exit> {
        match event {
            Some(SessionEvent::Connected { client, gap, .. }) => self.on_connected(client, gap).await,
            Some(SessionEvent::Event(Event::Closed(reason))) => return self.on_closed(reason).await,
            Some(SessionEvent::Event(event)) => {
                self.completions.update(&event);
                self.output.show_event(&event, self.name).await;
            }
            Some(SessionEvent::Lost { reason, .. }) => {
                self.stage = Stage::Connecting;
                if let Some((exit, _)) = self.leaving {
                    return Some(exit);
                }
                self.output.warning(&format!("connection lost: {reason}")).await;
                if reason == CloseReason::TurnedAway || !self.args.reconnect.resolve(true) {
                    return Some(if reason == CloseReason::TurnedAway { Exit::Refused } else { Exit::Lost });
                }
            }
            Some(SessionEvent::Failed { error, retry_in, .. }) => return self.on_failed(&error, retry_in).await,
            Some(_) => {}
            None => return Some(self.leaving.map_or(Exit::Lost, |(exit, _)| exit)),
        }
        None
    }

    async fn on_connected(&mut self, client: ChatClient, gap: Option<Duration>) {
        let server = &self.args.server;
        if let Some(gap) = gap {
            let gap =
                format!("~~~~ reconnected after {:.1} s; messages in between are missing ~~~~", gap.as_secs_f32());
            self.output.warning(&gap).await;
        }
        self.output
            .note(&match client.name() {
                Some(name) => format!("connected to {server} as {name}; /help lists the commands"),
                None => format!("connected to {server} as a guest; /name NAME sets a name"),
            })
            .await;
        if client.name().is_some() {
            // The answer is an event, which is shown and updates the completions.
            client.request_clients().await;
        }
        self.was_connected = true;
        self.stage = Stage::Connected(client);
    }

    /// The session ended: this client sent BYE, or the server requires a name.
    async fn on_closed(&mut self, reason: CloseReason) -> Option<Exit> {
        self.stage = Stage::Connecting;
        if let Some((exit, _)) = self.leaving {
            return Some(exit);
        }
        self.session.resume();
        if reason == CloseReason::GuestsRefused {
            self.output.warning(&reason.to_string()).await;
            self.stage = Stage::AskingName;
        }
        None
    }

    async fn on_failed(&mut self, error: &OpenError, retry_in: Option<Duration>) -> Option<Exit> {
        let (exit, message) = open_failure::explain(error, &self.args.server);
        if retry_in.is_none() && error.is_name_refused() {
            self.output.warning(&error.to_string()).await;
            self.output.note("choose another name").await;
            self.stage = Stage::AskingName;
            return None;
        }
        let retries = self.args.reconnect.resolve(self.was_connected);
        let Some(delay) = retry_in.filter(|_| retries) else {
            self.output.warning(&message).await;
            return Some(exit);
        };
        let message = if self.was_connected { format!("cannot reconnect: {error}") } else { message };
        let message = format!("{message}; next attempt in {:.1} s, or now with /reconnect", delay.as_secs_f32());
        self.output.warning(&message).await;
        None
    }
}
