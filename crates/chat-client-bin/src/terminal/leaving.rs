//! The end of the conversation: the terminal is restored at once, and the program ends when all messages are acknowledged.

use std::time::Duration;

use tokio::time::Instant;

use super::{Request, Stage, Terminal};
use crate::Exit;

/// Time to wait for acknowledgements before leaving.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);
/// The exit code when the terminal is gone, as after SIGHUP.
pub(super) const HANG_UP: Exit = Exit::Signalled(1);
/// Maximum number of unsent messages that are listed at the end. Further ones are only counted.
const MAX_UNSENT_SHOWN: usize = 10;

impl Terminal<'_> {
    /// Restores the terminal at once, and sends BYE after all messages. A second call ends the program.
    pub(super) async fn leave(&mut self, exit: Exit) -> Option<Exit> {
        if self.leaving.is_some() {
            // A terminal that is gone is reported twice: by its signal, and by the keyboard.
            return Some(exit).filter(|exit| *exit != HANG_UP);
        }
        self.keyboard = None;
        self.key_deadline = None;
        self.output.screen.close().await;
        if !matches!(self.stage, Stage::Connected(_)) {
            return Some(exit);
        }
        self.requests.push(Request::Bye);
        self.leaving = Some((exit, Instant::now() + LEAVE_TIMEOUT));
        None
    }

    /// Shows what is left to show, and returns the final exit code.
    pub(super) async fn end(mut self, exit: Exit) -> Exit {
        self.output.show_joins_and_leaves();
        let unknown = self.sent.abandon();
        for text in &unknown {
            self.output.own_message(text, "unacknowledged");
        }
        let unsent = self.requests.take_messages();
        for text in unsent.iter().take(MAX_UNSENT_SHOWN) {
            self.output.own_message(text.as_str(), "not sent");
        }
        if unsent.len() > MAX_UNSENT_SHOWN {
            self.output.warning(&format!("{} messages were not sent", unsent.len()));
        }
        self.output.screen.close().await;
        let all_acknowledged = !self.sent.has_unknown() && unknown.is_empty() && unsent.is_empty();
        if !all_acknowledged && matches!(exit, Exit::Done | Exit::Lost) { Exit::Unacknowledged } else { exit }
    }
}
