//! Writes all figures as one JSON object.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::sample::{Metric, RowResult};

pub(super) fn write(path: &Path, results: &[RowResult]) -> Result<()> {
    let rows: Vec<_> = results.iter().map(row).collect();
    let text = format!("{:#}\n", json!({ "version": 2, "rows": rows }));
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn row(result: &RowResult) -> Value {
    let cases: Vec<_> = (0..result.row.cases.len()).map(|index| case(result, index)).collect();
    json!({ "name": result.row.name, "what": result.row.description, "cases": cases })
}

fn case(result: &RowResult, index: usize) -> Value {
    let case = &result.row.cases[index];
    let figures: Map<_, _> = Metric::ALL
        .iter()
        .map(|&metric| (metric, result.values(index, metric)))
        .filter(|(_, values)| !values.is_empty())
        .map(|(metric, values)| (metric.name().to_owned(), json!(values)))
        .collect();
    json!({
        "server": case.server.name(),
        "listeners": case.listeners,
        "sleepers": case.sleepers,
        "payload": case.payload,
        "label": case.label(),
        "measured": figures,
    })
}
