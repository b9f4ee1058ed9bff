//! A judge for servers and clients that implement `protocole.md`, in any language. It plays cases and reports which
//! clauses a program breaks.
//!
//! * [`Suite`] holds the cases. They come from `protocole.md` itself and from the files below `cases/`.
//! * [`judge_server`] plays clients against a server. [`judge_client`] plays a server against a client.
//! * [`Report`] has a line for each case and a score for each level. For each failure it has the clause, its text,
//!   and a transcript in which the wrong line is marked.
//!
//! Every wait has a timeout. Cases work while other clients are in the room, because each run uses fresh names.

mod annotate;
mod case;
pub mod class;
pub mod clauses;
pub mod cli;
mod client;
mod clock;
mod coverage;
mod expected_failures;
mod pace;
mod play;
mod preflight;
pub mod proxy;
mod report;
mod server;
mod text_file;
mod transcript;

pub use case::{Act, Case, CaseError, Level, Names, Requirement, Select, Settings, Side, Step, Suite, Wait, read};
pub use client::{ClientOptions, Command, judge_client};
pub use coverage::Coverage;
pub use expected_failures::ExpectedFailures;
pub use play::{Failure, play};
pub use preflight::{NotJudged, preflight};
pub use report::{CaseReport, FailureReport, Report, Score, Verdict};
pub use server::{ServerOptions, judge_server, judge_server_with};
pub use transcript::{Mark, Transcript, shortened, visible};
