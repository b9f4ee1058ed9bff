//! The rows of the benchmark. Each row has a kind of work, the servers that do it, and goals.

use super::{kind::Kind, placement::Cores, sample::Metric};

/// What the clients do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Work {
    /// The speakers send whenever fewer than `in_flight` messages are in flight.
    Talk { speakers: Speakers, in_flight: u64 },
    /// One client sends at this rate.
    Steady { per_second: u32 },
    /// The clients join one by one, and send nothing.
    Idle,
    /// The clients all join at once.
    Arrive,
    /// The clients connect, log in and leave, `at_once` of them at a time.
    Churn { at_once: usize },
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
    pub(super) kind: Kind,
    pub(super) cores: Cores,
    /// Number of clients that receive each message. For work without messages, the number of clients.
    pub(super) listeners: usize,
    /// Number of further clients, which read nothing.
    pub(super) sleepers: usize,
    /// Bytes per message.
    pub(super) payload: usize,
}

impl Case {
    pub(super) const fn new(kind: Kind, listeners: usize) -> Self {
        Self { kind, cores: Cores::One, listeners, sleepers: 0, payload: 64 }
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
        format!("{} × {}{sleepers}{payload}{cores}", self.kind, self.listeners)
    }
}

/// A bound that a figure should meet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Goal {
    pub(super) metric: Metric,
    /// The index in the row of the case that should meet the bound.
    pub(super) case: usize,
    pub(super) bound: Bound,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Bound {
    /// At least this factor times the figure of the case with this index.
    AtLeast(f64, usize),
    /// At most this factor times the figure of the case with this index.
    AtMost(f64, usize),
    /// At most this value, in the unit of the metric.
    Below(f64),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) work: Work,
    pub(super) cases: &'static [Case],
    pub(super) goals: &'static [Goal],
    /// How often a full run measures each case.
    pub(super) rounds: usize,
}

/// The first case of the row reaches at least `factor` times the figure of the case `other`.
const fn at_least(metric: Metric, factor: f64, other: usize) -> Goal {
    Goal { metric, case: 0, bound: Bound::AtLeast(factor, other) }
}

/// The first case of the row stays within `factor` times the figure of the case `other`.
const fn at_most(metric: Metric, factor: f64, other: usize) -> Goal {
    Goal { metric, case: 0, bound: Bound::AtMost(factor, other) }
}

/// The first case of the row stays within `max`.
const fn below(metric: Metric, max: f64) -> Goal {
    Goal { metric, case: 0, bound: Bound::Below(max) }
}

const CHAT: Kind = Kind::Chat;
const FLOOR: Kind = Kind::Floor;
const NATS: Kind = Kind::Nats;
const REDIS: Kind = Kind::Redis;
const NGIRCD: Kind = Kind::Ngircd;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "fan-out",
        what: "1 speaker, 100 listeners, 256 messages in flight",
        work: Work::Talk { speakers: Speakers::One, in_flight: 256 },
        cases: &[
            Case::new(CHAT, 100),
            Case::new(FLOOR, 100),
            Case::new(NATS, 100),
            Case::new(REDIS, 100),
            Case::new(NGIRCD, 100),
        ],
        goals: &[at_least(Metric::Rate, 0.9, 1), at_least(Metric::Rate, 4.0, 2), at_least(Metric::Rate, 3.0, 3)],
        rounds: 5,
    },
    Row {
        name: "wide",
        what: "1 speaker, 1,000 listeners, 64 messages in flight",
        work: Work::Talk { speakers: Speakers::One, in_flight: 64 },
        cases: &[Case::new(CHAT, 1_000), Case::new(FLOOR, 1_000), Case::new(NATS, 1_000)],
        goals: &[at_least(Metric::Rate, 0.75, 1), at_least(Metric::Rate, 3.0, 2)],
        rounds: 5,
    },
    Row {
        name: "room",
        what: "100 clients that all send and receive, 256 messages in flight in all",
        work: Work::Talk { speakers: Speakers::All, in_flight: 256 },
        cases: &[Case::new(CHAT, 99), Case::new(NATS, 99), Case::new(FLOOR, 99), Case::new(NGIRCD, 99)],
        goals: &[at_least(Metric::Rate, 6.0, 1)],
        rounds: 5,
    },
    Row {
        name: "ping-pong",
        what: "1 speaker, 100 listeners, 1 message in flight: a system call for every delivery",
        work: Work::Talk { speakers: Speakers::One, in_flight: 1 },
        cases: &[Case::new(CHAT, 100), Case::new(FLOOR, 100), Case::new(NATS, 100)],
        goals: &[at_most(Metric::Cpu, 1.1, 1), at_most(Metric::Cpu, 0.65, 2)],
        rounds: 5,
    },
    Row {
        name: "steady",
        what: "1,000 messages per second to 100 listeners",
        work: Work::Steady { per_second: 1_000 },
        cases: &[Case::new(CHAT, 100), Case::new(FLOOR, 100), Case::new(NATS, 100)],
        goals: &[at_most(Metric::P50, 1.1, 1), at_most(Metric::P99, 1.1, 1), at_most(Metric::Cpu, 0.65, 2)],
        rounds: 5,
    },
    Row {
        name: "idle",
        what: "5,000 named clients that have joined and send nothing",
        work: Work::Idle,
        cases: &[Case::new(CHAT, 5_000), Case::new(NATS, 5_000), Case::new(REDIS, 5_000)],
        goals: &[below(Metric::Memory, 3_072.0)],
        rounds: 1,
    },
    Row {
        name: "arrivals",
        what: "5,000 clients join one room at once: 12.5 million JOIN lines",
        work: Work::Arrive,
        cases: &[Case::new(CHAT, 5_000)],
        goals: &[below(Metric::Seconds, 1.5)],
        rounds: 5,
    },
    Row {
        name: "churn",
        what: "connect, log in, leave; 64 at a time",
        work: Work::Churn { at_once: 64 },
        cases: &[Case::new(CHAT, 64), Case::new(NATS, 64)],
        goals: &[at_most(Metric::Cpu, 0.6, 1)],
        rounds: 5,
    },
    Row {
        name: "growth",
        what: "1 speaker, 64 messages in flight: 10 to 10,000 listeners, other payloads, or two cores",
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
            Goal { metric: Metric::Cpu, case: 2, bound: Bound::AtMost(1.0, 0) },
            Goal { metric: Metric::Rate, case: 15, bound: Bound::AtLeast(1.6, 1) },
        ],
        rounds: 3,
    },
    Row {
        name: "slow-half",
        what: "fan-out to 50 listeners, with and without 50 sleepers that read nothing",
        work: Work::Talk { speakers: Speakers::One, in_flight: 256 },
        cases: &[Case::new(CHAT, 50).sleepers(50), Case::new(CHAT, 50)],
        goals: &[at_least(Metric::Rate, 0.8, 1)],
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
                let other = match goal.bound {
                    Bound::AtLeast(_, other) | Bound::AtMost(_, other) => other,
                    Bound::Below(_) => 0,
                };
                assert!(other < row.cases.len() && goal.case < row.cases.len(), "{}", row.name);
            }
        }
    }
}
