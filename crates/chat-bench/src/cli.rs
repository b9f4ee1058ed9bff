//! Defines the command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Benchmarks and soak tests of chat-server.
#[derive(Parser, Debug)]
#[command(version, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Measure one round of each row, in about a minute
    Quick(Output),
    /// Measure all rounds of each row, in about eight minutes
    All(Output),
    /// Measure the given rows
    Row {
        /// Names of rows: see `chat-bench list`
        #[arg(required = true, value_name = "ROW", value_parser = row_parser())]
        rows: Vec<String>,
        /// Measure one round of one second instead of all rounds of two seconds
        #[arg(long)]
        quick: bool,
        #[command(flatten)]
        output: Output,
    },
    /// List the rows and what each measures
    List,
    /// Run chat-server with good and bad clients; fail if a line is lost or memory, descriptors or tasks grow
    Soak {
        /// Duration in minutes, from 0.1 to 10000
        #[arg(long, default_value = "10", value_parser = parse_minutes)]
        minutes: f64,
    },
    /// Run the floor, a server that does the least possible work. The benchmarks start it
    #[command(hide = true)]
    Floor,
}

/// Where to write the figures, besides the table on stdout.
#[derive(ClapArgs, Debug, Default)]
pub(crate) struct Output {
    /// Write all figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the rows `growth` and `steady` to this file, as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
}

#[cfg(target_os = "linux")]
fn row_parser() -> clap::builder::PossibleValuesParser {
    crate::bench::row_names().into()
}

#[cfg(not(target_os = "linux"))]
fn row_parser() -> clap::builder::NonEmptyStringValueParser {
    clap::builder::NonEmptyStringValueParser::new()
}

fn parse_minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.1..=10_000.0).contains(minutes));
    minutes.ok_or_else(|| "give a number from 0.1 to 10000".to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Command, String> {
        let args = ["chat-bench"].iter().chain(args);
        Args::try_parse_from(args).map(|args| args.command).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn assert_refused(args: &[&str], reason: &str) {
        let Err(error) = parse(args) else { panic!("{args:?} is accepted") };
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn rows_and_files_are_parsed() {
        let args = ["row", "--quick", "--json", "a.json", "fan-out", "idle"];
        let Ok(Command::Row { rows, quick: true, output }) = parse(&args) else { panic!("{args:?}") };
        assert_eq!(rows, ["fan-out", "idle"]);
        assert_eq!((output.json, output.plot), (Some("a.json".into()), None));
    }

    #[test]
    fn soak_lasts_ten_minutes_by_default() {
        assert!(matches!(parse(&["soak"]), Ok(Command::Soak { minutes: 10.0 })));
        assert!(matches!(parse(&["soak", "--minutes", "0.5"]), Ok(Command::Soak { minutes: 0.5 })));
    }

    #[test]
    fn errors_list_the_valid_values() {
        assert_refused(&[], "Usage: chat-bench <COMMAND>");
        assert_refused(&["row"], "<ROW>...");
        assert_refused(&["row", "fanout"], "[possible values: fan-out, ");
        assert_refused(&["row", "fanout"], "a similar value exists: 'fan-out'");
        assert_refused(&["quick", "--plot"], "a value is required for '--plot <FILE.svg>'");
        assert_refused(&["soak", "--minutes", "0"], "give a number from 0.1 to 10000");
    }
}
