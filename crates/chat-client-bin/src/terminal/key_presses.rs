//! Handles keys and signals.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Terminal,
    device::{self, Signal},
    input::{EditorEvent, Key},
};
use crate::Exit;

/// Time without input after which an incomplete key is taken as it is.
const KEY_TIMEOUT: Duration = Duration::from_millis(500);

impl Terminal<'_> {
    pub(super) async fn on_bytes(&mut self, bytes: &[u8]) -> Option<Exit> {
        self.output.on_key();
        let keys = self.decoder.decode(bytes);
        self.key_deadline = self.decoder.is_incomplete().then(|| Instant::now() + KEY_TIMEOUT);
        self.on_keys(keys).await
    }

    /// The terminal was silent in the middle of a key.
    pub(super) async fn on_silence(&mut self) -> Option<Exit> {
        self.key_deadline = None;
        let keys = self.decoder.flush();
        self.on_keys(keys).await
    }

    async fn on_keys(&mut self, keys: Vec<Key>) -> Option<Exit> {
        for key in keys {
            let Some(event) = self.editor.press(key, &self.completions) else { continue };
            let exit = self.on_editor_event(event).await;
            if exit.is_some() || self.leaving.is_some() {
                return exit;
            }
        }
        None
    }

    async fn on_editor_event(&mut self, event: EditorEvent) -> Option<Exit> {
        match event {
            EditorEvent::Entered(entered) => return self.on_entered(entered).await,
            EditorEvent::Interrupt => return self.leave(Exit::Interrupted).await,
            EditorEvent::End => return self.leave(Exit::Done).await,
            EditorEvent::Abort => return self.on_signal(Signal::End(3)).await,
            // The signal of this stop arrives like any other.
            EditorEvent::Suspend if device::can_stop() => device::ask_to_stop(),
            EditorEvent::Suspend => self.output.note("there is no shell to return to"),
            EditorEvent::Clear => self.output.screen.scroll_away(),
            EditorEvent::PasteTooLong => self.output.warning("the paste is too long, and was not inserted"),
        }
        None
    }

    pub(super) async fn on_signal(&mut self, signal: Signal) -> Option<Exit> {
        match signal {
            Signal::End(number) => return self.leave(Exit::Signalled(number)).await,
            Signal::Resized => self.output.screen.repaint(),
            Signal::Suspend if device::can_stop() && self.leaving.is_none() => {
                self.output.screen.suspend().await;
                device::stop();
                self.reopen();
            }
            Signal::Suspend => {}
            Signal::Continued => self.reopen(),
        }
        None
    }

    /// Uses the terminal again after a stop. In the background, the system stops the program again.
    fn reopen(&mut self) {
        if self.leaving.is_none() && self.output.screen.open().is_err() {
            self.output.warning("cannot use the terminal any more");
        }
    }
}
