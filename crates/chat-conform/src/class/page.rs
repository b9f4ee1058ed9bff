//! The scores as an HTML page: a table, and below it the failures of each server.

use std::fmt::Write;

use super::{
    StudentResult,
    table::{LEVELS, cell},
};
use crate::report::{Verdict, escaped};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Scores</title>\n<style>
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3em .8em; border-bottom: 1px solid #ccc }
td.full { background: #dfd }
td.part { background: #ffd }
pre { background: #f4f4f4; padding: .5em; overflow-x: auto }
</style>\n<h1>Scores</h1>\n";

/// The HTML page.
pub fn page(scored: &[StudentResult]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<table>\n<tr><th>name<th>server<th>plain<th>named<th>robust<th>\n");
    for (index, student) in scored.iter().enumerate() {
        let (name, address) = (escaped(&student.name), escaped(&student.address));
        let _ = write!(out, "<tr><td><a href=\"#s{index}\">{name}</a><td>{address}");
        for level in LEVELS {
            let score = student.report.as_ref().ok().and_then(|report| report.score(level));
            let class = score.map_or("none", |score| if score.passed == score.of { "full" } else { "part" });
            let _ = write!(out, "<td class=\"{class}\">{}", cell(student, level));
        }
        let remark = student.report.as_ref().err().map(|error| escaped(error)).unwrap_or_default();
        let _ = writeln!(out, "<td>{remark}");
    }
    out.push_str("</table>\n");
    scored.iter().enumerate().for_each(|(index, student)| failures(&mut out, index, student));
    out.push_str("</html>\n");
    out
}

fn failures(out: &mut String, index: usize, student: &StudentResult) {
    let _ = writeln!(out, "<h2 id=\"s{index}\">{}</h2>", escaped(&student.name));
    let Ok(report) = &student.report else {
        out.push_str("<p>Not judged.</p>\n");
        return;
    };
    let failed: Vec<_> = report.cases.iter().filter(|case| case.verdict == Verdict::Failed).collect();
    if failed.is_empty() {
        out.push_str("<p>Nothing failed.</p>\n");
    }
    for case in failed {
        let Some(failure) = &case.failure else { continue };
        let _ = writeln!(
            out,
            "<details><summary>{}: clause {}: {}</summary>\n<p>{}</p>\n<pre>{}</pre></details>",
            escaped(&case.name),
            failure.clause,
            escaped(&failure.what),
            escaped(&failure.asks),
            escaped(&failure.transcript.join("\n"))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let report = Err("closed".to_owned());
        let page = page(&[StudentResult { name: "<script>x".to_owned(), address: "a:1".to_owned(), report }]);
        assert!(page.contains("&lt;script&gt;x") && !page.contains("<script>") && page.contains("closed"));
    }
}
