//! Formats the figures as a table: medians, their spread, and whether goals are met.

use std::fmt::Write;

use super::{
    rows::{Bound, Goal},
    sample::{Measured, Metric, median, spread},
};

/// Summarizes a row in one line, which is printed as soon as the row is measured.
pub(super) fn line(measured: &Measured) -> String {
    let goals: Vec<_> = measured.row.goals.iter().filter_map(|goal| judge(measured, goal)).collect();
    let met = goals.iter().filter(|verdict| verdict.met).count();
    format!("{:<10} {met} of {} goals met", measured.row.name, goals.len())
}

/// Formats all rows as a table in Markdown.
pub(super) fn render(measured: &[Measured]) -> String {
    let mut table = String::from("| work | server | measured (median, spread) | goal | |\n|---|---|---|---|---|\n");
    for row in measured {
        for (n, case) in row.row.cases.iter().enumerate() {
            let figures = Metric::ALL.iter().filter_map(|&metric| figure(row, n, metric)).collect::<Vec<_>>();
            if figures.is_empty() {
                continue;
            }
            let goals = row.row.goals.iter().filter(|goal| goal.case == n);
            let verdicts: Vec<_> = goals.filter_map(|goal| judge(row, goal)).collect();
            let wanted: Vec<_> = verdicts.iter().map(|verdict| verdict.goal.as_str()).collect();
            let got: Vec<_> = verdicts.iter().map(|verdict| verdict.found.as_str()).collect();
            let name = if n == 0 { row.row.name } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {name} | {} | {} | {} | {} |",
                case.label(),
                figures.join(", "),
                wanted.join("<br>"),
                got.join("<br>")
            );
        }
    }
    table
}

fn figure(measured: &Measured, case: usize, metric: Metric) -> Option<String> {
    let values = measured.values(case, metric);
    let middle = median(values.clone())?;
    let spread = if values.len() > 1 { format!(" ±{:.0} %", spread(&values)? * 50.0) } else { String::new() };
    Some(format!("{} {}{spread}", round(middle), metric.name()))
}

/// Whether a goal is met.
struct Verdict {
    goal: String,
    found: String,
    met: bool,
}

/// Compares a goal with the figures. `None` if a case of the goal was not measured.
fn judge(measured: &Measured, goal: &Goal) -> Option<Verdict> {
    let ratio = |to| median(measured.ratios(goal.case, to, goal.metric));
    let to = |case: usize| measured.row.cases[case].label();
    let (metric, found, wanted, met) = match goal.bound {
        Bound::AtLeast(factor, case) => {
            let found = ratio(case)?;
            (goal.metric, found, format!("≥ {factor} × {}", to(case)), found >= factor)
        }
        Bound::AtMost(factor, case) => {
            let found = ratio(case)?;
            (goal.metric, found, format!("≤ {factor} × {}", to(case)), found <= factor)
        }
        Bound::Below(max) => {
            let found = median(measured.values(goal.case, goal.metric))?;
            (goal.metric, found, format!("≤ {}", round(max)), found <= max)
        }
    };
    let mark = if met { "met" } else { "**missed**" };
    Some(Verdict { goal: format!("{} {wanted}", metric.name()), found: format!("{}: {mark}", round(found)), met })
}

/// Formats three significant digits, or whole numbers with commas between thousands.
fn round(value: f64) -> String {
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
        assert_eq!([0.904, 12.34, 123.4, 1_234_567.0].map(round), ["0.90", "12.3", "123", "1,234,567"]);
    }

    #[test]
    fn goals_are_judged_by_the_median_of_the_ratios() {
        let row = ROWS.iter().find(|row| row.name == "fan-out").unwrap();
        let mut measured = Measured::new(row);
        for (ours, floor) in [(95.0, 100.0), (10.0, 100.0), (190.0, 200.0)] {
            measured.add(&row.cases[0], Sample { rate: Some(ours), ..Sample::default() });
            measured.add(&row.cases[1], Sample { rate: Some(floor), ..Sample::default() });
        }
        let table = render(&[measured.clone()]);
        assert!(table.contains("deliveries/s ≥ 0.9 × floor × 100 | 0.95: met |"), "{table}");
        assert!(!table.contains("nats"), "a case that was not measured has no verdict: {table}");
        assert_eq!(line(&measured), "fan-out    1 of 1 goals met");
    }
}
