//! Takes tests out of code: they may use what the code itself may not.

use super::spans::{Kind, only};

/// The code with spaces in place of each item behind `#[cfg(test)]`. It must hold neither strings nor comments.
pub(in crate::tidy) fn without_tests(code: &str) -> String {
    debug_assert_eq!(code, only(code, &[Kind::Code]), "strings and comments are taken out before");
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|marker| rest.find(marker)).min() {
        let (before, item) = rest.split_at(at);
        let (test, after) = item.split_at(item_len(item));
        kept.push_str(before);
        kept.extend(test.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Up to the `;`, or to the brace that closes the first one.
fn item_len(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, octet) in item.bytes().enumerate() {
        match octet {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn leaves(code: &str, left: &str) {
        let kept = without_tests(code);
        assert_eq!(kept.lines().count(), code.lines().count());
        assert_eq!(kept.split_whitespace().collect::<Vec<_>>().join(" "), left, "{code}");
    }

    #[test]
    fn items_behind_the_marker_go() {
        leaves("a;\n#[cfg(test)]\nmod tests {\n fn f() { {} }\n}\nb;\n", "a; b;");
        leaves("a;\n#[cfg(test)]\n#[path = x]\nmod tests;\nb;\n", "a; b;");
        leaves("#[cfg(all(test, unix))]\nmod a { }\nmod b { }\n", "mod b { }");
        leaves("#[cfg(test)]\nmod never_closed {", "");
        leaves("a; b { c }", "a; b { c }");
    }
}
