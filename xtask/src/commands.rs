//! The table of commands, and the way from the command line to one of them.

use crate::{Failure, ci, dist, papers, tidy};

/// Something that `cargo xtask` does.
struct Command {
    name: &'static str,
    options: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "ci",
        options: "[--no-tests]",
        summary: "all that must pass: format, lints, tests, docs, tidy; stops at the first failure",
        run: ci::run,
    },
    Command {
        name: "tidy",
        options: "",
        summary: "quick checks: files, who may use what, protocole.md and README in step with the code",
        run: |options| none(options).and_then(|()| tidy::run()),
    },
    Command {
        name: "dist",
        options: "",
        summary: "stripped release builds of all programs in target/dist, with their papers",
        run: |options| none(options).and_then(|()| dist::run()),
    },
    Command {
        name: "papers",
        options: "FOLDER",
        summary: "man pages, and completions for bash, zsh and fish, of both programs",
        run: papers::run,
    },
];

/// Runs the command that these words name.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((name, options)) = arguments.split_first() else {
        return Err(Failure::Usage("which command?".to_owned()));
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(options),
        None => Err(Failure::Usage(format!("there is no command `{name}`"))),
    }
}

/// The names of all commands.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

/// What can be typed.
pub(crate) fn usage() -> String {
    let line = |command: &Command| format!("\n  {:<6} {:<12} {}", command.name, command.options, command.summary);
    let lines: String = COMMANDS.iter().map(line).collect();
    format!("usage: cargo xtask <command>\n{lines}")
}

/// For commands that take no options.
fn none(options: &[String]) -> Result<(), Failure> {
    match options.first() {
        None => Ok(()),
        Some(option) => Err(Failure::Usage(format!("what is `{option}`? this command takes no options"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(typed: &[&str], why: &str) {
        let arguments: Vec<_> = typed.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(run(&arguments), Err(Failure::Usage(why.to_owned())));
    }

    #[test]
    fn what_is_typed_wrong_is_told() {
        refused(&[], "which command?");
        refused(&["tidyy"], "there is no command `tidyy`");
        refused(&["tidy", "--fast"], "what is `--fast`? this command takes no options");
        refused(&["ci", "--fast"], "what is `--fast`? `ci` knows `--no-tests`");
    }

    #[test]
    fn the_usage_names_every_command() {
        assert!(names().all(|name| usage().contains(&format!("\n  {name} "))));
    }
}
