//! Every verb that chat-proto knows stands in the document's tables of requests and replies, and no other does.

use std::collections::BTreeMap;

use super::{File, Finding, PATH, Tree, markdown};

/// Requests or replies.
pub(super) struct Side {
    /// Where the messages are defined; the doc of each variant starts with its format in backticks.
    source: &'static str,
    /// The first heading of the table.
    heading: &'static str,
}

pub(super) const SIDES: &[Side] = &[
    Side { source: "crates/chat-proto/src/message/client.rs", heading: "client sends" },
    Side { source: "crates/chat-proto/src/message/server.rs", heading: "server sends" },
];

pub(super) fn check(document: &File, tree: &Tree, side: &Side) -> Vec<Finding> {
    let Side { source, heading } = side;
    let Some(code) = tree.file(source) else {
        let advice = format!("`{source}` is gone: tell xtask where the messages are defined now");
        return vec![Finding::new(PATH, 1, advice)];
    };
    let known = formats(&code.text);
    let rows = markdown::table(&document.text, heading);
    let cells = rows.iter().flat_map(|(line, cells)| markdown::spans(cells[0]).map(move |span| (verb(span), *line)));
    let told: BTreeMap<_, _> = cells.filter(|(verb, _)| !verb.is_empty()).collect();

    let untold = known.iter().filter(|(verb, _)| !told.contains_key(*verb));
    let untold = untold.map(|(verb, line)| {
        Finding::new(source, *line, format!("tell of `{verb}` in the table `{heading}` of {PATH}, or take it out"))
    });
    // One word is enough: the tables speak of other versions of a request too.
    let first = |verb: &str| verb.split(' ').next().unwrap_or_default().to_owned();
    let unknown = told.iter().filter(|(verb, _)| !known.keys().any(|known| first(known) == first(verb)));
    let unknown = unknown
        .map(|(verb, line)| Finding::new(PATH, *line, format!("take `{verb}` out: `{source}` knows no such message")));
    untold.chain(unknown).collect()
}

/// The verbs of the formats that docs of variants start with, and their lines.
fn formats(code: &str) -> BTreeMap<&str, usize> {
    let docs = code.lines().enumerate().filter_map(|(index, line)| Some((index + 1, line.strip_prefix("    /// `")?)));
    let verbs = docs.filter_map(|(line, doc)| Some((verb(doc.split_once('`')?.0), line)));
    verbs.filter(|(verb, _)| !verb.is_empty()).collect()
}

/// What a format has before its first field: `LIST CLIENTS` of `LIST CLIENTS <n> <name> …`.
fn verb(format: &str) -> &str {
    let end = format.find(['<', '…']).unwrap_or(format.len());
    format[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    const SOURCE: &str = SIDES[0].source;

    #[track_caller]
    fn found(code: &str, table: &str, expected: &[&str]) {
        let document = format!("| client sends | when |\n|---|---|\n{table}");
        let tree = Tree::of(&[(SOURCE, code)]);
        assert_found(&check(&file(PATH, &document), &tree, &SIDES[0]), expected);
    }

    #[test]
    fn verbs_of_one_side_only_are_found() {
        let code = "/// Requests.\n    /// `MSG <text>`: says it.\n    /// `REQ CLIENTS`: who?\n    /// Nothing.\n";
        let table = "| `MSG <text>` | |\n| `REQ CLIENTS` | |\n| `<text>` | `OTHER` |\n| empty | |\n";
        found(code, table, &[]);
        let untold =
            format!("{SOURCE}:3: tell of `REQ CLIENTS` in the table `client sends` of protocole.md, or take it out");
        found(code, &table.replace("REQ CLIENTS", "REQ"), &[&untold]);
        let unknown = format!("protocole.md:7: take `SHOUT` out: `{SOURCE}` knows no such message");
        found(code, &format!("{table}| `SHOUT <text>` | |\n"), &[&unknown]);
    }

    #[test]
    fn a_source_that_is_gone_is_found() {
        let findings = check(&file(PATH, ""), &Tree::of(&[]), &SIDES[0]);
        assert_found(
            &findings,
            &[&format!("{PATH}:1: `{SOURCE}` is gone: tell xtask where the messages are defined now")],
        );
    }
}
