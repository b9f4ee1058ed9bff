//! The commands and flags, and their `--help` texts.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, builder::RangedU64ValueParser};

use crate::case::Level;

const EXIT_CODES: &str = "Exit code: 0 all passed, 1 something failed, 2 could not run.";

const EXAMPLES: &str = "\
Examples:
  chat-conform server localhost:2222                     judge a server
  chat-conform server localhost:2222 --only name-taken   play one case
  chat-conform client -- ./my-client --name {name}       judge a client; it is given HOST:PORT
  chat-conform class class.csv --html scores.html        judge the servers of a class
  chat-conform proxy --listen :3333 --to :2222           watch a client and a server talk";

/// Checks chat servers and clients, in any language, against protocole.md
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-conform", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
#[non_exhaustive]
pub struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Judge a server by playing clients against it
    #[command(after_help = EXIT_CODES)]
    Server(Server),
    /// Judge a client by playing a server against it
    #[command(after_help = EXIT_CODES)]
    Client(Client),
    /// Judge all servers of a table, one NAME,HOST:PORT per line
    #[command(after_help = EXIT_CODES)]
    Class(Class),
    /// Relay between clients and a server, and print each line with its clause
    Proxy(Proxy),
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Server {
    /// Address of the server: HOST:PORT, or :PORT for 127.0.0.1
    #[arg(value_name = "HOST:PORT", required_unless_present = "list")]
    pub(super) target: Option<String>,
    #[command(flatten)]
    pub(super) judge: Judge,
    /// For a server that refuses plain sessions: play no cases with them
    #[arg(long)]
    pub(super) no_plain: bool,
    /// With --slow: the server's login deadline in seconds (clause 2.5)
    #[arg(long, value_name = "S", default_value = "120", value_parser = seconds)]
    pub(super) login_deadline: Duration,
    /// With --slow: the server's silence before PING in seconds (clause 6.1)
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(super) ping_after: Duration,
    /// With --slow: the server's silence after PING in seconds (clause 6.1)
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    pub(super) pong_within: Duration,
    /// With --slow: the server's longest stall of one write in seconds (clause 6.5)
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    pub(super) max_stall: Duration,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Client {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(super) listen: String,
    /// Without COMMAND: seconds to wait for you to start the client, and for each line that you type
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(super) wait: Duration,
    #[command(flatten)]
    pub(super) judge: Judge,
    /// Command that starts the client. `{addr}`, `{host}`, `{port}` and `{name}` are replaced. If it has none of the
    /// first three, HOST:PORT is added at the end
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// The flags that `server` and `client` share.
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Judge {
    /// Play only cases whose name contains PATTERN, or that cite the clause PATTERN
    #[arg(long, value_name = "PATTERN")]
    pub(super) only: Option<String>,
    /// Play only cases up to this level: plain, named or robust
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
    /// Seconds to wait for each line. A program that proves slow gets more
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Play the slow cases too. They wait for deadlines of a server, or send a client many MiB
    #[arg(long)]
    pub(super) slow: bool,
    /// Stop at the first failure
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Show the lines of cases that pass too, and in failures the lines of other clients
    #[arg(long)]
    pub(super) verbose: bool,
    /// Also fail if a SHOULD case fails, or if a known failure passes
    #[arg(long)]
    pub(super) strict: bool,
    /// File with the names of cases that may fail, one per line
    #[arg(long, value_name = "FILE")]
    pub(super) known_failing: Option<PathBuf>,
    /// Play the cases of FILE instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    /// List the cases without playing them
    #[arg(long)]
    pub(super) list: bool,
    /// With --list: list the clauses, the cases for each, or why it has none
    #[arg(long, requires = "list")]
    pub(super) clauses: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Write the report as `JUnit` XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Class {
    /// The table, one NAME,HOST:PORT per line
    #[arg(value_name = "FILE.csv")]
    pub(super) table: PathBuf,
    /// Write the scores as an HTML page
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Append the scores to FILE, and show those of earlier runs on the page
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,
    /// Write the scores as CSV to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    /// Seconds to wait for each line
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Play only cases up to this level: plain, named or robust
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Proxy {
    /// Address to listen on: HOST:PORT, or :PORT for 127.0.0.1
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: String,
    /// Address of the server: HOST:PORT, or :PORT for 127.0.0.1
    #[arg(long, value_name = "ADDR")]
    pub(super) to: String,
    /// Forward at most N bytes in each write
    #[arg(long, value_name = "N", value_parser = piece_size)]
    pub(super) split: Option<usize>,
    /// Delay bytes by MS milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = milliseconds())]
    pub(super) delay: u64,
    /// Collect bytes for MS milliseconds, and forward them together
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = milliseconds())]
    pub(super) coalesce: u64,
    /// Save the traffic as a case, for `chat-conform server --cases FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Exit after N connections
    #[arg(long, value_name = "N")]
    pub(super) connections: Option<usize>,
}

/// The longest `--delay` and `--coalesce`: one minute.
const MAX_HOLD_MS: u64 = 60_000;

fn milliseconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(..=MAX_HOLD_MS)
}

fn piece_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "expected a number of bytes, at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    const MAX: f64 = 3_600.0;
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if !(0.01..=MAX).contains(&seconds) {
        return Err(format!("expected 0.01 to {MAX} seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_definition_is_valid() {
        super::Args::command().debug_assert();
    }
}
