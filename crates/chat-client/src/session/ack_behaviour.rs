//! How a server acknowledges messages, learnt from its answers. Pure state, without a clock.
//!
//! The protocol requires one `OK` for each message (clause 5.1). Other servers of version 0.1 send no `OK`, or echo
//! messages to their sender, before or after the `OK`. Nothing announces this: it shows in the answers only. So time
//! alone proves nothing, and one `OK` corrects every earlier guess.
//!
//! A guest's echoes are not detected, because the guest does not know its own name. Another guest or a bot may send the
//! same text, and a wrong guess would hide its message or acknowledge a message that was never accepted.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

use chat_proto::Text;

use super::MAX_OUTSTANDING;

/// What is known about the server.
#[derive(Debug, Default)]
pub(super) struct AckBehaviour {
    stage: Stage,
    /// Number of messages whose echo arrived without an `OK`. Their `OK`s may still arrive.
    echoed_before_ok: u64,
    /// Number of messages that a later answer overtook. A server that answers out of order may still send their `OK`s.
    overtaken: u64,
    /// Hashes of accepted messages whose echo may still arrive. Most servers send no echo, so the texts are not kept.
    unechoed: VecDeque<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// No message has been answered yet.
    #[default]
    Undecided,
    /// It has sent `OK`. Only an `OK` acknowledges a message, however long it takes.
    SendsOk,
    /// It has answered a later request but not a message before it. Such an answer shows that it has taken the message.
    /// The first `OK` ends this.
    OmitsOk,
}

impl AckBehaviour {
    /// Whether no answer has shown yet how the server acknowledges messages.
    pub(super) fn is_undecided(&self) -> bool {
        self.stage == Stage::Undecided
    }

    /// Whether an answer to a later request implies that a message before it gets none.
    pub(super) fn answers_may_skip_messages(&self) -> bool {
        self.stage != Stage::SendsOk
    }

    /// An answer to a later request arrived before the answer to a message.
    pub(super) fn skipped(&mut self) {
        self.stage = Stage::OmitsOk;
        self.overtaken = self.overtaken.saturating_add(1);
    }

    /// Whether the session has to send `PING` behind each message to learn that it was taken.
    pub(super) fn omits_ok(&self) -> bool {
        self.stage == Stage::OmitsOk
    }

    /// Whether an `OK` answers the oldest waiting message. It does not if it belongs to a message that was acknowledged
    /// in another way.
    pub(super) fn ok_is_an_answer(&mut self, is_message_waiting: bool) -> bool {
        // Answers come in order (clause 5.3), so an `OK` belongs to a waiting message rather than to an overtaken one.
        let late = if self.echoed_before_ok > 0 {
            &mut self.echoed_before_ok
        } else if self.overtaken > 0 && !is_message_waiting {
            &mut self.overtaken
        } else {
            return true;
        };
        *late -= 1;
        self.stage = Stage::SendsOk;
        false
    }

    /// A message got `OK`.
    pub(super) fn acknowledged(&mut self, text: &Text) {
        self.stage = Stage::SendsOk;
        self.expect_echo(text);
    }

    /// A message was acknowledged by its echo, without `OK`.
    pub(super) fn echoed(&mut self) {
        self.echoed_before_ok = self.echoed_before_ok.saturating_add(1);
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
