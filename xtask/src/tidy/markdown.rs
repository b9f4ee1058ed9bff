//! As much of Markdown as the checks need: code blocks, code spans and tables.

/// A line of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'a str,
    /// It stands in a fenced block.
    pub(super) is_code: bool,
}

/// The lines of a document; the fences themselves are left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut is_code = false;
    text.lines().enumerate().filter_map(move |(index, text)| {
        if text.trim_start().starts_with("```") {
            is_code = !is_code;
            return None;
        }
        Some(Line { number: index + 1, text, is_code })
    })
}

/// What stands between backticks in a line of prose.
pub(super) fn spans(line: &str) -> impl Iterator<Item = &str> {
    let pieces = line.split('`').collect::<Vec<_>>();
    // An odd backtick at the end opens nothing.
    let closed = pieces.len().saturating_sub(1);
    pieces.into_iter().take(closed).skip(1).step_by(2)
}

/// The cells of a table's row; nothing for other lines. A `\|` belongs to its cell.
pub(super) fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
    let mut escaped = false;
    let part = |c| {
        let was_escaped = std::mem::replace(&mut escaped, c == '\\');
        c == '|' && !was_escaped
    };
    Some(row.split(part).map(str::trim).collect())
}

/// The rows of the table whose first column has this heading, with their line numbers, without heading and rule.
pub(super) fn table<'a>(text: &'a str, heading: &str) -> Vec<(usize, Vec<&'a str>)> {
    let rows = lines(text).filter(|line| !line.is_code).map(|line| (line.number, cells(line.text)));
    let from_heading = rows.skip_while(|(_, cells)| cells.as_ref().is_none_or(|cells| cells[0] != heading));
    from_heading.map_while(|(number, cells)| Some((number, cells?))).skip(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_part_code_from_prose() {
        let told: Vec<_> = lines("a\n```sh\nb\n```\nc\n").map(|line| (line.number, line.text, line.is_code)).collect();
        assert_eq!(told, [(1, "a", false), (3, "b", true), (5, "c", false)]);
    }

    #[test]
    fn spans_stand_between_backticks() {
        assert_eq!(spans("a `b` c `d e`, `open").collect::<Vec<_>>(), ["b", "d e"]);
        assert_eq!(spans("").count(), 0);
    }

    #[test]
    fn cells_may_hold_escaped_bars() {
        assert_eq!(cells(r"| `a b\|c` | d |").unwrap(), [r"`a b\|c`", "d"]);
        assert_eq!(cells("no | row |"), None);
    }

    #[test]
    fn tables_are_found_by_their_first_heading() {
        let text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n| 4 |\nend\n";
        assert_eq!(table(text, "a"), [(3, vec!["1", "2"])]);
        assert_eq!(table(text, "c"), [(7, vec!["3"]), (8, vec!["4"])]);
        assert_eq!(table(text, "x"), []);
    }
}
