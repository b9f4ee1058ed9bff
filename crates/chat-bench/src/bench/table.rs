//! Formats the figures as a table: medians, their spread, and whether goals are met.

use std::fmt::Write;

use super::{
    rows::{Bound, Goal},
    sample::{Metric, RowResult, median, spread},
};

/// Summarizes the goals of a row in one line.
pub(super) fn summary(result: &RowResult) -> String {
    let verdicts: Vec<_> = result.row.goals.iter().filter_map(|goal| judge(result, goal)).collect();
    let met = verdicts.iter().filter(|verdict| verdict.is_met).count();
    format!("{:<10} {met} of {} goals met", result.row.name, verdicts.len())
}

/// Formats all rows as a table in Markdown.
pub(super) fn render(results: &[RowResult]) -> String {
    let mut table = String::from("| work | server | measured (median, spread) | goal | |\n|---|---|---|---|---|\n");
    for result in results {
        for (index, case) in result.row.cases.iter().enumerate() {
            let figures: Vec<_> = Metric::ALL.iter().filter_map(|&metric| figure(result, index, metric)).collect();
            if figures.is_empty() {
                continue;
            }
            let goals = result.row.goals.iter().filter(|goal| goal.case == index);
            let verdicts: Vec<_> = goals.filter_map(|goal| judge(result, goal)).collect();
            let goals: Vec<_> = verdicts.iter().map(|verdict| verdict.goal.as_str()).collect();
            let outcomes: Vec<_> = verdicts.iter().map(|verdict| verdict.outcome.as_str()).collect();
            let name = if index == 0 { result.row.name } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {name} | {} | {} | {} | {} |",
                case.label(),
                figures.join(", "),
                goals.join("<br>"),
                outcomes.join("<br>")
            );
        }
    }
    table
}

/// Formats the median of a case and half its spread. `None` if the row does not measure this metric.
fn figure(result: &RowResult, case: usize, metric: Metric) -> Option<String> {
    let values = result.values(case, metric);
    let median = median(values.clone())?;
    let spread = if values.len() > 1 { format!(" ±{:.0} %", spread(&values)? * 50.0) } else { String::new() };
    Some(format!("{} {}{spread}", format_number(median), metric.name()))
}

/// Whether a goal is met.
struct Verdict {
    goal: String,
    /// The median, and whether it meets the goal.
    outcome: String,
    is_met: bool,
}

/// Compares a goal with the figures. `None` if a case of the goal was not measured.
fn judge(result: &RowResult, goal: &Goal) -> Option<Verdict> {
    let ratio = |reference| median(result.ratios(goal.case, reference, goal.metric));
    let label = |case: usize| result.row.cases[case].label();
    let (found, wanted, is_met) = match goal.bound {
        Bound::MinRatio(min, reference) => {
            let found = ratio(reference)?;
            (found, format!("≥ {min} × {}", label(reference)), found >= min)
        }
        Bound::MaxRatio(max, reference) => {
            let found = ratio(reference)?;
            (found, format!("≤ {max} × {}", label(reference)), found <= max)
        }
        Bound::Max(max) => {
            let found = median(result.values(goal.case, goal.metric))?;
            (found, format!("≤ {}", format_number(max)), found <= max)
        }
    };
    let mark = if is_met { "met" } else { "**missed**" };
    Some(Verdict {
        goal: format!("{} {wanted}", goal.metric.name()),
        outcome: format!("{}: {mark}", format_number(found)),
        is_met,
    })
}

/// Formats a number with three significant digits, or as a whole number with commas between thousands.
fn format_number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::{super::rows::ROWS, super::sample::Sample, *};

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.904, 12.34, 123.4, 1_234_567.0].map(format_number), ["0.90", "12.3", "123", "1,234,567"]);
    }

    #[test]
    fn goals_are_judged_by_the_median_of_the_ratios() {
        let row = ROWS.iter().find(|row| row.name == "fan-out").unwrap();
        let mut result = RowResult::new(row);
        for (chat, floor) in [(95.0, 100.0), (10.0, 100.0), (190.0, 200.0)] {
            result.add(&row.cases[0], Sample { rate: Some(chat), ..Sample::default() });
            result.add(&row.cases[1], Sample { rate: Some(floor), ..Sample::default() });
        }
        let table = render(&[result.clone()]);
        assert!(table.contains("deliveries/s ≥ 0.9 × floor × 100 | 0.95: met |"), "{table}");
        assert!(!table.contains("nats"), "a case that was not measured has no verdict: {table}");
        assert_eq!(summary(&result), "fan-out    1 of 1 goals met");
    }
}
