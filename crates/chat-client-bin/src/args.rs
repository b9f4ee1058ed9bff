//! The settings, from the command line, the environment and the configuration file. Each error is one line.

use std::{ffi::OsString, io::Write, path::PathBuf, time::Duration};

use chat_client::{Address, Name};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum, parser::ValueSource};

use crate::{
    Exit,
    config::{self, Setting},
    exit_code,
    usage_error::{explain, usage},
};

const EXAMPLES: &str = "\
Examples:
  chat-client --name alice                     talk on this machine, as alice
  chat-client --name alice chat.example.org    somewhere else; :PORT if it is not 2222
  printf 'a\\nb\\n' | chat-client --name bot     say two lines, wait for both OKs, leave
  chat-client --name log --no-input >> log     keep a log: output is data, errors are status
  chat-client --json --no-input | head -1      one JSON object a line";

/// Talk in a chat room: lines are messages, /help tells the commands
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-client", version, max_term_width = 100, before_help = EXAMPLES, after_help = exit_code::HELP)]
#[allow(clippy::struct_excessive_bools, reason = "flags are what they are: each is given or not")]
pub(crate) struct Args {
    /// Your name: 1 to 20 letters and digits. Without it, you are asked for one at a terminal, and are a guest in a
    /// pipe
    #[arg(short, long, value_name = "NAME", env = "CHAT_NAME", value_parser = Name::chosen)]
    pub(crate) name: Option<Name>,

    /// The server: HOST, HOST:PORT, or unix:PATH
    #[arg(value_name = "HOST:PORT", env = "CHAT_SERVER", default_value = "localhost:2222")]
    pub(crate) server: Address,

    /// Print one JSON object a line for everything that happens
    #[arg(long)]
    pub(crate) json: bool,

    /// Take one JSON object a line as input: {"command":"say","text":"hi"}, "clients" or "quit"
    #[arg(long, conflicts_with = "no_input")]
    pub(crate) json_in: bool,

    /// Keep listening after the end of the input
    #[arg(long)]
    pub(crate) follow: bool,

    /// Listen only: do not read the input
    #[arg(long)]
    pub(crate) no_input: bool,

    /// Leave after S seconds; messages that have no OK by then are unacknowledged
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,

    /// Reconnect when the connection is lost; by default at a terminal only
    #[arg(long, value_name = "WHEN", env = "CHAT_RECONNECT", num_args = 0..=1, require_equals = true,
          default_value = "auto", default_missing_value = "always")]
    pub(crate) reconnect: When,

    /// Use colours; by default at a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", env = "CHAT_COLOR", default_value = "auto")]
    pub(crate) color: When,

    /// Time of day before each line at a terminal, as strftime writes it; empty for none
    #[arg(long, value_name = "FORMAT", env = "CHAT_TIME", default_value = "%H:%M", value_parser = time_format)]
    pub(crate) time: String,

    /// Ring the bell when a message contains your name; by default at a terminal
    #[arg(long, value_name = "WHEN", env = "CHAT_BELL", default_value = "auto")]
    pub(crate) bell: When,

    /// Read this configuration file instead of the one in your configuration folder
    #[arg(long, value_name = "FILE", env = "CHAT_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Print the settings and where each comes from, as a configuration file
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// When to do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    /// Where it makes sense.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl When {
    /// Whether to do it. `sensible`: whether it makes sense here.
    pub(crate) fn or(self, sensible: bool) -> bool {
        match self {
            Self::Auto => sensible,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl Args {
    /// The arguments of this process. Otherwise the exit code, after help or an error was printed.
    pub(crate) fn of_process() -> Result<Self, Exit> {
        let words: Vec<_> = std::env::args_os().collect();
        config::file(&words).map_err(|why| usage(&why)).and_then(|settings| {
            let (args, matches) = parse(words, &settings).map_err(|error| explain(&error, &settings))?;
            if args.print_config {
                // Nobody reads the settings if stdout is closed.
                drop(write!(std::io::stdout(), "{}", config_text(&matches, &settings)));
                return Err(Exit::Done);
            }
            Ok(args)
        })
    }
}

/// The settings of the file become clap's defaults. So the environment and flags override them, and clap checks them
/// all.
fn parse(words: Vec<OsString>, settings: &[Setting]) -> Result<(Args, ArgMatches), clap::Error> {
    let mut command = Args::command();
    for Setting { key, value, .. } in settings {
        command = command.mut_arg(*key, |arg| arg.default_value(value.clone()));
    }
    let matches = command.try_get_matches_from(words)?;
    Ok((Args::from_arg_matches(&matches)?, matches))
}

fn config_text(matches: &ArgMatches, settings: &[Setting]) -> String {
    let setting = |key: &&str| {
        let value = matches.get_raw(key).and_then(|mut values| values.next()).unwrap_or_default();
        let source = match matches.value_source(key) {
            Some(ValueSource::CommandLine) => "command line",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) if settings.iter().any(|setting| setting.key == *key) => "file",
            Some(_) => "default",
            None => return format!("# {key} =\n"),
        };
        format!("{key} = {}  # {source}\n", value.to_string_lossy())
    };
    config::KEYS.iter().map(setting).collect()
}

fn seconds(seconds: &str) -> Result<Duration, String> {
    // A year. The clock cannot add arbitrarily long times.
    const MOST: f64 = 31_536_000.0;
    let seconds: f64 = seconds.parse().map_err(|_| "give a number of seconds, such as 10 or 0.5".to_owned())?;
    if !(0.001..=MOST).contains(&seconds) {
        return Err(format!("give between 0.001 and {MOST} seconds, such as 10 or 0.5"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn time_format(format: &str) -> Result<String, String> {
    match jiff::fmt::strtime::format(format, &jiff::Zoned::now()) {
        Ok(_) => Ok(format.to_owned()),
        Err(error) => Err(format!("{error}: write it as strftime does, such as %H:%M:%S")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str], settings: &[(&'static str, &str)]) -> Result<Args, clap::Error> {
        let words = ["chat-client"].iter().chain(words).map(OsString::from).collect();
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| Setting { key, value: (*value).to_owned(), location: String::new() })
            .collect();
        parse(words, &settings).map(|(args, _)| args)
    }

    #[test]
    fn the_definition_is_valid_and_has_every_key() {
        let mut command = Args::command();
        command.build();
        command.clone().debug_assert();
        for key in config::KEYS {
            assert!(command.get_arguments().any(|arg| arg.get_id() == key), "{key}");
        }
    }

    #[test]
    fn arguments_have_their_values() {
        let args = parsed(&["--name", "bob", "example.org:1", "--reconnect"], &[]).unwrap();
        assert_eq!(args.name, Some(Name::new("bob").unwrap()));
        assert_eq!((args.server.to_string().as_str(), args.reconnect), ("example.org:1", When::Always));
        assert_eq!(parsed(&["--reconnect", "here"], &[]).unwrap().server.to_string(), "here:2222");
        assert_eq!(parsed(&["--timeout", "0.5"], &[]).unwrap().timeout, Some(Duration::from_millis(500)));
    }

    #[test]
    fn flags_override_the_file() {
        let file = [("name", "ann"), ("server", "there"), ("bell", "never")];
        let args = parsed(&["--name", "bob"], &file).unwrap();
        assert_eq!(args.name, Some(Name::new("bob").unwrap()));
        assert_eq!((args.server.to_string().as_str(), args.bell), ("there:2222", When::Never));
        assert!(parsed(&[], &[("bell", "loud")]).is_err());
    }

    #[test]
    fn invalid_values_are_refused() {
        for name in ["", "guest7", "b*b", "abcdefghijklmnopqrstu"] {
            assert!(parsed(&["--name", name], &[]).is_err(), "{name:?}");
        }
        for wrong in ["0", "-1", "x", "NaN", "inf", "1e19", "1e300"] {
            assert!(parsed(&["--timeout", wrong], &[]).is_err(), "{wrong:?}");
        }
        for wrong in [["--time", "%!"], ["--no-input", "--json-in"]] {
            assert!(parsed(&wrong, &[]).is_err(), "{wrong:?}");
        }
    }
}
