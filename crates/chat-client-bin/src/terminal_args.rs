//! The settings of the terminal. They are a part of the command line: see [`Args`](crate::Args).

use std::path::PathBuf;

use clap::ValueEnum;

use crate::args::When;

// No documentation comment: clap would show it as the description of the program.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TerminalArgs {
    /// Append the conversation to FILE, with dates. Only you can read a new file
    #[arg(long, value_name = "FILE", env = "CHAT_LOG_FILE")]
    pub(crate) log: Option<PathBuf>,

    /// Keep the lines that you enter for the next start, in a file that only you can read. auto: at a terminal
    #[arg(long, value_name = "WHEN", env = "CHAT_HISTORY", default_value = "auto")]
    pub(crate) history: When,

    /// Show who joins and leaves at a terminal, or hide it
    #[arg(long, value_name = "WHAT", env = "CHAT_JOINS", default_value = "show")]
    pub(crate) joins: Joins,

    /// Show a desktop notification when a message contains your name, with this sequence of your terminal
    #[arg(long, value_name = "HOW", env = "CHAT_NOTIFY", default_value = "never")]
    pub(crate) notify: Notify,
}

/// What to do with joins and leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Joins {
    Show,
    Hide,
}

/// The sequence of a desktop notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Notify {
    Never,
    Osc9,
    Osc777,
}
