//! Logs the records of a shutdown.

use chat_server::{Ending, Report, Stats};
use tracing::info;

/// Logs the outcome of the shutdown, and the totals since the start.
pub(super) fn stopped(report: &Report, stats: &Stats) {
    for (reason, connections) in &stats.ended {
        info!(%reason, connections, "connections ended");
    }
    let [left, refused, cut] = [Ending::Left, Ending::Refused, Ending::Cut].map(|ending| stats.ended_as(ending));
    info!(
        drained = report.drained,
        undrained = report.cut,
        connections = stats.connections,
        clients = stats.clients,
        tasks = stats.tasks,
        messages = stats.messages,
        deliveries = stats.deliveries,
        left,
        refused,
        cut,
        "stopped"
    );
}
