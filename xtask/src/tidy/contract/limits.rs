//! The fixed limits: the table of clause 8.1 and the clauses it names say what chat-proto's constants are.

use chat_proto::{
    DEFAULT_PORT, MAX_LINE, MAX_NAME, MAX_NAME_FAILURES, MAX_TEXT, MAX_UNTERMINATED,
    contract::{Clause, Contract},
};

use super::{File, Finding, PATH, markdown};

/// A limit, and the clause that sets it.
struct Limit {
    constant: &'static str,
    value: usize,
    clause: &'static str,
    /// The clause says it in a word: `fifth`.
    word: Option<&'static str>,
}

const LIMITS: &[Limit] = &[
    Limit { constant: "MAX_LINE", value: MAX_LINE, clause: "1.3", word: None },
    Limit { constant: "MAX_UNTERMINATED", value: MAX_UNTERMINATED, clause: "1.4", word: None },
    Limit { constant: "MAX_TEXT", value: MAX_TEXT, clause: "1.5", word: None },
    Limit { constant: "MAX_NAME", value: MAX_NAME, clause: "1.6", word: None },
    Limit { constant: "MAX_NAME_FAILURES", value: MAX_NAME_FAILURES as usize, clause: "3.3", word: Some("fifth") },
];

pub(super) fn check(document: &File, contract: &Contract) -> Vec<Finding> {
    let rows = markdown::table(&document.text, "limit");
    let mut findings: Vec<_> = LIMITS.iter().flat_map(|limit| limit.check(&rows, contract.clauses())).collect();
    if !numbers(&document.text).any(|number| number == usize::from(DEFAULT_PORT)) {
        findings.push(Finding::new(PATH, 1, format!("tell the port of chat-proto's DEFAULT_PORT, {DEFAULT_PORT}")));
    }
    findings
}

impl Limit {
    fn check(&self, rows: &[(usize, Vec<&str>)], clauses: &[Clause]) -> Vec<Finding> {
        let Self { constant, value, clause, word } = self;
        let mut findings = Vec::new();
        match rows.iter().find(|(_, cells)| cells.last() == Some(clause)) {
            // `1 to 2,000 …` ends with what is the limit.
            Some((line, cells)) if cells.get(1).and_then(|cell| numbers(cell).last()) != Some(*value) => {
                findings.push(Finding::new(PATH, *line, format!("make it {value}, which is chat-proto's {constant}")));
            }
            Some(_) => {}
            None => {
                let advice =
                    format!("put chat-proto's {constant} = {value} of clause {clause} into the table of limits");
                findings.push(Finding::new(PATH, 1, advice));
            }
        }
        if let Some(found) = clauses.iter().find(|other| other.number == *clause) {
            let says = word.is_some_and(|word| found.text.contains(word)) || numbers(&found.text).any(|n| n == *value);
            if !says {
                findings.push(Finding::new(
                    PATH,
                    found.at,
                    format!("say {value} here, which is chat-proto's {constant}"),
                ));
            }
        }
        findings
    }
}

/// All numbers in a text, `8,192` being one.
fn numbers(text: &str) -> impl Iterator<Item = usize> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ',' | '.' | '+')));
    words.filter_map(|word| word.trim_matches([',', '.']).replace(',', "").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    const RIGHT: &str =
        "Port 2222.\n\n**1.3** 8,192 octets\n\n**1.4** 65,536\n\n**1.5** 1 to 2,000\n\n**1.6** 1 to 20.\n
**3.3** the fifth\n\n| limit | value | clause |\n|---|---|---|\n| line | 8,192 octets | 1.3 |\n| open | 65,536 | 1.4 |
| text | 1 to 2,000 values | 1.5 |\n| name | 1 to 20 | 1.6 |\n| names | 5 | 3.3 |\n";

    #[track_caller]
    fn found(right: &str, wrong: &str, expected: &[&str]) {
        let text = RIGHT.replacen(right, wrong, 1);
        let contract = Contract::parse(&text).unwrap();
        assert_found(&check(&file(PATH, &text), &contract), expected);
    }

    #[test]
    fn whatever_differs_is_found() {
        found("", "", &[]);
        found("| 8,192", "| 8,193", &["protocole.md:15: make it 8192, which is chat-proto's MAX_LINE"]);
        found("to 2,000 values", "to 200 values", &["protocole.md:17: make it 2000, which is chat-proto's MAX_TEXT"]);
        found("65,536\n", "many\n", &["protocole.md:5: say 65536 here, which is chat-proto's MAX_UNTERMINATED"]);
        found(
            "| names | 5 | 3.3 |",
            "",
            &["protocole.md:1: put chat-proto's MAX_NAME_FAILURES = 5 of clause 3.3 into the table of limits"],
        );
        found("2222", "22", &["protocole.md:1: tell the port of chat-proto's DEFAULT_PORT, 2222"]);
    }
}
