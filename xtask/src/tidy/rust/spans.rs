//! Parts source text into code, strings and comments. It is no parser: it knows just enough not to be fooled by any of
//! the three looking like another.

/// What a piece of source text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::tidy) enum Kind {
    Code,
    /// With its quotes; a character's literal too.
    String,
    /// With its slashes.
    Comment,
}

/// The text with spaces in place of all that is not of these kinds: every octet and every line stays where it is.
pub(in crate::tidy) fn only(text: &str, kinds: &[Kind]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, len) = first(rest);
        let (piece, after) = rest.split_at(len);
        if kinds.contains(&kind) {
            kept.push_str(piece);
        } else {
            kept.extend(piece.bytes().map(|octet| if octet == b'\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    kept
}

/// The kind and the length of the first piece.
fn first(text: &str) -> (Kind, usize) {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('/'), Some('/')) => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        (Some('/'), Some('*')) => (Kind::Comment, block_comment(text)),
        (Some('"'), _) => (Kind::String, quoted(text, '"')),
        (Some('r'), Some('"' | '#')) => raw_string(text).map_or((Kind::Code, 1), |len| (Kind::String, len)),
        (Some('\''), Some('\\')) => (Kind::String, quoted(text, '\'')),
        (Some('\''), Some(c)) if chars.next() == Some('\'') => (Kind::String, c.len_utf8() + 2),
        (Some(c), _) => (Kind::Code, c.len_utf8()),
        (None, _) => (Kind::Code, 0),
    }
}

/// They nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#` and so on; nothing for `r#name`.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|&octet| octet == b'#').count();
    let inner = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(inner.find(&end).map_or(text.len(), |at| 2 + hashes + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parts(text: &str, code: &str, strings: &str, comments: &str) {
        let squeezed = |kind| only(text, &[kind]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!([Kind::Code, Kind::String, Kind::Comment].map(squeezed), [code, strings, comments], "{text}");
    }

    #[test]
    fn each_kind_may_look_like_another() {
        parts("a // b \"c\"\nd", "a d", "", "// b \"c\"");
        parts("a /* b /* c */ d */ e", "a e", "", "/* b /* c */ d */");
        parts(r#"f("// a \" b", g)"#, "f( , g)", r#""// a \" b""#, "");
        parts("r#\"a \" // b\"# + br\"\\\" + r#type", "+ b + r#type", "r#\"a \" // b\"# r\"\\\"", "");
        parts("('\"', '\\'', 'é', &'a str)", "( , , , &'a str)", "'\"' '\\'' 'é'", "");
    }

    #[test]
    fn octets_stay_where_they_are() {
        let text = "let é = \"é\n\"; // é\nx";
        for kind in [Kind::Code, Kind::String, Kind::Comment] {
            let kept = only(text, &[kind]);
            assert_eq!((kept.len(), kept.lines().count()), (text.len(), text.lines().count()));
        }
    }

    #[test]
    fn what_is_never_closed_ends_with_the_text() {
        for text in ["\"a", "r#\"a\"", "/* a", "'\\a", "'"] {
            assert_eq!(only(text, &[Kind::Code]).len(), text.len());
        }
    }
}
