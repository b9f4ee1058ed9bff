//! Analyses one session: matches replies with requests, and collects what the client saw of the order.

use std::{collections::VecDeque, fmt};

use chat_proto::{Name, RosterReader, ServerMessage, Text};

use super::{guests::Who, violation::Violation};
use crate::testkit::{Ask, Session};

/// What a client sees of the one order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Seen {
    /// A client joined.
    Joined(Name),
    /// A client sent a message.
    Said(Name, Text),
    /// A client left.
    Left(Name),
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined(name) => write!(f, "JOIN {name}"),
            // The precision cuts the text: its beginning suffices.
            Self::Said(name, text) => write!(f, "FROM {name} MSG {text:.60}"),
            Self::Left(name) => write!(f, "LOGOUT {name}"),
        }
    }
}

/// The answer to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Accepted,
    Refused,
    Unknown,
}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The server replied `BYE` to the client's.
    Left,
    /// The server sent `BYE` by itself.
    Stopped,
    /// The stream ended without `BYE`.
    Cut,
}

/// The analysis of a session.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) who: Who,
    pub(super) name: Name,
    pub(super) said: Vec<(Text, Fate)>,
    /// What it saw, with its own messages where their `OK`s stand. It begins with its own `JOIN`; empty if it never joined.
    pub(super) view: Vec<Seen>,
    /// Rosters, each with the number of events that the client had seen.
    pub(super) rosters: Vec<(usize, Vec<Name>)>,
    pub(super) end: End,
}

impl Replay {
    pub(super) fn of(session: &Session, who: Who, violations: &mut Vec<Violation>) -> Self {
        let Session { asked, heard, .. } = session;
        let name = who.name();
        let said = asked.iter().filter_map(|ask| match ask {
            Ask::Say(text) => Some((text.clone(), Fate::Unknown)),
            _ => None,
        });
        let (said, view, rosters) = (said.collect(), Vec::new(), Vec::new());
        let mut this = Self { who, name, said, view, rosters, end: End::Cut };
        let mut replying = Replying { waiting: asked.iter().collect(), answered: 0, roster: RosterReader::default() };
        for line in heard {
            let understood = match line {
                _ if this.end != End::Cut => false,
                Ok(line) => this.hear(line, &mut replying),
                Err(_) => false,
            };
            if !understood {
                let line = line.as_ref().map_or_else(Clone::clone, ToString::to_string);
                violations.push(Violation::Reply { by: name, line });
            }
        }
        this
    }

    /// Handles a line. Returns whether the line was possible here.
    fn hear(&mut self, line: &ServerMessage, replying: &mut Replying<'_>) -> bool {
        if self.view.is_empty() {
            match (self.who, line) {
                (Who::Named(_), ServerMessage::Welcome) => {
                    self.view.push(Seen::Joined(self.name));
                    return true;
                }
                (Who::Named(_), ServerMessage::NameOk | ServerMessage::NameFailure | ServerMessage::NameReq) => {
                    return true;
                }
                (_, ServerMessage::Bye) => {
                    self.end = End::Stopped;
                    return true;
                }
                (Who::Named(_), _) => return false,
                (_, ServerMessage::BadProt) => return true,
                // The reply to its first line, which may have been invalid.
                (_, ServerMessage::BadReq) => {}
                // No line tells a plain client that it has joined, but this one implies it.
                _ => self.view.push(Seen::Joined(self.name)),
            }
        }
        match line {
            ServerMessage::Ok => match replying.next() {
                Some(Ask::Say(text)) => {
                    self.view.push(Seen::Said(self.name, text.clone()));
                    self.answer(replying, Fate::Accepted);
                }
                _ => return false,
            },
            ServerMessage::BadReq => match replying.next() {
                Some(Ask::Say(_)) => self.answer(replying, Fate::Refused),
                other => return other == Some(&Ask::Nonsense),
            },
            ServerMessage::Pong => return replying.next() == Some(&Ask::Ping),
            ServerMessage::Clients { total, names } => return self.list(*total, names, replying),
            ServerMessage::Bye if replying.waiting.front() == Some(&&Ask::Bye) => self.end = End::Left,
            ServerMessage::Bye => self.end = End::Stopped,
            ServerMessage::Ping => return matches!(self.who, Who::Named(_)),
            ServerMessage::Join(name) if *name != self.name => self.view.push(Seen::Joined(*name)),
            ServerMessage::Logout(name) if *name != self.name => self.view.push(Seen::Left(*name)),
            ServerMessage::From { name, text } if *name != self.name => {
                self.view.push(Seen::Said(*name, text.clone()));
            }
            _ => return false,
        }
        true
    }

    fn answer(&mut self, replying: &mut Replying<'_>, fate: Fate) {
        self.said[replying.answered].1 = fate;
        replying.answered += 1;
    }

    fn list(&mut self, total: usize, names: &[Name], replying: &mut Replying<'_>) -> bool {
        match replying.roster.push(total, names.to_vec()) {
            Ok(Some(roster)) => {
                self.rosters.push((self.view.len(), roster));
                replying.next() == Some(&Ask::Clients)
            }
            Ok(None) => replying.waiting.front() == Some(&&Ask::Clients),
            Err(_) => false,
        }
    }
}

/// The requests that still wait for their replies.
struct Replying<'a> {
    waiting: VecDeque<&'a Ask>,
    /// The number of answered messages.
    answered: usize,
    roster: RosterReader,
}

impl<'a> Replying<'a> {
    fn next(&mut self) -> Option<&'a Ask> {
        self.waiting.pop_front()
    }
}
