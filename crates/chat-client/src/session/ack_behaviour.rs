//! How a server acknowledges messages, learnt from its answers. Pure state.
//!
//! The protocol requires one `OK` for each message (clause 5.1). Other servers of version 0.1 send no `OK`, or echo
//! messages to their sender, before or after the `OK`. Nothing announces this: it shows in the answers only.
//!
//! A guest's echoes are not detected, because the guest does not know its own name. Another guest or a bot may send the
//! same text, and a wrong guess would hide its message or acknowledge a message that was never accepted.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use chat_proto::Text;

use super::MAX_OUTSTANDING;

/// Time that the first message may wait for its answer. Then the session sends `PING`.
pub(super) const FIRST_ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// Time that the server then has to answer.
pub(super) const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is known about the server.
#[derive(Debug, Default)]
pub(super) struct AckBehaviour {
    stage: Stage,
    /// Number of messages whose echo arrived without an `OK`. Their `OK`s may still arrive.
    owed: u64,
    /// Hashes of accepted messages whose echo may still arrive. Most servers send no echo, so the texts are not kept.
    unechoed: VecDeque<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// No message has been answered yet.
    #[default]
    Undecided,
    /// No message has been answered for some time. In a named session, the session has sent `PING`.
    Probing,
    /// It sends `OK`. This is final: it has to acknowledge every message from now on.
    SendsOk,
    /// It answers other requests but not messages. An answer to a later request shows that it has taken the message.
    OmitsOk,
    /// It has answered nothing so far. The first answer ends this.
    Unresponsive,
}

/// What to do when the server has been silent for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OnSilence {
    /// Send `PING`.
    Probe,
    /// Wait longer: a guest cannot send `PING`.
    Wait,
    /// Report all waiting messages as unknown.
    GiveUp,
}

impl AckBehaviour {
    /// Time within which a message must be answered. `None`: no limit.
    pub(super) fn answer_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Undecided => Some(FIRST_ACK_TIMEOUT),
            Stage::Probing => Some(PROBE_TIMEOUT),
            Stage::SendsOk | Stage::OmitsOk | Stage::Unresponsive => None,
        }
    }

    /// This time has passed.
    pub(super) fn overdue(&mut self, can_probe: bool) -> OnSilence {
        if self.stage == Stage::Undecided {
            self.stage = Stage::Probing;
            return if can_probe { OnSilence::Probe } else { OnSilence::Wait };
        }
        self.stage = Stage::Unresponsive;
        OnSilence::GiveUp
    }

    /// Whether an answer to a later request implies that a message before it gets none.
    pub(super) fn answers_may_skip_messages(&self) -> bool {
        matches!(self.stage, Stage::Undecided | Stage::Probing | Stage::OmitsOk | Stage::Unresponsive)
    }

    /// An answer to a later request arrived before the answer to a message.
    pub(super) fn skipped(&mut self) {
        self.stage = Stage::OmitsOk;
    }

    /// Whether the session has to send `PING` behind each message to learn that it was taken.
    pub(super) fn omits_ok(&self) -> bool {
        self.stage == Stage::OmitsOk
    }

    /// Whether the server answers nothing at all.
    pub(super) fn is_unresponsive(&self) -> bool {
        self.stage == Stage::Unresponsive
    }

    /// Whether an `OK` answers the next message. It does not if it belongs to a message that was acknowledged by its
    /// echo.
    pub(super) fn ok_is_an_answer(&mut self) -> bool {
        if self.owed > 0 {
            self.owed -= 1;
            self.stage = Stage::SendsOk;
            return false;
        }
        true
    }

    /// A message got `OK`.
    pub(super) fn acknowledged(&mut self, text: &Text) {
        self.stage = Stage::SendsOk;
        self.expect_echo(text);
    }

    /// A message that was given up got `OK`: the server was only slow.
    pub(super) fn acknowledged_late(&mut self) {
        self.stage = Stage::SendsOk;
    }

    /// A message that was given up was refused: the server does answer.
    pub(super) fn refused_late(&mut self) {
        if self.is_unresponsive() {
            self.stage = Stage::Undecided;
        }
    }

    /// A message was acknowledged by its echo, without `OK`.
    pub(super) fn echoed(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// The echo of this message may arrive.
    pub(super) fn expect_echo(&mut self, text: &Text) {
        if self.unechoed.len() == MAX_OUTSTANDING {
            self.unechoed.pop_front();
        }
        self.unechoed.push_back(hash(text));
    }

    /// Whether this is the echo of a message that is already accepted.
    pub(super) fn is_late_echo(&mut self, text: &Text) -> bool {
        let found = self.unechoed.iter().position(|expected| *expected == hash(text));
        if let Some(at) = found {
            // Echoes arrive in order: the earlier ones are not coming any more.
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
