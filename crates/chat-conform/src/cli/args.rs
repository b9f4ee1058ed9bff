//! The flags.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, builder::RangedU64ValueParser};

use crate::case::Level;

const EXIT_CODES: &str = "Exit code: 0 all passed, 1 something failed, 2 could not run.";

const EXAMPLES: &str = "\
Examples:
  chat-conform server localhost:2222                     judge a server
  chat-conform server localhost:2222 --only name-taken   one case again
  chat-conform client -- ./my-client --name {name}       judge a client: HOST:PORT comes last, or where {addr} stands
  chat-conform class class.csv --html scores.html        judge the servers of a whole class
  chat-conform proxy --listen :3333 --to :2222           look on while a client and a server talk";

/// Judges chat servers and clients, in any language, by protocole.md
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-conform", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
#[non_exhaustive]
pub struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Play clients against a server
    #[command(after_help = EXIT_CODES)]
    Server(Server),
    /// Play a server against a client
    #[command(after_help = EXIT_CODES)]
    Client(Client),
    /// Judge the servers of a table: NAME,HOST:PORT on each line
    #[command(after_help = EXIT_CODES)]
    Class(Class),
    /// Stand between a client and a server, and annotate what they say
    Proxy(Proxy),
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Server {
    /// The server
    #[arg(value_name = "HOST:PORT", required_unless_present = "list")]
    pub(super) target: Option<String>,
    #[command(flatten)]
    pub(super) judge: Judge,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Client {
    /// Where clients are to connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(super) listen: String,
    /// Seconds that a client has to connect, and a person to type, if no COMMAND is given
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(super) wait: Duration,
    #[command(flatten)]
    pub(super) judge: Judge,
    /// The client: `{addr}`, `{host}`, `{port}`, `{name}` are filled in; without an address in it, HOST:PORT comes last
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// What `server` and `client` share.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Judge {
    /// Only cases whose name contains this, or about the clause of this number
    #[arg(long, value_name = "PATTERN")]
    pub(super) only: Option<String>,
    /// Only cases up to this level: plain, named or robust
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
    /// Seconds to wait for each line
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// What only SHOULD be counts too, and so do known failures that pass
    #[arg(long)]
    pub(super) strict: bool,
    /// Names of cases that may fail, one a line
    #[arg(long, value_name = "FILE")]
    pub(super) known_failing: Option<PathBuf>,
    /// Play the cases of this file instead
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    /// Tell the cases, and play none
    #[arg(long)]
    pub(super) list: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Write the report as `JUnit` XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Class {
    /// The table: NAME,HOST:PORT on each line
    #[arg(value_name = "FILE.csv")]
    pub(super) table: PathBuf,
    /// Write the scores as a page to read
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write the scores as CSV there, not to standard output
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    /// Seconds to wait for each line
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Only cases up to this level: plain, named or robust
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Proxy {
    /// Where clients are to connect: HOST:PORT, or :PORT on this machine
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: String,
    /// The server
    #[arg(long, value_name = "ADDR")]
    pub(super) to: String,
    /// Pass bytes on in pieces of N
    #[arg(long, value_name = "N", value_parser = pieces)]
    pub(super) split: Option<usize>,
    /// Pass each piece on so many milliseconds later
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = milliseconds())]
    pub(super) delay: u64,
    /// Gather bytes for so many milliseconds, and pass them on as one piece
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = milliseconds())]
    pub(super) coalesce: u64,
    /// Write what it saw as a case, for `chat-conform server --cases FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// End after so many connections
    #[arg(long, value_name = "N")]
    pub(super) connections: Option<usize>,
}

/// The proxy holds bytes back for a minute at most.
const MOST_MS: u64 = 60_000;

fn milliseconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(..=MOST_MS)
}

fn pieces(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "a number of bytes is wanted, 1 or more".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    const MOST: f64 = 3_600.0;
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    if !(0.01..=MOST).contains(&seconds) {
        return Err(format!("between 0.01 and {MOST} seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        super::Args::command().debug_assert();
    }
}
