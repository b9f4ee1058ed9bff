//! What was meant to be done later, or to be taken out again.

use super::{
    File, Finding,
    rust::{self, Kind},
};

const MACROS: &[&str] = &["todo", "dbg", "unimplemented"];

/// Written apart, so that this file does not find itself.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = rust::only(&file.text, &[Kind::Code]);
    let comments = rust::only(&file.text, &[Kind::Comment]);
    let mut findings = Vec::new();
    for (index, (code, comment)) in code.lines().zip(comments.lines()).enumerate() {
        let mut found = |advice| findings.push(Finding::new(&file.path, index + 1, advice));
        for name in MACROS.iter().filter(|name| calls(code, name)) {
            found(format!("finish what `{name}!` stands for, and take it out"));
        }
        for mark in MARKS.iter().filter(|mark| comment.contains(**mark)) {
            if !gives_a_reason(comment, mark) {
                found(format!("do it, or say why not now: `{mark}(reason): what`"));
            }
        }
    }
    findings
}

fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let whole = !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        whole && code[at + name.len()..].starts_with('!')
    })
}

fn gives_a_reason(comment: &str, mark: &str) -> bool {
    let reason = comment.split_once(mark).and_then(|(_, rest)| rest.strip_prefix('(')?.split_once("): "));
    reason.is_some_and(|(reason, what)| reason.contains(' ') && !what.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn each_macro_is_found_in_code_only() {
        let text = "//! Not todo!() here.\nfn f() { todo!() }\nfn g() { dbg!(\"todo!()\"); my_todo!() }\n";
        let found = [
            "a.rs:2: finish what `todo!` stands for, and take it out",
            "a.rs:3: finish what `dbg!` stands for, and take it out",
        ];
        assert_found(&check(&file("a.rs", text)), &found);
    }

    #[test]
    fn a_mark_needs_a_reason() {
        let mark = MARKS[0];
        let text = format!("// {mark} later\n// {mark}(me): x\n// {mark}(waits for 1.0): tags\nlet s = \"{mark}\";\n");
        let advice = format!("do it, or say why not now: `{mark}(reason): what`");
        assert_found(&check(&file("a.rs", &text)), &[&format!("a.rs:1: {advice}"), &format!("a.rs:2: {advice}")]);
    }
}
