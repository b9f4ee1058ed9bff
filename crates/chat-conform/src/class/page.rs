//! The scores as an HTML page: a table with the history, a table of clauses by student, and below it the failures of
//! each server.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    History, StudentResult,
    table::{LEVELS, cell},
};
use crate::{
    CaseReport,
    clauses::{self, contract},
    report::{Verdict, escaped},
};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Scores</title>\n<style>
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3em .8em; border-bottom: 1px solid #ccc }
td.full { background: #dfd }
td.part { background: #ffd }
td.fail { background: #fdd }
table.clauses { width: auto; font-size: 80% }
pre { background: #f4f4f4; padding: .5em; overflow-x: auto }
</style>\n<h1>Scores</h1>\n";

/// The HTML page. The history is that up to this run.
pub fn page(scored: &[StudentResult], history: &History) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<table>\n<tr><th>name<th>server<th>plain<th>named<th>robust<th>runs so far, in %<th>\n");
    for (index, student) in scored.iter().enumerate() {
        let (name, address) = (escaped(&student.name), escaped(&student.address));
        let _ = write!(out, "<tr><td><a href=\"#s{index}\">{name}</a><td>{address}");
        for level in LEVELS {
            let score = student.report.as_ref().ok().and_then(|report| report.score(level));
            let class = score.map_or("none", |score| if score.passed == score.of { "full" } else { "part" });
            let _ = write!(out, "<td class=\"{class}\">{}", cell(student, level));
        }
        let remark = student.report.as_ref().err().map(|error| escaped(error)).unwrap_or_default();
        let percents: Vec<_> = history.percents(&student.name).iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "<td>{}<td>{remark}", percents.join(" → "));
    }
    out.push_str("</table>\n");
    clause_table(&mut out, scored);
    scored.iter().enumerate().for_each(|(index, student)| failures(&mut out, index, student));
    out.push_str("</html>\n");
    out
}

/// A row for each clause, and a column for each student: how many of the cases about the clause failed.
fn clause_table(out: &mut String, scored: &[StudentResult]) {
    let judged: Vec<_> = scored.iter().filter_map(|student| Some((student, student.report.as_ref().ok()?))).collect();
    out.push_str(
        "<h2>Clauses</h2>\n<p>How many cases fail by the clause.</p>\n<table class=\"clauses\">\n<tr><th>clause",
    );
    for (student, _) in &judged {
        let _ = write!(out, "<th>{}", escaped(&student.name));
    }
    let counts: Vec<_> = judged.iter().map(|(_, report)| failures_by_clause(&report.cases)).collect();
    for clause in contract().clauses() {
        if counts.iter().all(|counts| !counts.contains_key(clause.number.as_str())) {
            continue;
        }
        let text = escaped(&clauses::asks(&clause.number));
        let _ = write!(out, "\n<tr><td title=\"{text}\">{}", clause.number);
        for counts in &counts {
            match counts.get(clause.number.as_str()) {
                Some(count) => write!(out, "<td class=\"fail\">{count}"),
                None => write!(out, "<td class=\"full\">"),
            }
            .expect("writing to a String cannot fail");
        }
    }
    out.push_str("\n</table>\n");
}

fn failures_by_clause(cases: &[CaseReport]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for failure in cases.iter().filter_map(|case| case.failure.as_ref().filter(|_| case.verdict == Verdict::Failed)) {
        *counts.entry(failure.clause.as_str()).or_default() += 1;
    }
    counts
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
    // The first failure is open: it explains most of the others.
    for (place, case) in failed.into_iter().enumerate() {
        let open = if place == 0 { " open" } else { "" };
        let Some(failure) = &case.failure else { continue };
        let _ = writeln!(
            out,
            "<details{open}><summary>{}: clause {}: {}</summary>\n<p>{}</p>\n<pre>{}</pre></details>",
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
        let page = page(
            &[StudentResult { name: "<script>x".to_owned(), address: "a:1".to_owned(), report }],
            &History::default(),
        );
        assert!(page.contains("&lt;script&gt;x") && !page.contains("<script>") && page.contains("closed"));
    }
}
