//! The tables, as CSV: `name,address` in; `name,address`, a score for each level and a remark out.

use std::fmt::Write;

use super::Scored;
use crate::case::Level;

/// A student and their server.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Row {
    /// Their name.
    pub name: String,
    /// Their server, `HOST:PORT`.
    pub address: String,
}

pub(super) const LEVELS: [Level; 3] = [Level::Plain, Level::Named, Level::Robust];

/// Reads the table. A first line `name,address` and empty lines say nothing. The error is a sentence.
pub fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields = fields(line).ok_or_else(|| format!("line {}: a quote is never closed", index + 1))?;
        match fields.as_slice() {
            [name, address] if index == 0 && !address.contains(':') && name.eq_ignore_ascii_case("name") => {}
            [name, address] if address.contains(':') => {
                rows.push(Row { name: name.clone(), address: address.clone() });
            }
            _ => return Err(format!("line {}: a name and HOST:PORT are wanted, parted by a comma", index + 1)),
        }
    }
    Ok(rows)
}

/// The fields of a line; those in quotes may hold commas, and quotes written twice.
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

/// The scores as CSV: `passed/of` for each level.
pub fn csv(scored: &[Scored]) -> String {
    let mut out = String::from("name,address,plain,named,robust,remark\n");
    for student in scored {
        let levels = LEVELS.map(|level| cell(student, level)).join(",");
        let remark = student.report.as_ref().err().map(String::as_str).unwrap_or_default();
        let fields = [student.name.as_str(), &student.address].map(quoted).join(",");
        let _ = writeln!(out, "{fields},{levels},{}", quoted(remark));
    }
    out
}

/// `passed/of`, or nothing.
pub(super) fn cell(student: &Scored, level: Level) -> String {
    let score = student.report.as_ref().ok().and_then(|report| report.score(level));
    score.map(|score| format!("{}/{}", score.passed, score.of)).unwrap_or_default()
}

/// In quotes where it needs them. A cell that a spreadsheet would compute is made text.
fn quoted(field: &str) -> String {
    let field = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_names_and_addresses() {
        let rows = read("name,address\nAnn,localhost:2222\n\n\"Bob, \"\"B\"\"\", [::1]:1 \n").unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.address.as_str())).collect();
        assert_eq!(told, [("Ann", "localhost:2222"), ("Bob, \"B\"", "[::1]:1")]);
        let wanted = "line 2: a name and HOST:PORT are wanted, parted by a comma";
        assert_eq!(read("Ann,a:1\nBob\n"), Err(wanted.to_owned()));
        assert_eq!(read("\"Ann,a:1\n"), Err("line 1: a quote is never closed".to_owned()));
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let report = Err("=x: \"closed\"".to_owned());
        let scored = [Scored { name: "Bob, \"B\"".to_owned(), address: "a:1".to_owned(), report }];
        let last = csv(&scored).lines().last().map(fields);
        let expected = ["Bob, \"B\"", "a:1", "", "", "", "'=x: \"closed\""].map(str::to_owned);
        assert_eq!(last, Some(Some(expected.to_vec())));
    }
}
