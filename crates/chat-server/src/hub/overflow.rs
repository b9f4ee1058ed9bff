//! Commands that did not fit into the hub's queue: leaves and the stop, which come from code that cannot wait.

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

/// Commands that did not fit into the queue: at most one for each member, and the stop.
#[derive(Default)]
pub(super) struct Overflow {
    commands: Mutex<Commands>,
    /// Whether there are commands: written with the mutex locked, read without.
    is_filled: AtomicBool,
    hub: AtomicWaker,
}

#[derive(Default)]
struct Commands {
    waiting: Vec<Command>,
    /// Why those leave who are members when the hub ends, once that is decided.
    end_reason: Option<EndReason>,
    /// The hub has ended: nobody will take commands again.
    ended: bool,
}

impl Overflow {
    /// Adds a command and wakes the hub.
    pub(super) fn push(&self, command: Command) -> Result<(), Stopped> {
        let mut commands = self.commands();
        if commands.ended {
            return Err(Stopped);
        }
        commands.waiting.push(command);
        self.is_filled.store(true, Ordering::Release);
        drop(commands);
        self.hub.wake();
        Ok(())
    }

    /// Takes the commands.
    pub(super) fn take(&self) -> Vec<Command> {
        if !self.is_filled.load(Ordering::Acquire) {
            return Vec::new(); // The usual case, without the lock.
        }
        let mut commands = self.commands();
        self.is_filled.store(false, Ordering::Release);
        mem::take(&mut commands.waiting)
    }

    /// Registers the hub's waker. Returns whether there are commands already.
    pub(super) fn register(&self, hub: &Waker) -> bool {
        self.hub.register(hub);
        self.is_filled.load(Ordering::Acquire)
    }

    /// Decides why those leave who are members when the hub ends. The first decision counts.
    pub(super) fn decide_end_reason(&self, reason: EndReason) -> EndReason {
        self.commands().end_reason.get_or_insert(reason).clone()
    }

    /// What was decided.
    pub(super) fn end_reason(&self) -> Option<EndReason> {
        self.commands().end_reason.clone()
    }

    /// Takes the commands for the last time.
    pub(super) fn end(&self) -> Vec<Command> {
        let mut commands = self.commands();
        commands.ended = true;
        mem::take(&mut commands.waiting)
    }

    fn commands(&self) -> MutexGuard<'_, Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
