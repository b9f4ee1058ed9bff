//! Shows the conversation: turns events into lines, puts separators between them, and logs them.

use std::time::Duration;

use chat_client::{
    Event, Name,
    conversation::{self, render},
};
use jiff::Zoned;
use tokio::time::Instant;

use super::{
    room::{Days, Ignored, JoinsAndLeaves, Unread, notification},
    screen::Screen,
    shown::{Line, mentions},
};
use crate::{
    Args,
    log_file::LogFile,
    terminal_args::{Joins, Notify},
};

/// Time to wait for further joins and leaves, which are then shown in one line.
const GATHER_TIME: Duration = Duration::from_millis(400);
const BELL: &str = "\u{7}";

#[derive(Debug)]
pub(super) struct Output {
    pub(super) screen: Screen,
    pub(super) ignored: Ignored,
    /// This client's name.
    name: Option<Name>,
    /// Format of the time before each line, as for strftime. Empty for no time.
    time: String,
    rings: bool,
    notify: Notify,
    is_in_tmux: bool,
    hides_joins: bool,
    log: Option<LogFile>,
    clock: fn() -> Zoned,
    days: Days,
    unread: Unread,
    joins_and_leaves: JoinsAndLeaves,
    /// When the joins and leaves are shown that have arrived so far.
    joins_deadline: Option<Instant>,
}

impl Output {
    pub(super) fn new(args: &Args, screen: Screen, log: Option<LogFile>) -> Self {
        Self {
            screen,
            ignored: Ignored::default(),
            name: args.name,
            time: args.time.clone(),
            rings: args.bell.resolve(true),
            notify: args.terminal.notify,
            is_in_tmux: std::env::var_os("TMUX").is_some(),
            hides_joins: args.terminal.joins == Joins::Hide,
            log,
            clock: Zoned::now,
            days: Days::default(),
            unread: Unread::new(Instant::now()),
            joins_and_leaves: JoinsAndLeaves::default(),
            joins_deadline: None,
        }
    }

    /// A key was pressed: the person has seen what is on the screen.
    pub(super) fn on_key(&mut self) {
        self.unread.on_key(Instant::now());
    }

    /// Shows an event. `own` is this client's name.
    pub(super) fn show_event(&mut self, event: &Event, own: Option<Name>) {
        self.name = own;
        if self.ignored.hides(event) {
            return;
        }
        if self.joins_and_leaves.add(event) {
            self.joins_deadline.get_or_insert_with(|| Instant::now() + GATHER_TIME);
            self.log_join_or_leave(event);
            return;
        }
        // The event came after these joins and leaves.
        self.show_joins_and_leaves();
        match event {
            Event::Message { from, text, .. } => self.message(*from, text.as_str()),
            // Not dimmed like joins and leaves: a notice must not be overlooked.
            Event::Notice { text, .. } => self.warning(&format!("* notice: {}", text.as_str())),
            Event::Accepted { text, .. } => self.own_message(text.as_str(), ""),
            Event::Refused { text, .. } => self.own_message(text.as_str(), "refused by the server"),
            event => match render(event) {
                Some(conversation::Line::Data(line)) => self.note(&line),
                Some(conversation::Line::Status(line)) => self.warning(&line),
                _ => {}
            },
        }
    }

    fn message(&mut self, from: Name, text: &str) {
        let is_own = self.name.is_some_and(|own| own.key() == from.key());
        let is_mention = !is_own && self.name.is_some_and(|own| mentions(text, own));
        if let Some(separator) = self.unread.separator(Instant::now()) {
            self.screen.print(Line::note(separator));
        }
        let mut line = Line::message(from, text, is_own, is_mention);
        if is_mention {
            let bell = if self.rings { BELL } else { "" };
            line = line.with_signal(bell).with_signal(&notification(self.notify, from, text, self.is_in_tmux));
        }
        self.print(line);
    }

    /// Shows a message of this client, with a remark unless that is empty.
    pub(super) fn own_message(&mut self, text: &str, remark: &str) {
        self.print(match (self.name, remark) {
            (Some(name), "") => Line::message(name, text, true, false),
            (None, "") => Line::note(&format!("<you> {text}")),
            (Some(name), remark) => Line::note(&format!("<{name}> {text}  [{remark}]")),
            (None, remark) => Line::note(&format!("<you> {text}  [{remark}]")),
        });
    }

    pub(super) fn note(&mut self, text: &str) {
        self.print(Line::note(text));
    }

    pub(super) fn warning(&mut self, text: &str) {
        self.show_joins_and_leaves();
        self.print(Line::warning(text));
    }

    /// The time at which [`Output::show_overdue`] has something to show.
    pub(super) fn due(&self) -> Option<Instant> {
        self.joins_deadline
    }

    /// Shows joins and leaves if the time to wait for further ones is over.
    pub(super) fn show_overdue(&mut self) {
        if self.joins_deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.show_joins_and_leaves();
        }
    }

    /// Shows joins and leaves now.
    pub(super) fn show_joins_and_leaves(&mut self) {
        self.joins_deadline = None;
        if let Some(line) = self.joins_and_leaves.take_line().filter(|_| !self.hides_joins) {
            self.show(&(self.clock)(), Line::note(&line));
        }
    }

    /// Logs a join or leave by itself, because the line on the screen combines several.
    fn log_join_or_leave(&mut self, event: &Event) {
        if let Some(conversation::Line::Data(line)) = render(event).filter(|_| !self.hides_joins) {
            self.log(&(self.clock)(), &line);
        }
    }

    /// Shows and logs a line.
    fn print(&mut self, line: Line) {
        let (now, plain) = ((self.clock)(), line.plain());
        self.show(&now, line);
        self.log(&now, &plain);
    }

    fn show(&mut self, now: &Zoned, line: Line) {
        if let Some(separator) = self.days.separator(now) {
            self.screen.print(Line::note(&separator));
        }
        // Cannot fail: the format was checked when the settings were parsed.
        let time = jiff::fmt::strtime::format(&self.time, now).unwrap_or_default();
        self.screen.print(line.at(&time));
    }

    fn log(&mut self, now: &Zoned, line: &str) {
        let logged = self.log.as_mut().map_or(Ok(()), |log| log.append(now, line));
        if let Err(why) = logged {
            self.log = None;
            self.warning(&format!("{why}; the log ends here"));
        }
    }
}

#[cfg(test)]
mod tests;
