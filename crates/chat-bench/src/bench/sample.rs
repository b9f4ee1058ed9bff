//! Measured figures, and their medians.

use super::rows::{Case, Row};

/// The figures of one measurement. `None`: the row does not measure this figure.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Sample {
    /// Deliveries per second.
    pub(super) rate: Option<f64>,
    /// CPU time of the server in nanoseconds per unit. The unit is a delivery, a received line or a visit, depending on the
    /// work.
    pub(super) cpu: Option<f64>,
    /// Median latency from send to receipt, in microseconds.
    pub(super) p50: Option<f64>,
    /// 99th percentile of the latency, in microseconds.
    pub(super) p99: Option<f64>,
    /// Resident memory per client, in bytes.
    pub(super) memory: Option<f64>,
    /// Duration of the work, in seconds.
    pub(super) seconds: Option<f64>,
}

/// A kind of figure.
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
    /// The figure of this kind in a sample.
    fn value_in(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Rate => sample.rate,
            Self::Cpu => sample.cpu,
            Self::P50 => sample.p50,
            Self::P99 => sample.p99,
            Self::Memory => sample.memory,
            Self::Seconds => sample.seconds,
        }
    }

    /// The name and its unit, for tables and as a key in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "deliveries/s",
            Self::Cpu => "ns of CPU per unit",
            Self::P50 => "p50 µs",
            Self::P99 => "p99 µs",
            Self::Memory => "bytes per client",
            Self::Seconds => "s in total",
        }
    }

    pub(super) const ALL: [Self; 6] = [Self::Rate, Self::Cpu, Self::P50, Self::P99, Self::Memory, Self::Seconds];
}

/// All measurements of a row: one per case and round.
#[derive(Clone, Debug)]
pub(super) struct RowResult {
    pub(super) row: &'static Row,
    samples: Vec<Vec<Sample>>,
}

impl RowResult {
    pub(super) fn new(row: &'static Row) -> Self {
        Self { row, samples: vec![Vec::new(); row.cases.len()] }
    }

    /// Adds the measurement of one round.
    pub(super) fn add(&mut self, case: &Case, sample: Sample) {
        if let Some(index) = self.row.cases.iter().position(|known| known == case) {
            self.samples[index].push(sample);
        }
    }

    /// The figures of a case, round by round.
    pub(super) fn values(&self, case: usize, metric: Metric) -> Vec<f64> {
        self.samples[case].iter().filter_map(|sample| metric.value_in(sample)).collect()
    }

    /// The figures of a case, divided by those of a reference case from the same round.
    pub(super) fn ratios(&self, case: usize, reference: usize, metric: Metric) -> Vec<f64> {
        let pairs = self.values(case, metric).into_iter().zip(self.values(reference, metric));
        pairs.map(|(value, reference)| value / reference).collect()
    }
}

/// The median. `None` if there are no values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The difference between the largest and the smallest value, divided by the median.
pub(super) fn spread(values: &[f64]) -> Option<f64> {
    let largest = values.iter().copied().reduce(f64::max)?;
    let smallest = values.iter().copied().reduce(f64::min)?;
    Some((largest - smallest) / median(values.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(spread(&[1.0, 2.0, 3.0]), Some(1.0));
    }
}
