//! White space that nobody sees, and every difference shows.

use super::{File, Finding};

/// The files that people write; in others, such as recorded input of tests, every octet has its reason.
const WRITTEN: &[&str] = &["rs", "md", "toml", "yml", "yaml", "py", "sh"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let written = file.extension().is_some_and(|extension| WRITTEN.contains(&extension));
    if !written && !file.path.starts_with(".ci/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in file.text.split_inclusive('\n').enumerate() {
        let mut found = |advice| findings.push(Finding::new(&file.path, index + 1, advice));
        let content = line.strip_suffix('\n').unwrap_or(line);
        if content.len() == line.len() {
            found("end the last line too");
        }
        if content.contains('\r') {
            found("end lines with LF, without CR");
        } else if content.ends_with([' ', '\t']) {
            found("take away the white space at the end of the line");
        }
        let indent = &content[..content.len() - content.trim_start().len()];
        if indent.contains('\t') {
            found("indent with spaces, not with tabs");
        }
    }
    if file.text.ends_with("\n\n") {
        findings.push(Finding::new(&file.path, file.text.lines().count(), "take away the empty lines at the end"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::tidy::{finding::assert_found, tree::file};

    #[test]
    fn each_kind_is_found() {
        let text = "fine\nat the end \nwindows\r\n\tindented\n  \tmixed\nin\tside\nopen";
        let found = [
            "a.rs:2: take away the white space at the end of the line",
            "a.rs:3: end lines with LF, without CR",
            "a.rs:4: indent with spaces, not with tabs",
            "a.rs:5: indent with spaces, not with tabs",
            "a.rs:7: end the last line too",
        ];
        assert_found(&super::check(&file("a.rs", text)), &found);
        assert_found(&super::check(&file(".ci/run", "a\n\n")), &[".ci/run:2: take away the empty lines at the end"]);
        assert_found(&super::check(&file("corpus/cr", text)), &[]);
    }
}
