//! What was measured, and its medians.

use super::rows::{Case, Row};

/// One measurement of one server. What its row does not measure is `None`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Sample {
    /// Deliveries a second.
    pub(super) rate: Option<f64>,
    /// CPU time of the server for each delivery, or for each visit, in nanoseconds.
    pub(super) cpu: Option<f64>,
    /// Median of the time from sending to receiving, in microseconds.
    pub(super) p50: Option<f64>,
    /// The 99th percentile of the same.
    pub(super) p99: Option<f64>,
    /// Resident bytes for each client.
    pub(super) memory: Option<f64>,
    /// Duration of the whole, in seconds.
    pub(super) seconds: Option<f64>,
}

/// What a goal is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Metric {
    Rate,
    Cpu,
    P50,
    P99,
    Memory,
    Seconds,
}

impl Metric {
    pub(super) fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Rate => sample.rate,
            Self::Cpu => sample.cpu,
            Self::P50 => sample.p50,
            Self::P99 => sample.p99,
            Self::Memory => sample.memory,
            Self::Seconds => sample.seconds,
        }
    }

    /// Its name and unit, in tables and as a key in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "deliveries/s",
            Self::Cpu => "ns of CPU each",
            Self::P50 => "p50 µs",
            Self::P99 => "p99 µs",
            Self::Memory => "bytes a client",
            Self::Seconds => "s in all",
        }
    }

    pub(super) const ALL: [Self; 6] = [Self::Rate, Self::Cpu, Self::P50, Self::P99, Self::Memory, Self::Seconds];
}

/// All measurements of a row: for each of its cases, one for each round.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) row: &'static Row,
    samples: Vec<Vec<Sample>>,
}

impl Measured {
    pub(super) fn new(row: &'static Row) -> Self {
        Self { row, samples: vec![Vec::new(); row.cases.len()] }
    }

    pub(super) fn add(&mut self, case: &Case, sample: Sample) {
        if let Some(at) = self.row.cases.iter().position(|known| known == case) {
            self.samples[at].push(sample);
        }
    }

    /// The figures of a case, round by round.
    pub(super) fn values(&self, case: usize, metric: Metric) -> Vec<f64> {
        self.samples[case].iter().filter_map(|sample| metric.of(sample)).collect()
    }

    /// The ratio of two cases, round by round: both were measured at nearly the same time.
    pub(super) fn ratios(&self, case: usize, to: usize, metric: Metric) -> Vec<f64> {
        let pairs = self.values(case, metric).into_iter().zip(self.values(to, metric));
        pairs.map(|(one, other)| one / other).collect()
    }
}

/// `None` if there are no values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The distance between the largest and the smallest, divided by the median.
pub(super) fn spread(values: &[f64]) -> Option<f64> {
    let most = values.iter().copied().reduce(f64::max)?;
    let least = values.iter().copied().reduce(f64::min)?;
    Some((most - least) / median(values.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(spread(&[1.0, 2.0, 3.0]), Some(1.0));
    }
}
