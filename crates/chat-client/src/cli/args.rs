//! The command line, and its errors in one line each.

use std::io::Write;

use clap::Parser;

use super::{Address, Exit, complain, exit};
use crate::Name;

const EXAMPLES: &str = "\
Examples:
  chat-client --name alice                     talk on this machine, as alice
  chat-client --name alice chat.example.org    somewhere else; :PORT if it is not 2222
  chat-client                                  as a guest
  printf 'a\\nb\\n' | chat-client --name bot     say two lines, wait for both OKs, leave
  chat-client --name log >> chat.log           keep a log: output is data, errors are status";

/// Talk in a chat room: lines are messages, /help tells the commands
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-client", version, before_help = EXAMPLES, after_help = exit::HELP)]
#[non_exhaustive]
pub struct Args {
    /// Your name: 1 to 20 letters and digits; without it you are a guest
    #[arg(short, long, value_name = "NAME", env = "CHAT_NAME", value_parser = Name::chosen)]
    pub name: Option<Name>,

    /// The server: HOST, HOST:PORT, or unix:PATH
    #[arg(value_name = "HOST:PORT", env = "CHAT_SERVER", default_value = "localhost:2222")]
    pub server: Address,
}

impl Args {
    /// The arguments of this process, or the code to exit with; what there is to say has been said then.
    pub fn of_process() -> Result<Self, Exit> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                let told = error.to_string();
                let line = told.lines().next().unwrap_or_default();
                complain(&format!("{} (try --help)", line.strip_prefix("error: ").unwrap_or(line)));
                return Exit::Usage;
            }
            // A reader that is gone needs no help.
            drop(write!(std::io::stdout(), "{}", error.render()));
            Exit::Done
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        let args = Args::try_parse_from(["chat-client", "--name", "bob", "example.org:1"]).unwrap();
        assert_eq!(args.name, Some(Name::new("bob").unwrap()));
        assert_eq!(args.server.to_string(), "example.org:1");
    }

    #[test]
    fn a_name_that_cannot_be_had_is_wrong_usage() {
        for name in ["", "guest7", "b*b", "abcdefghijklmnopqrstu"] {
            assert!(Args::try_parse_from(["chat-client", "--name", name]).is_err(), "{name:?}");
        }
    }
}
