//! Writes all figures as one JSON object.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::sample::{Measured, Metric};

pub(super) fn write(path: &Path, measured: &[Measured]) -> Result<()> {
    let rows: Vec<_> = measured.iter().map(row).collect();
    let text = format!("{:#}\n", json!({ "version": 1, "rows": rows }));
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn row(measured: &Measured) -> Value {
    let cases: Vec<_> = (0..measured.row.cases.len()).map(|n| case(measured, n)).collect();
    json!({ "name": measured.row.name, "what": measured.row.what, "cases": cases })
}

fn case(measured: &Measured, n: usize) -> Value {
    let case = &measured.row.cases[n];
    let figures: Map<_, _> = Metric::ALL
        .iter()
        .map(|&metric| (metric, measured.values(n, metric)))
        .filter(|(_, values)| !values.is_empty())
        .map(|(metric, values)| (metric.name().to_owned(), json!(values)))
        .collect();
    json!({
        "server": case.kind.name(),
        "listeners": case.listeners,
        "sleepers": case.sleepers,
        "payload": case.payload,
        "label": case.label(),
        "measured": figures,
    })
}
