//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Measures chat-server against other servers, and runs it under load.
#[derive(Parser, Debug)]
#[command(version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Measure every row once: about a minute
    Quick(Output),
    /// Measure every row with all its rounds: about eight minutes
    All(Output),
    /// Measure these rows only
    Row {
        /// Names of rows, as `list` prints them
        #[arg(required = true, value_name = "ROW", value_parser = row())]
        rows: Vec<String>,
        /// One round of one second each, instead of all rounds of two seconds
        #[arg(long)]
        quick: bool,
        #[command(flatten)]
        output: Output,
    },
    /// List the rows and what each measures
    List,
    /// Run the server with good and bad clients; fail if a line is lost or if memory, descriptors or tasks grow
    Soak {
        /// How long, in minutes: 0.1 to 10000
        #[arg(long, default_value = "10", value_parser = minutes)]
        minutes: f64,
    },
    /// The comparison server with the least possible work, which the bench starts
    #[command(hide = true)]
    Floor,
}

/// Where the figures go besides the table on stdout.
#[derive(ClapArgs, Debug, Default)]
pub(crate) struct Output {
    /// Write all figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the rows `growth` and `steady` into this file
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
}

#[cfg(target_os = "linux")]
fn row() -> clap::builder::PossibleValuesParser {
    crate::bench::row_names().into()
}

#[cfg(not(target_os = "linux"))]
fn row() -> clap::builder::NonEmptyStringValueParser {
    clap::builder::NonEmptyStringValueParser::new()
}

fn minutes(typed: &str) -> Result<f64, String> {
    let minutes = typed.parse().ok().filter(|minutes| (0.1..=10_000.0).contains(minutes));
    minutes.ok_or_else(|| "give a number from 0.1 to 10000".to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn parse(typed: &[&str]) -> Result<Command, String> {
        let typed = ["chat-bench"].iter().chain(typed);
        Args::try_parse_from(typed).map(|args| args.command).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(typed: &[&str], why: &str) {
        let Err(error) = parse(typed) else { panic!("{typed:?} is accepted") };
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn rows_and_files_are_read() {
        let typed = ["row", "--quick", "--json", "a.json", "fan-out", "idle"];
        let Ok(Command::Row { rows, quick: true, output }) = parse(&typed) else { panic!("{typed:?}") };
        assert_eq!(rows, ["fan-out", "idle"]);
        assert_eq!((output.json, output.plot), (Some("a.json".into()), None));
    }

    #[test]
    fn soak_lasts_ten_minutes_unless_told_otherwise() {
        assert!(matches!(parse(&["soak"]), Ok(Command::Soak { minutes: 10.0 })));
        assert!(matches!(parse(&["soak", "--minutes", "0.5"]), Ok(Command::Soak { minutes: 0.5 })));
    }

    #[test]
    fn errors_say_what_can_be_typed() {
        refused(&[], "Usage: chat-bench <COMMAND>");
        refused(&["row"], "<ROW>...");
        refused(&["row", "fanout"], "[possible values: fan-out, ");
        refused(&["row", "fanout"], "a similar value exists: 'fan-out'");
        refused(&["quick", "--plot"], "a value is required for '--plot <FILE.svg>'");
        refused(&["soak", "--minutes", "0"], "give a number from 0.1 to 10000");
    }
}
