//! The flags, each of which has an environment variable, and the server builder that they configure.

use std::{io::Write, process::ExitCode, time::Duration};

use chat_server::{
    ChatServer, ChatServerBuilder, PlainSessions, RateLimit, StopOnBye,
    listen::{BindOptions, Endpoint, ListenAddr},
};
use clap::{ArgAction, Parser, ValueEnum, builder::BoolishValueParser, error::ErrorKind};
use tracing::info;

use super::addresses::{Addresses, AddressesParser, mode};

/// A chat server: netcat is enough to take part, and every message is acknowledged with OK.
#[derive(Debug, Parser)]
#[command(
    name = "chat-server",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  chat-server                                       anyone on this machine: nc localhost 2222
  chat-server --listen 0.0.0.0:2222 --listen [::]:2222
  chat-server --listen unix:/run/chat.sock --unix-mode 660 --no-plain
  CHAT_RATE_LIMIT=0 chat-server -v

It stops gracefully on SIGINT, SIGTERM, SIGQUIT, SIGHUP, and on BYE typed here. A second signal,
unless it is SIGHUP, stops it at once. SIGUSR1 prints statistics.
Exit codes: 0 stopped, 1 failed (see the log), 2 wrong usage or an address that cannot be bound."
)]
pub(super) struct Args {
    /// Listen here; may be given more than once. HOST:PORT (port 0: any free port) or unix:PATH. In `CHAT_LISTEN`,
    /// commas separate addresses; a comma in a path needs a backslash before it
    #[arg(long, value_name = "ADDR", env = "CHAT_LISTEN", default_value = "127.0.0.1:2222", value_parser = AddressesParser)]
    listen: Vec<Addresses>,

    /// Permissions of Unix sockets, in octal, such as 660; clients need write permission. Without it, the umask decides
    #[arg(long, value_name = "MODE", env = "CHAT_UNIX_MODE", value_parser = mode)]
    unix_mode: Option<u32>,

    /// Clients at the same time. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_MAX_CLIENTS", default_value = "10000", value_parser = count::<usize>)]
    max_clients: usize,

    /// Clients at the same time from one address (IPv6: from one /64). 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_MAX_CLIENTS_PER_IP", default_value = "256", value_parser = count::<usize>)]
    max_clients_per_ip: usize,

    /// Lines a second from each address, twice as many at once; faster clients are slowed down. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_RATE_LIMIT", default_value = "200", value_parser = count::<u32>)]
    rate_limit: u32,

    /// Connections a second from each address, ten times as many at once; further ones get BYE. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_CONNECT_RATE", default_value = "100", value_parser = count::<u32>)]
    connect_rate: u32,

    /// Refuse plain sessions: clients must speak PROT and have a name
    #[arg(long, env = "CHAT_NO_PLAIN", value_parser = BoolishValueParser::new())]
    no_plain: bool,

    /// Stop when any client says BYE
    #[arg(long, env = "CHAT_STOP_ON_BYE", value_parser = BoolishValueParser::new())]
    stop_on_bye: bool,

    /// Seconds that a client has to log in. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_LOGIN_TIMEOUT", default_value = "120", value_parser = seconds)]
    login_timeout: Duration,

    /// Seconds of silence after which a named client is sent PING. 0: never
    #[arg(long, value_name = "S", env = "CHAT_PING_INTERVAL", default_value = "60", value_parser = seconds)]
    ping_interval: Duration,

    /// Seconds that it then has to send anything; more than 0
    #[arg(long, value_name = "S", env = "CHAT_PING_TIMEOUT", default_value = "3", value_parser = some_seconds)]
    ping_timeout: Duration,

    /// Seconds that a write to a client may make no progress. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_WRITE_TIMEOUT", default_value = "10", value_parser = seconds)]
    write_timeout: Duration,

    /// Seconds that clients have to receive their last lines when the server stops. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_DRAIN_TIMEOUT", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,

    /// How to write the log, which goes to stderr
    #[arg(long, value_name = "FORMAT", env = "CHAT_LOG_FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,

    /// Log more: -v what is refused, -vv everything
    #[arg(short, long, env = "CHAT_VERBOSE", action = ArgAction::Count)]
    pub(super) verbose: u8,

    /// Log less: -q warnings only, -qq nothing
    #[arg(short, long, env = "CHAT_QUIET", action = ArgAction::Count)]
    pub(super) quiet: u8,
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// Joins the lines of clap's error into one, without the usage.
fn one_line(error: &str) -> String {
    let lines = error.strip_prefix("error: ").unwrap_or(error).lines().map(str::trim);
    let lines = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn count<N: std::str::FromStr>(count: &str) -> Result<N, &'static str> {
    count.parse().map_err(|_| "give a whole number, such as 100")
}

impl Args {
    /// Reads the command line and the environment. On `Err`, the help, the version or a one-line error was printed.
    pub(super) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // A closed stdout is no error here.
                let _ = error.print();
                ExitCode::SUCCESS
            }
            _ => {
                let whole = error.render().to_string();
                let _ = writeln!(std::io::stderr(), "chat-server: {} (try --help)", one_line(&whole));
                ExitCode::from(super::EXIT_USAGE)
            }
        })
    }

    /// Where to listen.
    pub(super) fn listen(&self) -> impl Iterator<Item = &ListenAddr> {
        self.listen.iter().flat_map(|Addresses(addresses)| addresses)
    }

    /// How to bind these addresses.
    pub(super) fn bind_options(&self) -> BindOptions {
        let options = BindOptions::new();
        self.unix_mode.map_or(options.clone(), |mode| options.unix_mode(mode))
    }

    #[cfg(unix)]
    pub(super) fn max_clients(&self) -> Option<usize> {
        unless_zero(self.max_clients)
    }

    /// Logs one record with the settings. Times are in seconds.
    pub(super) fn log_start(&self, endpoints: &[Endpoint]) {
        let addresses: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
        info!(
            version = env!("CARGO_PKG_VERSION"),
            addresses = addresses.join(" "),
            unix_mode = self.unix_mode.map(|mode| format!("{mode:03o}")),
            max_clients = self.max_clients,
            max_clients_per_ip = self.max_clients_per_ip,
            rate_limit = self.rate_limit,
            connect_rate = self.connect_rate,
            plain_sessions = !self.no_plain,
            stop_on_bye = self.stop_on_bye,
            login_timeout = self.login_timeout.as_secs_f64(),
            ping_interval = self.ping_interval.as_secs_f64(),
            ping_timeout = self.ping_timeout.as_secs_f64(),
            write_timeout = self.write_timeout.as_secs_f64(),
            drain_timeout = self.drain_timeout.as_secs_f64(),
            "started"
        );
    }

    /// The server that the flags describe.
    pub(super) fn builder(&self) -> ChatServerBuilder {
        let plain = if self.no_plain { PlainSessions::Refuse } else { PlainSessions::Serve };
        let stop = if self.stop_on_bye { StopOnBye::AnyClient } else { StopOnBye::Never };
        ChatServer::builder()
            .max_clients(unless_zero(self.max_clients))
            .max_clients_per_address(unless_zero(self.max_clients_per_ip))
            .rate_limit(RateLimit::per_second(self.rate_limit))
            .connect_rate(RateLimit::with_burst(self.connect_rate, 10))
            .plain_sessions(plain)
            .stop_on_bye(stop)
            .login_timeout(unless_zero(self.login_timeout))
            .ping_interval(unless_zero(self.ping_interval))
            .ping_timeout(self.ping_timeout)
            .write_timeout(unless_zero(self.write_timeout))
            .drain_timeout(unless_zero(self.drain_timeout))
    }
}

/// On the command line, 0 means "no limit".
fn unless_zero<T: PartialEq + Default>(limit: T) -> Option<T> {
    (limit != T::default()).then_some(limit)
}

/// Parses seconds, with or without a fraction. The most is a hundred years, which every clock can add.
fn seconds(seconds: &str) -> Result<Duration, String> {
    const MAX_SECONDS: f64 = 100.0 * 365.0 * 24.0 * 3_600.0;
    match seconds.parse::<f64>() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give a number of seconds, such as 10 or 0.5".to_owned()),
    }
}

/// Parses seconds where 0 makes no sense.
fn some_seconds(text: &str) -> Result<Duration, String> {
    let advice = "give a number of seconds above 0, such as 3 (to turn pings off: --ping-interval 0)";
    seconds(text).and_then(|seconds| if seconds.is_zero() { Err(advice.to_owned()) } else { Ok(seconds) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_well_formed_and_each_can_come_from_the_environment() {
        let command = Args::command();
        command.clone().debug_assert();
        for flag in command.get_arguments() {
            let name = flag.get_long().unwrap();
            let variable = flag.get_env().unwrap().to_str().unwrap();
            assert_eq!(variable, format!("CHAT_{}", name.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let args = Args::parse_from(["chat-server"]);
        assert_eq!(format!("{:?}", args.builder()), format!("{:?}", ChatServer::builder()));
    }

    #[test]
    fn seconds_accept_fractions_and_refuse_nonsense() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "x", "-1", "nan", "inf", "1e300"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
