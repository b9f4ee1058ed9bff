//! What reaches the hub although its queue is full: leaves and the stop, which come from where nothing can wait.

use std::{
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use futures::task::AtomicWaker;

use super::{Stopped, command::Command};
use crate::reason::EndReason;

/// Commands that found no room. There is at most one for each member, and the stop.
#[derive(Debug, Default)]
pub(super) struct Aside {
    commands: Mutex<Commands>,
    /// Whether there are any: changed with them, and looked at without.
    filled: AtomicBool,
    hub: AtomicWaker,
}

#[derive(Debug, Default)]
struct Commands {
    waiting: Vec<Command>,
    /// Why those leave who are in the room when the hub ends, once that is decided.
    verdict: Option<EndReason>,
    /// The hub has ended: nobody will look here again.
    ended: bool,
}

impl Aside {
    /// Puts a command where the hub looks in its next turn, which this starts.
    pub(super) fn push(&self, command: Command) -> Result<(), Stopped> {
        let mut commands = self.commands();
        if commands.ended {
            return Err(Stopped);
        }
        commands.waiting.push(command);
        self.filled.store(true, Ordering::Release);
        drop(commands);
        self.hub.wake();
        Ok(())
    }

    /// Takes what is there: nearly always nothing.
    pub(super) fn take(&self) -> Vec<Command> {
        if !self.filled.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut commands = self.commands();
        self.filled.store(false, Ordering::Release);
        mem::take(&mut commands.waiting)
    }

    /// Whether something is there; if nothing is, the hub is woken for it.
    pub(super) fn is_filled_or_wakes(&self, hub: &Waker) -> bool {
        self.hub.register(hub);
        self.filled.load(Ordering::Acquire)
    }

    /// Decides why those leave who will still be there. The first decision counts.
    pub(super) fn decide(&self, verdict: EndReason) -> EndReason {
        *self.commands().verdict.get_or_insert(verdict)
    }

    /// What was decided.
    pub(super) fn verdict(&self) -> Option<EndReason> {
        self.commands().verdict
    }

    /// Takes what is there, for the last time.
    pub(super) fn end(&self) -> Vec<Command> {
        let mut commands = self.commands();
        commands.ended = true;
        mem::take(&mut commands.waiting)
    }

    fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
