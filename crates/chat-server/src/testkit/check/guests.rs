//! Finds the name of each plain session. The server does not tell it to the client, but the witness receives the client's
//! messages with this name.

use std::collections::HashMap;

use chat_proto::{Name, ServerMessage, Text};

use crate::testkit::{Ask, Session};

/// The owner of a session, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// A named session.
    Named(Name),
    /// A plain session of which the witness has received a message.
    Guest(Name),
    /// A plain session without such a message: it may be any guest.
    Nameless,
}

impl Who {
    /// The name, or `guest0`, which the server never gives.
    pub(super) fn name(self) -> Name {
        match self {
            Self::Named(name) | Self::Guest(name) => name,
            Self::Nameless => Name::guest(0),
        }
    }
}

/// The names of guests, by the messages that the witness received.
pub(super) struct Guests<'a>(HashMap<&'a Text, Name>);

impl<'a> Guests<'a> {
    pub(super) fn heard_by(witness: &'a Session) -> Self {
        let said = witness.heard.iter().filter_map(|line| match line {
            Ok(ServerMessage::From { name, text }) if name.is_guest() => Some((text, *name)),
            _ => None,
        });
        Self(said.collect())
    }

    pub(super) fn who(&self, session: &Session) -> Who {
        let heard = |ask: &Ask| match ask {
            Ask::Say(text) => self.0.get(text).copied(),
            _ => None,
        };
        match session.name {
            Some(name) => Who::Named(name),
            None => session.asked.iter().find_map(heard).map_or(Who::Nameless, Who::Guest),
        }
    }
}
