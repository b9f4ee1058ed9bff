//! Reads the table of servers (`name,address`) and writes the table of scores, both as CSV.

use std::fmt::Write;

use super::StudentResult;
use crate::case::Level;

/// A line of the table of servers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The student's name.
    pub name: String,
    /// The address of the student's server, `HOST:PORT`.
    pub address: String,
}

pub(super) const LEVELS: [Level; 3] = [Level::Plain, Level::Named, Level::Robust];

/// Reads the table. Empty lines and a first line `name,address` are ignored.
///
/// # Errors
///
/// A message with the number of the first line that is not `NAME,HOST:PORT`.
pub fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    // Spreadsheets write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields = fields(line).ok_or_else(|| format!("line {}: a closing quote is missing", index + 1))?;
        match fields.as_slice() {
            [name, address] if index == 0 && !address.contains(':') && name.eq_ignore_ascii_case("name") => {}
            [name, address] if address.contains(':') => {
                rows.push(Row { name: name.clone(), address: address.clone() });
            }
            _ => return Err(format!("line {}: expected NAME,HOST:PORT", index + 1)),
        }
    }
    Ok(rows)
}

/// Splits a line into its fields. A quoted field may contain commas, and `""` for a quote. `None`: a closing quote is
/// missing.
fn fields(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            c => field.push(c),
        }
    }
    fields.push(field.trim().to_owned());
    (!quoted).then_some(fields)
}

/// The scores as CSV: name, address, `passed/of` for each level, and why a server could not be judged.
pub fn csv(scored: &[StudentResult]) -> String {
    let mut out = String::from("name,address,plain,named,robust,remark\n");
    for student in scored {
        let levels = LEVELS.map(|level| cell(student, level)).join(",");
        let remark = student.report.as_ref().err().map(String::as_str).unwrap_or_default();
        let fields = [student.name.as_str(), &student.address].map(quoted).join(",");
        let _ = writeln!(out, "{fields},{levels},{}", quoted(remark));
    }
    out
}

/// The score `passed/of`. Empty if no case of the level was played.
pub(super) fn cell(student: &StudentResult, level: Level) -> String {
    let score = student.report.as_ref().ok().and_then(|report| report.score(level));
    score.map(|score| format!("{}/{}", score.passed, score.of)).unwrap_or_default()
}

/// Quotes the field if necessary. A `'` goes before a field that a spreadsheet would run as a formula.
fn quoted(field: &str) -> String {
    let field = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_names_and_addresses() {
        let rows = read("\u{feff}name,address\nAnn,localhost:2222\n\n\"Bob, \"\"B\"\"\", [::1]:1 \n").unwrap();
        let pairs: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.address.as_str())).collect();
        assert_eq!(pairs, [("Ann", "localhost:2222"), ("Bob, \"B\"", "[::1]:1")]);
        assert_eq!(read("Ann,a:1\nBob\n"), Err("line 2: expected NAME,HOST:PORT".to_owned()));
        assert_eq!(read("\"Ann,a:1\n"), Err("line 1: a closing quote is missing".to_owned()));
    }

    #[test]
    fn written_fields_can_be_read_back() {
        let report = Err("=x: \"closed\"".to_owned());
        let scored = [StudentResult { name: "Bob, \"B\"".to_owned(), address: "a:1".to_owned(), report }];
        let last = csv(&scored).lines().last().map(fields);
        let expected = ["Bob, \"B\"", "a:1", "", "", "", "'=x: \"closed\""].map(str::to_owned);
        assert_eq!(last, Some(Some(expected.to_vec())));
    }
}
