//! A judge for servers and clients of `protocole.md`, in any language: it plays cases, and says which clause is broken.
//!
//! * [`Suite`] holds the cases: those of the document itself and those of the files below `cases/`.
//! * [`judge_server`] plays clients against a server, [`judge_client`] plays a server against a client.
//! * [`Report`] is the outcome: a line per case, a score per level, and for each failure the clause, what it asks, and the
//!   transcript with the wrong line marked.
//!
//! No wait is without a bound, and no case depends on an empty room: names are fresh in every run.

mod case;
pub mod class;
pub mod clauses;
pub mod cli;
mod client;
mod clock;
mod expected_failures;
mod play;
mod preflight;
pub mod proxy;
mod report;
mod server;
mod text_file;
mod transcript;

pub use case::{Act, Case, CaseError, Level, Names, Requirement, Select, Side, Step, Suite, read};
pub use client::{Command, Patience, judge_client};
pub use expected_failures::ExpectedFailures;
pub use play::{Failure, play};
pub use preflight::{NotJudged, preflight};
pub use report::{Judged, Report, Score, Told, Verdict};
pub use server::judge_server;
pub use transcript::{Mark, Transcript, shortened, visible};
