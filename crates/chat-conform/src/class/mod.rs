//! A class: a table of servers in, a table of scores out.

mod page;
mod table;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};

pub use self::{
    page::page,
    table::{Row, csv, read},
};
use crate::{ExpectedFailures, Report, Select, Side, Suite, case::Case, judge_server};

/// So many servers are judged at the same time.
const AT_ONCE: usize = 8;

/// A student, and how their server did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scored {
    /// Their name.
    pub name: String,
    /// Their server.
    pub address: String,
    /// The report, or why there is none.
    pub report: Result<Report, String>,
}

/// Judges every server of the table; the scores come in its order.
pub async fn judge(rows: Vec<Row>, suite: Suite, select: Select, patience: Duration) -> Vec<Scored> {
    let (suite, places) = (Arc::new((suite, select)), Arc::new(Semaphore::new(AT_ONCE)));
    let mut running = JoinSet::new();
    for (index, row) in rows.into_iter().enumerate() {
        let (suite, places) = (Arc::clone(&suite), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            let cases: Vec<&Case> = suite.0.select(Side::Server, &suite.1);
            let report = judge_server(&row.address, &cases, patience, &ExpectedFailures::default(), |_| {}).await;
            let report = report.map_err(|error| error.to_string());
            (index, Scored { name: row.name, address: row.address, report })
        });
    }
    let mut scored = running.join_all().await;
    scored.sort_by_key(|(index, _)| *index);
    scored.into_iter().map(|(_, scored)| scored).collect()
}
