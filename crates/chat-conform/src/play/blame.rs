//! Finds the clause that a wrong line breaks. The line says it, as for the proxy: a step only knows what it expected.

use super::{CaseRun, LineRead, Violation};
use crate::{
    annotate::{Annotator, Note},
    clauses,
    transcript::{Mark, NOTHING_CAME},
};

/// The clause about a line that no step expects.
pub(super) fn clause_of(text: &str, note: &Note) -> &'static str {
    if note.wrong { note.clause } else { clauses::of_server_line(text) }
}

impl CaseRun<'_> {
    /// What the line is. Each line of a connection must come here once, in its order.
    pub(super) fn annotate(&mut self, who: char, line: &[u8]) -> Note {
        let connection = self.connections.get_mut(&who).expect("a line was read from it");
        let note = connection.annotator.server_line(line);
        if note.wrong {
            let at = self.transcript.last_position();
            self.room.record_wrong(at, note.clause);
        }
        note
    }

    /// The clause that the line at this position of the transcript breaks, if the line alone shows it.
    pub(super) fn clause_at(&self, at: u64) -> Option<&'static str> {
        self.room.wrong_clause(at)
    }

    /// The violation if `who` receives this line in place of the expected one.
    pub(super) fn wrong_line(&mut self, who: char, text: &str, note: &Note, at: u64, expectation: &str) -> Violation {
        self.transcript.mark(at, Mark::Wrong);
        let pending = self.connections.get(&who).and_then(|connection| connection.annotator.pending_clause());
        let clause = match (text, note.clause) {
            ("BYE", "6.3") if self.somebody_else_has_left(who) => Some("6.2"),
            // In place of another reply: the case says why.
            ("BYE", "6.3") if pending.is_some() => pending.filter(|clause| *clause != "5.1"),
            ("BYE", "6.3") => Some("6.3"),
            _ => note.wrong.then_some(note.clause),
        };
        Violation::maybe(clause, format!("{who}: {expectation}, got another line"))
    }

    /// Fails if the line is a message that this plain client has sent itself.
    pub(super) fn check_echo(&mut self, who: char, form: &str, at: u64) -> Result<(), Violation> {
        if !form.strip_prefix("FROM MSG ").is_some_and(|text| self.room.has_sent(who, text)) {
            return Ok(());
        }
        self.transcript.mark(at, Mark::Wrong);
        Err(Violation::of("5.1", format!("{who}: the sender receives its own message")))
    }

    /// The violation if `read` is not a line, where a line was expected.
    pub(super) fn missing_line(&mut self, who: char, read: LineRead, expectation: &str) -> Violation {
        let annotator = self.connections.get(&who).map(|connection| &connection.annotator);
        let pending = annotator.and_then(Annotator::pending_clause);
        match read {
            LineRead::TooLong(bytes) => {
                self.transcript.received(who, &bytes, Mark::Wrong);
                Violation::of("1.3", format!("{who}: {expectation}, got more bytes than a line may have"))
            }
            LineRead::Eof(rest) if !rest.is_empty() => {
                self.transcript.received(who, &rest, Mark::Wrong);
                Violation::of("1.1", format!("{who}: {expectation}, got a line without LF"))
            }
            LineRead::Eof(_) => {
                let by_refusal = annotator.and_then(Annotator::clause_of_close);
                let others_bye = self.somebody_else_has_left(who).then_some("6.2");
                self.transcript.event(who, "closed", Mark::Wrong);
                let what = format!("{who}: {expectation}, the server closed instead");
                Violation { likely: by_refusal.or(others_bye), missing: pending, ..Violation::new(what) }
            }
            LineRead::TimedOut | LineRead::Line(_) => {
                self.transcript.event(who, NOTHING_CAME, Mark::Wrong);
                Violation { missing: pending, ..Violation::new(format!("{who}: {expectation}, nothing came")) }
            }
        }
    }

    fn somebody_else_has_left(&self, who: char) -> bool {
        self.connections.iter().any(|(other, connection)| *other != who && connection.annotator.has_left())
    }
}
