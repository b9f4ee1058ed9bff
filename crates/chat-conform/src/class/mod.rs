//! Judges the servers of a class: reads a table of servers, and makes a table of scores.

mod history;
mod page;
mod table;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinSet,
};

pub use self::{
    history::History,
    page::page,
    table::{Row, csv, read},
};
use crate::{ExpectedFailures, Report, Select, Side, Suite, case::Case, judge_server};

/// How many servers are judged at the same time.
const MAX_PARALLEL: usize = 8;

/// A student and the report on their server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StudentResult {
    /// The student's name.
    pub name: String,
    /// The address of the student's server.
    pub address: String,
    /// The report, or why the server could not be judged.
    pub report: Result<Report, String>,
}

/// Judges all servers of the table. The results have the order of the rows. Rows with the same address are judged one
/// after the other.
pub async fn judge(rows: Vec<Row>, suite: Suite, select: Select, line_timeout: Duration) -> Vec<StudentResult> {
    let (suite, permits) = (Arc::new((suite, select)), Arc::new(Semaphore::new(MAX_PARALLEL)));
    let mut running = JoinSet::new();
    let mut turns: BTreeMap<Vec<SocketAddr>, Arc<Mutex<()>>> = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        let (suite, permits) = (Arc::clone(&suite), Arc::clone(&permits));
        // A host without an address gets its remark from the judge.
        let addresses = row.address.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        let turn = Arc::clone(turns.entry(addresses).or_default());
        running.spawn(async move {
            let _turn = turn.lock().await;
            let _permit = permits.acquire_owned().await;
            let cases: Vec<&Case> = suite.0.select(Side::Server, &suite.1);
            let report = judge_server(&row.address, &cases, line_timeout, &ExpectedFailures::default(), |_| {}).await;
            let report = report.map_err(|error| error.to_string());
            (index, StudentResult { name: row.name, address: row.address, report })
        });
    }
    let mut results = running.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
