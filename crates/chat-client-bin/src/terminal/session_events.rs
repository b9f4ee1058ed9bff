//! Handles the events of the session: connections, lost connections, and what happens in the chat room.

use std::time::Duration;

use chat_client::{ChatClient, CloseReason, Event, OpenError, SessionEvent, Text};

use super::{Request, Stage, Terminal, input::Entered};
use crate::{Exit, open_failure};

impl Terminal<'_> {
    pub(super) fn on_session_event(&mut self, event: Option<SessionEvent>) -> Option<Exit> {
        match event {
            Some(SessionEvent::Connected { client, gap, .. }) => self.on_connected(client, gap),
            Some(SessionEvent::Event(Event::Closed(reason))) => return self.on_closed(&reason),
            Some(SessionEvent::Event(event)) => {
                self.completions.update(&event);
                self.output.show_event(&event, self.name);
            }
            Some(SessionEvent::Lost { reason, .. }) => {
                self.stage = Stage::Connecting;
                if let Some((exit, _)) = self.leaving {
                    return Some(exit);
                }
                self.output.warning(&format!("connection lost: {reason}"));
                self.keep_unsent();
                if reason == CloseReason::TurnedAway || !self.args.reconnect.resolve(true) {
                    return Some(if reason == CloseReason::TurnedAway { Exit::Refused } else { Exit::Lost });
                }
            }
            Some(SessionEvent::Failed { error, retry_in, .. }) => return self.on_failed(&error, retry_in),
            Some(_) => {}
            None => return Some(self.leaving.map_or(Exit::Lost, |(exit, _)| exit)),
        }
        None
    }

    fn on_connected(&mut self, client: ChatClient, gap: Option<Duration>) {
        let server = &self.args.server;
        if let Some(gap) = gap {
            let gap =
                format!("~~~~ reconnected after {:.1} s; messages in between are missing ~~~~", gap.as_secs_f32());
            self.output.warning(&gap);
        }
        self.output.note(&match client.name() {
            Some(name) => format!("connected to {server} as {name}; /help lists the commands"),
            None => format!("connected to {server} as a guest; /name NAME sets a name"),
        });
        if client.name().is_some() {
            // The answer is an event, which is shown and updates the completions.
            self.requests.push(Request::Clients);
        }
        self.was_connected = true;
        self.stage = Stage::Connected(client);
    }

    /// The session ended: this client sent BYE, or the server requires a name.
    fn on_closed(&mut self, reason: &CloseReason) -> Option<Exit> {
        self.stage = Stage::Connecting;
        if let Some((exit, _)) = self.leaving {
            return Some(exit);
        }
        self.keep_unsent();
        self.session.resume();
        if *reason == CloseReason::GuestsRefused {
            self.output.warning(&reason.to_string());
            self.stage = Stage::AskingName;
        }
        None
    }

    fn on_failed(&mut self, error: &OpenError, retry_in: Option<Duration>) -> Option<Exit> {
        let (exit, message) = open_failure::explain(error, &self.args.server);
        if retry_in.is_none() && error.is_name_refused() {
            self.output.warning(&error.to_string());
            self.output.note("choose another name");
            self.stage = Stage::AskingName;
            return None;
        }
        let retries = self.args.reconnect.resolve(self.was_connected);
        let Some(delay) = retry_in.filter(|_| retries) else {
            self.output.warning(&message);
            return Some(exit);
        };
        let message = if self.was_connected { format!("cannot reconnect: {error}") } else { message };
        let message = format!("{message}; next attempt in {:.1} s, or now with /reconnect", delay.as_secs_f32());
        self.output.warning(&message);
        None
    }

    /// Puts the messages that no session has taken back into the line being typed.
    fn keep_unsent(&mut self) {
        let texts = self.requests.take_messages();
        if !texts.is_empty() {
            let count = texts.len();
            self.output.warning(&format!("not sent, and kept: {count} of your messages"));
            let text = texts.iter().map(Text::as_str).collect::<Vec<_>>().join("\n");
            self.editor.restore(&Entered { text, is_verbatim: true });
        }
    }
}
