//! Which guest a plain session is: nobody tells it, but the witness hears what it says under the name that it has.

use std::collections::HashMap;

use chat_proto::{Name, ServerMessage, Text};

use crate::testkit::{Ask, Session};

/// Whose session it is, as far as can be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// A named session's.
    Named(Name),
    /// A plain session's, of which the witness has heard.
    Guest(Name),
    /// A plain session's that was never heard: it may be any guest.
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

/// Guests by what the witness heard of them.
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
