//! The rows of the benchmark: what the clients do, the servers to measure, and goals for the figures.

use super::{placement::Cores, sample::Metric, server_kind::ServerKind};

/// What the clients do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Work {
    /// The speakers keep `in_flight` messages in flight.
    Talk { speakers: Speakers, in_flight: u64 },
    /// One client sends at a fixed rate.
    Steady { per_second: u32 },
    /// The clients join, and send nothing.
    Idle,
    /// All clients log in at the same time.
    Arrive,
    /// Clients connect, log in and leave. `concurrent` clients do so at the same time.
    Churn { concurrent: usize },
}

/// The clients that send messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Speakers {
    /// One client sends to all others.
    One,
    /// Every client sends.
    All,
}

/// One server under one load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Case {
    pub(super) server: ServerKind,
    pub(super) cores: Cores,
    /// Number of clients that receive each message. If the work has no messages: number of clients.
    pub(super) listeners: usize,
    /// Number of additional clients that read nothing.
    pub(super) sleepers: usize,
    /// Bytes per message.
    pub(super) payload: usize,
}

impl Case {
    pub(super) const fn new(server: ServerKind, listeners: usize) -> Self {
        Self { server, cores: Cores::One, listeners, sleepers: 0, payload: 64 }
    }

    const fn payload(self, payload: usize) -> Self {
        Self { payload, ..self }
    }

    const fn sleepers(self, sleepers: usize) -> Self {
        Self { sleepers, ..self }
    }

    const fn two_cores(self) -> Self {
        Self { cores: Cores::Two, ..self }
    }

    /// A short description for tables.
    pub(super) fn label(&self) -> String {
        let sleepers = if self.sleepers > 0 { format!(" + {} sleepers", self.sleepers) } else { String::new() };
        let payload = if self.payload == 64 { String::new() } else { format!(", {} B", self.payload) };
        let cores = if self.cores == Cores::Two { ", 2 cores" } else { "" };
        format!("{} × {}{sleepers}{payload}{cores}", self.server, self.listeners)
    }
}

/// A bound that a figure should meet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Goal {
    pub(super) metric: Metric,
    /// Index of the case whose figure should meet the bound.
    pub(super) case: usize,
    pub(super) bound: Bound,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Bound {
    /// Minimum ratio to the figure of the case with this index.
    MinRatio(f64, usize),
    /// Maximum ratio to the figure of the case with this index.
    MaxRatio(f64, usize),
    /// Maximum value, in the unit of the metric.
    Max(f64),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) work: Work,
    pub(super) cases: &'static [Case],
    pub(super) goals: &'static [Goal],
    /// Number of measurements of each case in a full run.
    pub(super) rounds: usize,
}

/// A goal of the first case: the minimum ratio of its figure to that of the case `reference`.
const fn min_ratio(metric: Metric, ratio: f64, reference: usize) -> Goal {
    Goal { metric, case: 0, bound: Bound::MinRatio(ratio, reference) }
}

/// A goal of the first case: the maximum ratio of its figure to that of the case `reference`.
const fn max_ratio(metric: Metric, ratio: f64, reference: usize) -> Goal {
    Goal { metric, case: 0, bound: Bound::MaxRatio(ratio, reference) }
}

/// A goal of the first case: the maximum of its figure.
const fn max(metric: Metric, max: f64) -> Goal {
    Goal { metric, case: 0, bound: Bound::Max(max) }
}

const CHAT: ServerKind = ServerKind::Chat;
const FLOOR: ServerKind = ServerKind::Floor;
const NATS: ServerKind = ServerKind::Nats;
const REDIS: ServerKind = ServerKind::Redis;
const NGIRCD: ServerKind = ServerKind::Ngircd;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "fan-out",
        description: "1 speaker, 100 listeners, 256 messages in flight",
        work: Work::Talk { speakers: Speakers::One, in_flight: 256 },
        cases: &[
            Case::new(CHAT, 100),
            Case::new(FLOOR, 100),
            Case::new(NATS, 100),
            Case::new(REDIS, 100),
            Case::new(NGIRCD, 100),
        ],
        goals: &[min_ratio(Metric::Rate, 0.9, 1), min_ratio(Metric::Rate, 4.0, 2), min_ratio(Metric::Rate, 3.0, 3)],
        rounds: 5,
    },
    Row {
        name: "wide",
        description: "1 speaker, 1,000 listeners, 64 messages in flight",
        work: Work::Talk { speakers: Speakers::One, in_flight: 64 },
        cases: &[Case::new(CHAT, 1_000), Case::new(FLOOR, 1_000), Case::new(NATS, 1_000)],
        goals: &[min_ratio(Metric::Rate, 0.75, 1), min_ratio(Metric::Rate, 3.0, 2)],
        rounds: 5,
    },
    Row {
        name: "room",
        description: "100 clients that all send and receive, 256 messages in flight",
        work: Work::Talk { speakers: Speakers::All, in_flight: 256 },
        cases: &[Case::new(CHAT, 99), Case::new(NATS, 99), Case::new(FLOOR, 99), Case::new(NGIRCD, 99)],
        goals: &[min_ratio(Metric::Rate, 6.0, 1)],
        rounds: 5,
    },
    Row {
        name: "ping-pong",
        description: "1 speaker, 100 listeners, 1 message in flight: one system call per delivery",
        work: Work::Talk { speakers: Speakers::One, in_flight: 1 },
        cases: &[Case::new(CHAT, 100), Case::new(FLOOR, 100), Case::new(NATS, 100)],
        goals: &[max_ratio(Metric::Cpu, 1.1, 1), max_ratio(Metric::Cpu, 0.65, 2)],
        rounds: 5,
    },
    Row {
        name: "steady",
        description: "1,000 messages per second to 100 listeners",
        work: Work::Steady { per_second: 1_000 },
        cases: &[Case::new(CHAT, 100), Case::new(FLOOR, 100), Case::new(NATS, 100)],
        goals: &[max_ratio(Metric::P50, 1.1, 1), max_ratio(Metric::P99, 1.1, 1), max_ratio(Metric::Cpu, 0.65, 2)],
        rounds: 5,
    },
    Row {
        name: "idle",
        description: "5,000 named clients that have joined and send nothing",
        work: Work::Idle,
        cases: &[Case::new(CHAT, 5_000), Case::new(NATS, 5_000), Case::new(REDIS, 5_000)],
        goals: &[max(Metric::Memory, 3_072.0)],
        rounds: 1,
    },
    Row {
        name: "arrivals",
        description: "5,000 clients join at the same time: 12.5 million JOIN lines",
        work: Work::Arrive,
        cases: &[Case::new(CHAT, 5_000)],
        goals: &[max(Metric::Seconds, 1.5)],
        rounds: 5,
    },
    Row {
        name: "churn",
        description: "64 clients at a time connect, log in and leave",
        work: Work::Churn { concurrent: 64 },
        cases: &[Case::new(CHAT, 64), Case::new(NATS, 64)],
        goals: &[max_ratio(Metric::Cpu, 0.6, 1)],
        rounds: 5,
    },
    Row {
        name: "growth",
        description: "1 speaker, 64 messages in flight: 10 to 10,000 listeners, other payloads, two cores",
        work: Work::Talk { speakers: Speakers::One, in_flight: 64 },
        cases: &[
            Case::new(CHAT, 10),
            Case::new(CHAT, 100),
            Case::new(CHAT, 1_000),
            Case::new(CHAT, 10_000),
            Case::new(FLOOR, 10),
            Case::new(FLOOR, 100),
            Case::new(FLOOR, 1_000),
            Case::new(FLOOR, 10_000),
            Case::new(NATS, 10),
            Case::new(NATS, 100),
            Case::new(NATS, 1_000),
            Case::new(NATS, 10_000),
            Case::new(CHAT, 100).payload(16),
            Case::new(CHAT, 100).payload(1_024),
            Case::new(CHAT, 100).payload(8_000),
            Case::new(CHAT, 100).two_cores(),
        ],
        goals: &[
            Goal { metric: Metric::Cpu, case: 2, bound: Bound::MaxRatio(1.0, 0) },
            Goal { metric: Metric::Rate, case: 15, bound: Bound::MinRatio(1.6, 1) },
        ],
        rounds: 3,
    },
    Row {
        name: "slow-half",
        description: "1 speaker, 50 listeners, 256 messages in flight, with and without 50 clients that read nothing",
        work: Work::Talk { speakers: Speakers::One, in_flight: 256 },
        cases: &[Case::new(CHAT, 50).sleepers(50), Case::new(CHAT, 50)],
        goals: &[min_ratio(Metric::Rate, 0.8, 1)],
        rounds: 5,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_refer_to_cases_of_their_row() {
        for row in ROWS {
            for goal in row.goals {
                let reference = match goal.bound {
                    Bound::MinRatio(_, reference) | Bound::MaxRatio(_, reference) => reference,
                    Bound::Max(_) => 0,
                };
                assert!(reference < row.cases.len() && goal.case < row.cases.len(), "{}", row.name);
            }
        }
    }
}
