//! The flags and their environment variables. Configures the server from them.

use std::{io::Write, process::ExitCode, time::Duration};

use chat_server::{
    ChatServer, ChatServerBuilder, PlainSessions, RateLimit, StopOnBye,
    listen::{BindOptions, Endpoint, ListenAddr},
};
use clap::{ArgAction, Parser, ValueEnum, builder::BoolishValueParser, error::ErrorKind};
use tracing::info;

use super::addresses::{Addresses, AddressesParser, parse_mode};

/// A chat server: netcat is enough to take part, and every message is acknowledged with OK.
#[derive(Debug, Parser)]
#[command(
    name = "chat-server",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  chat-server                                       serve this machine; try nc localhost 2222
  chat-server --listen 0.0.0.0:2222 --listen [::]:2222
  chat-server --listen unix:/run/chat.sock --unix-mode 660 --no-plain
  CHAT_RATE_LIMIT=0 chat-server -v

SIGINT, SIGTERM, SIGQUIT, SIGHUP, or BYE on standard input stops the server gracefully. A second
signal other than SIGHUP stops it at once. SIGUSR1 prints counters.
Exit codes: 0 stopped, 1 failed (see the log), 2 invalid flags or an address that cannot be bound."
)]
pub(super) struct Args {
    /// Address to listen on: HOST:PORT (port 0: any free port) or unix:PATH. Can be given more than once. In
    /// `CHAT_LISTEN`, commas separate addresses; `\,` is a comma in a path
    #[arg(long, value_name = "ADDR", env = "CHAT_LISTEN", default_value = "127.0.0.1:2222", value_parser = AddressesParser)]
    listen: Vec<Addresses>,

    /// Permissions of Unix sockets in octal, such as 660. Clients need write permission. By default the umask decides
    #[arg(long, value_name = "MODE", env = "CHAT_UNIX_MODE", value_parser = parse_mode)]
    unix_mode: Option<u32>,

    /// Require a PROXY protocol version 2 header on each TCP connection. The server trusts the header, so only the load
    /// balancer may be able to connect
    #[arg(long, env = "CHAT_PROXY_PROTOCOL", value_parser = BoolishValueParser::new())]
    pub(super) proxy_protocol: bool,

    /// Maximum number of clients. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_MAX_CLIENTS", default_value = "10000", value_parser = parse_count::<usize>)]
    max_clients: usize,

    /// Maximum number of clients from one address (IPv6: from one /64). 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_MAX_CLIENTS_PER_IP", default_value = "256", value_parser = parse_count::<usize>)]
    max_clients_per_ip: usize,

    /// Lines per second from one address, with bursts of twice as many. Faster clients are slowed down. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_RATE_LIMIT", default_value = "200", value_parser = parse_count::<u32>)]
    rate_limit: u32,

    /// Connections per second from one address, with bursts of ten times as many. Connections above this rate get BYE. 0: no limit
    #[arg(long, value_name = "N", env = "CHAT_CONNECT_RATE", default_value = "100", value_parser = parse_count::<u32>)]
    connect_rate: u32,

    /// Refuse plain sessions: clients must send PROT and have a name
    #[arg(long, env = "CHAT_NO_PLAIN", value_parser = BoolishValueParser::new())]
    no_plain: bool,

    /// Stop the server when any client sends BYE
    #[arg(long, env = "CHAT_STOP_ON_BYE", value_parser = BoolishValueParser::new())]
    stop_on_bye: bool,

    /// Disconnect a client that has not logged in after this many seconds. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_LOGIN_TIMEOUT", default_value = "120", value_parser = parse_seconds)]
    login_timeout: Duration,

    /// Send PING to a named client after this many seconds of silence. 0: never
    #[arg(long, value_name = "S", env = "CHAT_PING_INTERVAL", default_value = "60", value_parser = parse_seconds)]
    ping_interval: Duration,

    /// Disconnect the client if it then sends nothing for this many seconds. Must be more than 0
    #[arg(long, value_name = "S", env = "CHAT_PING_TIMEOUT", default_value = "3", value_parser = parse_nonzero_seconds)]
    ping_timeout: Duration,

    /// Disconnect a client if a write makes no progress for this many seconds. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_WRITE_TIMEOUT", default_value = "10", value_parser = parse_seconds)]
    write_timeout: Duration,

    /// When the server stops, give clients this many seconds to read their last lines. 0: no limit
    #[arg(long, value_name = "S", env = "CHAT_DRAIN_TIMEOUT", default_value = "10", value_parser = parse_seconds)]
    drain_timeout: Duration,

    /// Format of the log on standard error
    #[arg(long, value_name = "FORMAT", env = "CHAT_LOG_FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,

    /// Log more. -v: also refused input. -vv: everything
    #[arg(short, long, env = "CHAT_VERBOSE", action = ArgAction::Count)]
    pub(super) verbose: u8,

    /// Log less. -q: warnings and errors. -qq: nothing
    #[arg(short, long, env = "CHAT_QUIET", action = ArgAction::Count)]
    pub(super) quiet: u8,
}

/// The format of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum LogFormat {
    /// One line of text per record
    Text,
    /// One JSON object per line
    Json,
}

fn parse_count<N: std::str::FromStr>(count: &str) -> Result<N, &'static str> {
    count.parse().map_err(|_| "give a whole number, such as 100")
}

impl Args {
    /// Parses the command line and the environment.
    ///
    /// # Errors
    ///
    /// The program must end with this exit code. The help, the version or a one-line error is already printed.
    pub(super) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // Fails if stdout is closed.
                let _ = error.print();
                ExitCode::SUCCESS
            }
            _ => {
                // Clap's first paragraph says what is wrong. The rest repeats parts of the help.
                let text = error.to_string();
                let message = text.split("\n\n").next().unwrap_or_default().replace("\n ", "");
                let message = message.trim_start_matches("error: ");
                let _ = writeln!(std::io::stderr(), "chat-server: {message} (try --help)");
                ExitCode::from(super::EXIT_USAGE)
            }
        })
    }

    /// The addresses to listen on.
    pub(super) fn listen(&self) -> impl Iterator<Item = &ListenAddr> {
        self.listen.iter().flat_map(|Addresses(addresses)| addresses)
    }

    /// The options for binding these addresses.
    pub(super) fn bind_options(&self) -> BindOptions {
        let options = BindOptions::new();
        self.unix_mode.map_or(options.clone(), |mode| options.unix_mode(mode))
    }

    #[cfg(unix)]
    pub(super) fn max_clients(&self) -> Option<usize> {
        unless_zero(self.max_clients)
    }

    /// Logs one record with all settings. Times are in seconds.
    pub(super) fn log_started(&self, endpoints: &[Endpoint]) {
        let addresses: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
        info!(
            version = env!("CARGO_PKG_VERSION"),
            addresses = addresses.join(" "),
            unix_mode = self.unix_mode.map(|mode| format!("{mode:03o}")),
            proxy_protocol = self.proxy_protocol,
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

    /// A builder with the settings of the flags.
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

/// Returns `None` for 0, which means "no limit" on the command line.
fn unless_zero<T: PartialEq + Default>(limit: T) -> Option<T> {
    (limit != T::default()).then_some(limit)
}

/// Parses seconds, with or without a fraction.
fn parse_seconds(seconds: &str) -> Result<Duration, String> {
    /// A hundred years. An `Instant` overflows if a much longer time is added.
    const MAX_SECONDS: f64 = 100.0 * 365.0 * 24.0 * 3_600.0;
    match seconds.parse::<f64>() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give a number of seconds, such as 10 or 0.5".to_owned()),
    }
}

/// Parses a number of seconds above 0.
fn parse_nonzero_seconds(text: &str) -> Result<Duration, String> {
    let advice = "give a number of seconds above 0, such as 3 (to turn pings off: --ping-interval 0)";
    parse_seconds(text).and_then(|seconds| if seconds.is_zero() { Err(advice.to_owned()) } else { Ok(seconds) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn each_flag_has_an_environment_variable() {
        let command = Args::command();
        command.clone().debug_assert();
        for flag in command.get_arguments() {
            let name = flag.get_long().unwrap();
            let variable = flag.get_env().unwrap().to_str().unwrap();
            assert_eq!(variable, format!("CHAT_{}", name.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn the_defaults_equal_those_of_the_library() {
        let args = Args::parse_from(["chat-server"]);
        assert_eq!(format!("{:?}", args.builder()), format!("{:?}", ChatServer::builder()));
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["", "x", "-1", "nan", "inf", "1e300"] {
            assert!(parse_seconds(bad).is_err(), "{bad}");
        }
    }
}
