//! Flags that a document shows are flags of the program, as its clap definition in `src/cli/` has them.

use std::collections::BTreeSet;

use super::{
    File, Finding, Tree, markdown,
    rust::{self, Kind},
    shell,
};

const PROGRAMS: &[&str] = &["chat-server", "chat-client", "chat-conform"];

pub(super) fn check(document: &File, tree: &Tree) -> Vec<Finding> {
    let known: Vec<(&str, BTreeSet<String>)> =
        PROGRAMS.iter().map(|program| (*program, flags(tree, program))).collect();
    let mut findings = Vec::new();
    for line in markdown::lines(&document.text) {
        let mut found = |flag: &str, program: &str| {
            let advice = format!("show a flag that exists: there is no `{flag}` of {program}");
            findings.push(Finding::new(&document.path, line.number, advice));
        };
        // A table of flags does not say whose they are.
        if let Some(cells) = markdown::cells(line.text).filter(|_| !line.is_code) {
            let shown = markdown::spans(cells[0]).filter(|span| span.starts_with("--")).flat_map(long_flags);
            for flag in shown.filter(|flag| !known.iter().any(|(_, flags)| flags.contains(*flag))) {
                found(flag, "either program");
            }
        }
        for command in shell::commands(line) {
            for (program, flags) in &known {
                let Some(arguments) = arguments(command, program) else { continue };
                long_flags(arguments).filter(|flag| !flags.contains(*flag)).for_each(|flag| found(flag, program));
            }
        }
    }
    findings
}

/// What a command hands to the program: all behind its name, or behind `--` if cargo runs it.
fn arguments<'a>(command: &'a str, program: &str) -> Option<&'a str> {
    let at = command.find(program)?;
    let after = &command[at + program.len()..];
    if !(after.is_empty() || after.starts_with([' ', '.'])) {
        return None;
    }
    let own = if command.contains("cargo ") { after.split_once(" -- ")?.1 } else { after };
    // What stands behind a `--` of its own is for a program that it starts.
    Some(own.split(" -- ").next().unwrap_or(own))
}

/// The words that are long flags, without their values.
fn long_flags(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace().map(|word| word.split_once('=').map_or(word, |(flag, _)| flag));
    let words = words.map(|word| word.trim_matches(['[', ']', ',']));
    words.filter(|word| word.len() > 2 && word.starts_with("--"))
}

/// The long flags of a program.
fn flags(tree: &Tree, program: &str) -> BTreeSet<String> {
    let places = [format!("crates/{program}/src/cli/"), format!("crates/{program}/src/main.rs")];
    let files = tree.files().iter().filter(|file| places.iter().any(|place| file.path.starts_with(place)));
    let declared = files.flat_map(|file| declared(&rust::only(&file.text, &[Kind::Code, Kind::String])));
    declared.chain(["help", "version"].map(str::to_owned)).map(|name| format!("--{name}")).collect()
}

/// The names in `#[arg(long = "name")]`, or those of the fields behind a bare `#[arg(long)]`.
fn declared(code: &str) -> Vec<String> {
    let attributes = code.split("#[arg(").skip(1).filter_map(|rest| rest.split_once(")]"));
    attributes
        .filter_map(|(options, field)| {
            // Values of other options may hold commas, but no option named `long`.
            let long =
                options.split(',').map(str::trim).find(|option| *option == "long" || option.starts_with("long ="))?;
            match long.split_once('"') {
                Some((_, name)) => name.split('"').next().map(str::to_owned),
                None => field_name(field),
            }
        })
        .collect()
}

/// The first word before a `:`, behind further attributes and the visibility.
fn field_name(code: &str) -> Option<String> {
    let without_attributes =
        code.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join(" ");
    let before = without_attributes.split_once(':')?.0;
    before.split_whitespace().last().map(|name| name.trim_start_matches("r#").replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    const ARGS: &str = "struct Args {\n    /// `--not-this`\n    #[arg(short, long, value_name = \"A, B\")]\n    pub(crate) listen: Vec<A>,
    #[arg(long = \"no-plain\", env = \"X\")]\n    plain: bool,\n    #[arg(\n        long,\n        default_value_t = f(1),\n    )]
    #[cfg(unix)]\n    max_clients: usize,\n    #[arg(short)]\n    verbose: u8,\n}\n";

    #[track_caller]
    fn found(text: &str, missing: &[&str]) {
        let tree = Tree::of(&[("crates/chat-server/src/cli/args.rs", ARGS)]);
        let advice = |missing: &&str| format!("R.md:2: show a flag that exists: there is no {missing}");
        let expected: Vec<_> = missing.iter().map(advice).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        assert_found(&check(&file("R.md", text), &tree), &expected);
    }

    #[test]
    fn flags_are_read_from_the_definition() {
        assert_eq!(declared(&rust::only(ARGS, &[Kind::Code, Kind::String])), ["listen", "no-plain", "max-clients"]);
    }

    #[test]
    fn what_does_not_exist_is_found() {
        let block = |command: &str| format!("```sh\n{command}\n```\n");
        found(&block("chat-server --lisen x"), &["`--lisen` of chat-server"]);
        found(&block("cargo run --bin chat-server -- --plain=1"), &["`--plain` of chat-server"]);
        found(
            &block("./chat-client --listen x | chat-server --x"),
            &["`--listen` of chat-client", "`--x` of chat-server"],
        );
        found("\n| `--verbose` | much |\n", &["`--verbose` of either program"]);
        found("\nType `chat-server --fast`.\n", &["`--fast` of chat-server"]);
    }

    #[test]
    fn what_exists_or_belongs_to_another_is_not() {
        let block = |command: &str| format!("```sh\n{command}\n```\n");
        found(&block("cargo run --release --bin chat-server -- --listen x --no-plain --max-clients=3 --help"), &[]);
        found(&block("cargo run --release --bin chat-server"), &[]);
        found(&block("chat-server --listen x & nc --zero # chat-server --none"), &[]);
        found("\n| `--listen ADDR`, `-v` | a `--b` |\n| `cargo run --example x` | |\n", &[]);
    }
}
