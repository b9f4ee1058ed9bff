//! How a server acknowledges messages, learnt from what it does: pure state.
//!
//! A server of this protocol answers each message with one `OK` (clause 5.1). Others of version 0.1 say none, or send their
//! clients their own messages back, before the `OK` or after it. No flag tells them apart, only what they say.
//!
//! A guest's own messages, sent back, are not known as such: only the server knows the name it has given. What another guest
//! says in the same words, or a bot that repeats everybody, looks the same; to take it for an echo would hide a message, or
//! call one acknowledged that is not.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use chat_proto::Text;

use super::MAX_OUTSTANDING;

/// So long the first message of a session may be without an answer, before the server is asked for a sign of life.
pub(super) const GRACE: Duration = Duration::from_secs(3);
/// So long it then has to give one.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of a server.
#[derive(Debug, Default)]
pub(super) struct Habits {
    stage: Stage,
    /// Messages whose echo came before their `OK`: so many `OK`s are still to come, or never.
    owed: u64,
    /// Accepted messages whose echo may still come. Hashes: most servers send none, and nothing else is kept for it.
    unechoed: VecDeque<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// No message has had an answer yet.
    #[default]
    Unsure,
    /// As before, and for some time: it is asked for a sign of life, unless by a guest.
    Probing,
    /// It says `OK`. This is for good: such a server is held to it.
    Faithful,
    /// It answers what comes after a message, and never the message: that answer shows that it has taken the message.
    Mute,
    /// It has answered nothing so far. An answer that comes later ends this.
    Silent,
}

/// What follows when a server has been silent for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resort {
    /// Ask for a sign of life.
    Probe,
    /// Wait on: a guest cannot ask.
    Wait,
    /// Wait for no message any more.
    GiveUp,
}

impl Habits {
    /// How long the answer to a message may take now. `None`: as long as it likes.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.stage {
            Stage::Unsure => Some(GRACE),
            Stage::Probing => Some(PATIENCE),
            Stage::Faithful | Stage::Mute | Stage::Silent => None,
        }
    }

    /// It took longer.
    pub(super) fn overdue(&mut self, can_probe: bool) -> Resort {
        if self.stage == Stage::Unsure {
            self.stage = Stage::Probing;
            return if can_probe { Resort::Probe } else { Resort::Wait };
        }
        self.stage = Stage::Silent;
        Resort::GiveUp
    }

    /// Whether an answer to a later request shows that a message before it gets none.
    pub(super) fn answers_may_skip_messages(&self) -> bool {
        matches!(self.stage, Stage::Unsure | Stage::Probing | Stage::Mute | Stage::Silent)
    }

    /// An answer skipped messages.
    pub(super) fn skipped(&mut self) {
        self.stage = Stage::Mute;
    }

    /// Whether each message needs a request behind it, to be known as taken.
    pub(super) fn is_mute(&self) -> bool {
        self.stage == Stage::Mute
    }

    /// Whether messages are answered by nothing at all.
    pub(super) fn is_silent(&self) -> bool {
        self.stage == Stage::Silent
    }

    /// Whether an `OK` answers the next message: not if its echo has been taken for it.
    pub(super) fn ok_is_an_answer(&mut self) -> bool {
        if self.owed > 0 {
            self.owed -= 1;
            self.stage = Stage::Faithful;
            return false;
        }
        true
    }

    /// A message had its `OK`.
    pub(super) fn acknowledged(&mut self, text: &Text) {
        self.stage = Stage::Faithful;
        self.expect_echo(text);
    }

    /// A message had its `OK`, after it was given up: the server was slow, and answers.
    pub(super) fn acknowledged_late(&mut self) {
        self.stage = Stage::Faithful;
    }

    /// A message was refused, after it was given up: the server answers, in whatever way.
    pub(super) fn refused_late(&mut self) {
        if self.is_silent() {
            self.stage = Stage::Unsure;
        }
    }

    /// The echo of a message that waited has come in place of its `OK`.
    pub(super) fn echoed(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// The echo of this message may come.
    pub(super) fn expect_echo(&mut self, text: &Text) {
        if self.unechoed.len() == MAX_OUTSTANDING {
            self.unechoed.pop_front();
        }
        self.unechoed.push_back(hash(text));
    }

    /// Whether this is the echo of a message that is accepted already.
    pub(super) fn is_late_echo(&mut self, text: &Text) -> bool {
        let found = self.unechoed.iter().position(|expected| *expected == hash(text));
        if let Some(at) = found {
            // Echoes come in order: those before it do not come any more.
            self.unechoed.drain(..=at);
        }
        found.is_some()
    }
}

fn hash(text: &Text) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.as_str().hash(&mut hasher);
    hasher.finish()
}
