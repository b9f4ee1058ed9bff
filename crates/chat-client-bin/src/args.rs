//! Reads the settings from the command line, the environment and the configuration file. Each error is one line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use chat_client::{Address, AddressError, Name};
use clap::{
    Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum, builder::Resettable, error::ErrorKind,
    parser::ValueSource,
};

use crate::{
    Exit,
    config::{self, Setting},
    exit_code, print_output,
    terminal_args::TerminalArgs,
    usage_error::{report_clap_error, report_usage},
};

const EXAMPLES: &str = "\
Examples:
  chat-client --name alice                     connect to this machine as alice
  chat-client --name alice chat.example.org    connect to another server; HOST:PORT for another port
  printf 'a\\nb\\n' | chat-client --name bot     send two messages, wait for each OK, leave
  chat-client --name log --no-input >> log     log the conversation; status goes to stderr
  chat-client --json --no-input | head -1      one JSON object per event";

/// A chat client: each line is a message, /help lists the commands
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-client", version, max_term_width = 100, before_help = EXAMPLES, after_help = exit_code::HELP)]
#[allow(clippy::struct_excessive_bools, reason = "each flag is present or absent")]
pub(crate) struct Args {
    /// Your name: 1 to 20 letters and digits. Without it, the client asks for one at a terminal, and joins as a guest
    /// in a pipe
    #[arg(short, long, value_name = "NAME", env = "CHAT_NAME", value_parser = Name::chosen)]
    pub(crate) name: Option<Name>,

    /// Address of the server: HOST, HOST:PORT, :PORT or unix:PATH
    #[arg(value_name = "HOST:PORT", env = "CHAT_SERVER", default_value = "localhost:2222")]
    pub(crate) server: Address,

    /// Port of the server, if the address does not contain it
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Print events as JSON, one object per line
    #[arg(long)]
    pub(crate) json: bool,

    /// Read one JSON object per line: {"command":"say","text":"hi"}, {"command":"clients"} or {"command":"quit"}
    #[arg(long, conflicts_with = "no_input")]
    pub(crate) json_in: bool,

    /// Read commands, such as /clients and /quit, from a pipe too. Without it, a line that begins with / is a message
    #[arg(long, conflicts_with_all = ["json_in", "no_input"])]
    pub(crate) commands: bool,

    /// Keep listening after the end of the input
    #[arg(long)]
    pub(crate) follow: bool,

    /// Only listen: do not read the input
    #[arg(long)]
    pub(crate) no_input: bool,

    /// Leave after S seconds; messages without an OK by then count as unacknowledged
    #[arg(long, value_name = "S", value_parser = parse_timeout)]
    pub(crate) timeout: Option<Duration>,

    /// Reconnect when the connection is lost. auto: at a terminal, not in a pipe
    #[arg(long, value_name = "WHEN", env = "CHAT_RECONNECT", num_args = 0..=1, require_equals = true,
          default_value = "auto", default_missing_value = "always")]
    pub(crate) reconnect: When,

    /// Use colours. auto: at a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", env = "CHAT_COLOR", default_value = "auto")]
    pub(crate) color: When,

    /// Format of the time before each line, as for strftime; empty for no time. In a pipe there is no time without this
    /// flag
    #[arg(long, value_name = "FORMAT", env = "CHAT_TIME", default_value = "%H:%M", value_parser = check_time_format)]
    pub(crate) time: String,

    /// Ring the bell when a message contains your name. auto: at a terminal
    #[arg(long, value_name = "WHEN", env = "CHAT_BELL", default_value = "auto")]
    pub(crate) bell: When,

    #[command(flatten)]
    pub(crate) terminal: TerminalArgs,

    /// The format of the time in a pipe. `None`: no time. Only the flag sets it: the file and the environment set the format
    /// at a terminal, and scripts do not expect a time.
    #[arg(skip)]
    pub(crate) pipe_time: Option<String>,

    /// Read this configuration file instead of the default one
    #[arg(long, value_name = "FILE", env = "CHAT_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Print the settings as a configuration file, with the source of each
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// When to do something. Each option says what `Auto` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

impl When {
    /// Whether to do it. `Auto` resolves to `auto`.
    pub(crate) fn resolve(self, auto: bool) -> bool {
        match self {
            Self::Auto => auto,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl Args {
    /// Reads all settings. On `Err`, it has printed help, the settings or an error: end with this exit code.
    pub(crate) fn read() -> Result<Self, Exit> {
        let words: Vec<_> = std::env::args_os().collect();
        config::read(&words).map_err(|why| report_usage(&why)).and_then(|settings| {
            let (args, matches) = parse(words, &settings).map_err(|error| report_clap_error(&error, &settings))?;
            if args.print_config {
                return Err(print_output(&config_text(&args, &matches, &settings)));
            }
            Ok(args)
        })
    }
}

/// Parses the command line. The settings of the file become clap's defaults, so the environment and flags override them
/// and clap validates them.
fn parse(words: Vec<OsString>, settings: &[Setting]) -> Result<(Args, ArgMatches), clap::Error> {
    let mut command = Args::command();
    for Setting { key, value, .. } in settings {
        command = command.mut_arg(*key, |arg| arg.default_value(value.clone()));
    }
    command = command.mut_args(ignore_empty_variable);
    let matches = command.try_get_matches_from_mut(words)?;
    let mut args = Args::from_arg_matches(&matches)?;
    if let Some(port) = args.port {
        if matches!(args.server, Address::Unix(_)) {
            return Err(command.error(ErrorKind::ArgumentConflict, "a Unix socket has no port"));
        }
        let host = matches.get_raw("server").and_then(|mut values| values.next()).unwrap_or_default().to_string_lossy();
        let address = format!("{host} {port}").parse();
        args.server = address.map_err(|why: AddressError| command.error(ErrorKind::ValueValidation, why))?;
    }
    let is_time_from_flag = matches.value_source("time") == Some(ValueSource::CommandLine);
    args.pipe_time = is_time_from_flag.then(|| args.time.clone());
    Ok((args, matches))
}

/// An empty environment variable is as good as none, except where an empty value has a meaning.
fn ignore_empty_variable(arg: Arg) -> Arg {
    if arg.get_id() == "time" {
        return arg;
    }
    let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { arg.env(Resettable::Reset) } else { arg }
}

/// Formats the settings as a configuration file.
fn config_text(args: &Args, matches: &ArgMatches, settings: &[Setting]) -> String {
    let setting = |key: &&str| {
        let value = matches.get_raw(key).and_then(|mut values| values.next()).unwrap_or_default();
        let server_with_port = args.port.filter(|_| *key == "server").map(|_| args.server.to_string());
        let value = server_with_port.map_or_else(|| value.to_string_lossy(), Into::into);
        let source = match matches.value_source(key) {
            Some(ValueSource::CommandLine) => "command line",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) if settings.iter().any(|setting| setting.key == *key) => "file",
            Some(_) => "default",
            None => return format!("# {key} =\n"),
        };
        format!("{key} = {value}  # {source}\n")
    };
    config::KEYS.iter().map(setting).collect()
}

fn parse_timeout(seconds: &str) -> Result<Duration, String> {
    /// One year. An `Instant` overflows if a much longer time is added.
    const MAX_SECONDS: f64 = 31_536_000.0;
    let seconds: f64 = seconds.parse().map_err(|_| "give a number of seconds, such as 10 or 0.5".to_owned())?;
    if !(0.001..=MAX_SECONDS).contains(&seconds) {
        return Err(format!("give between 0.001 and {MAX_SECONDS} seconds, such as 10 or 0.5"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn check_time_format(format: &str) -> Result<String, String> {
    match jiff::fmt::strtime::format(format, &jiff::Zoned::now()) {
        Ok(_) => Ok(format.to_owned()),
        Err(error) => Err(format!("{error}: use a strftime format, such as %H:%M:%S")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str], settings: &[(&'static str, &str)]) -> Result<Args, clap::Error> {
        let words = ["chat-client"].iter().chain(words).map(OsString::from).collect();
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| Setting { key, value: (*value).to_owned(), location: String::new() })
            .collect();
        parse(words, &settings).map(|(args, _)| args)
    }

    #[test]
    fn the_command_line_is_valid_and_has_every_key() {
        let mut command = Args::command();
        command.build();
        command.clone().debug_assert();
        for key in config::KEYS {
            assert!(command.get_arguments().any(|arg| arg.get_id() == key), "{key}");
        }
    }

    #[test]
    fn arguments_are_parsed() {
        let args = parse_words(&["--name", "bob", "example.org:1", "--reconnect"], &[]).unwrap();
        assert_eq!(args.name, Some(Name::new("bob").unwrap()));
        assert_eq!((args.server.to_string().as_str(), args.reconnect), ("example.org:1", When::Always));
        assert_eq!(parse_words(&["--reconnect", "here"], &[]).unwrap().server.to_string(), "here:2222");
        assert_eq!(parse_words(&["here", "4000"], &[]).unwrap().server.to_string(), "here:4000");
        assert_eq!(parse_words(&["::1", "4000"], &[]).unwrap().server.to_string(), "[::1]:4000");
        assert_eq!(parse_words(&["--timeout", "0.5"], &[]).unwrap().timeout, Some(Duration::from_millis(500)));
    }

    #[test]
    fn flags_override_the_file() {
        let file = [("name", "ann"), ("server", "there"), ("bell", "never")];
        let args = parse_words(&["--name", "bob"], &file).unwrap();
        assert_eq!(args.name, Some(Name::new("bob").unwrap()));
        assert_eq!((args.server.to_string().as_str(), args.bell), ("there:2222", When::Never));
        assert!(parse_words(&[], &[("bell", "loud")]).is_err());
    }

    #[test]
    fn only_a_flag_sets_the_time_in_a_pipe() {
        assert_eq!(parse_words(&["--time", "%H"], &[]).unwrap().pipe_time.as_deref(), Some("%H"));
        assert_eq!(parse_words(&[], &[("time", "%H")]).unwrap().pipe_time, None);
    }

    #[test]
    fn invalid_values_are_refused() {
        for name in ["", "guest7", "b*b", "abcdefghijklmnopqrstu"] {
            assert!(parse_words(&["--name", name], &[]).is_err(), "{name:?}");
        }
        for wrong in ["0", "-1", "x", "NaN", "inf", "1e19", "1e300"] {
            assert!(parse_words(&["--timeout", wrong], &[]).is_err(), "{wrong:?}");
        }
        for wrong in [["--time", "%!"], ["--no-input", "--json-in"], ["here:1", "2"], ["here", "0"], ["unix:a", "1"]] {
            assert!(parse_words(&wrong, &[]).is_err(), "{wrong:?}");
        }
    }
}
