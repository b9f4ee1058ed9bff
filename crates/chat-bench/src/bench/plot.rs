//! Draws two plots in one picture: the cost of a delivery against the number of listeners, and the latency at a steady
//! rate.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::{
    kind::Kind,
    rows::Case,
    sample::{Measured, Metric, median},
};

const SIZE: (u32, u32) = (1_000, 420);
const KINDS: [(Kind, RGBColor); 3] =
    [(Kind::Chat, RGBColor(200, 40, 40)), (Kind::Floor, RGBColor(90, 90, 90)), (Kind::Nats, RGBColor(40, 90, 200))];

pub(super) fn write(path: &Path, measured: &[Measured]) -> Result<()> {
    draw(path, measured).map_err(|error| anyhow!("cannot draw {}: {error}", path.display()))
}

fn draw(path: &Path, measured: &[Measured]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    if let Some(growth) = measured.iter().find(|measured| measured.row.name == "growth") {
        draw_cost(&left, growth)?;
    }
    if let Some(steady) = measured.iter().find(|measured| measured.row.name == "steady") {
        draw_latency(&right, steady)?;
    }
    area.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws the CPU time of the server per delivery, against the number of listeners.
fn draw_cost(area: &Area<'_>, growth: &Measured) -> Result<(), Box<dyn std::error::Error>> {
    let points = |kind: Kind| -> Vec<(f64, f64)> {
        // Leaves out cases that differ in anything else.
        let is_comparable = |case: &Case| *case == Case::new(kind, case.listeners);
        let cases = growth.row.cases.iter().enumerate().filter(|(_, case)| is_comparable(case));
        let cost = |n| median(growth.values(n, Metric::Cpu));
        cases.filter_map(|(n, case)| Some((case.listeners as f64, cost(n)?))).collect()
    };
    let all: Vec<_> = KINDS.iter().flat_map(|(kind, _)| points(*kind)).collect();
    let highest = all.iter().map(|point| point.1).fold(1.0, f64::max);
    let most_listeners = all.iter().map(|point| point.0).fold(10.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("CPU time of the server per delivery", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((8.0..most_listeners * 1.25).log_scale(), 0.0..highest * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("listeners")
        .x_label_formatter(&|listeners| format!("{listeners:.0}"))
        .y_desc("ns")
        .y_label_formatter(&|cost| format!("{cost:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (kind, colour) in KINDS {
        let points = points(kind);
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let upper_left = SeriesLabelPosition::UpperLeft;
    chart.configure_series_labels().position(upper_left).background_style(WHITE).border_style(BLACK).draw()?;
    Ok(())
}

/// Draws the median and the 99th percentile of the latency, side by side.
fn draw_latency(area: &Area<'_>, steady: &Measured) -> Result<(), Box<dyn std::error::Error>> {
    let bars: Vec<_> = steady
        .row
        .cases
        .iter()
        .enumerate()
        .filter_map(|(n, case)| {
            let p50 = median(steady.values(n, Metric::P50))?;
            let p99 = median(steady.values(n, Metric::P99))?;
            Some((case.kind, p50, p99))
        })
        .collect();
    let highest = bars.iter().map(|bar| bar.2).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("Latency at 1,000 messages per second to 100 listeners", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..bars.len() as f64, 0.0..highest * 1.1)?;
    let name = |x: &f64| {
        bars.get(*x as usize)
            .filter(|_| (x.fract() - 0.5).abs() < 0.01)
            .map_or_else(String::new, |bar| bar.0.to_string())
    };
    chart
        .configure_mesh()
        .x_labels(bars.len() * 2 + 1)
        .x_label_formatter(&name)
        .disable_x_mesh()
        .y_desc("µs: p50 dark, p99 light")
        .y_label_formatter(&|latency| format!("{latency:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (n, (kind, p50, p99)) in bars.iter().enumerate() {
        let colour = KINDS.iter().find(|(known, _)| known == kind).map_or(BLACK, |(_, colour)| *colour);
        let left = n as f64 + 0.2;
        let bar = |from: f64, to: f64, height: f64| Rectangle::new([(from, 0.0), (to, height)], colour.filled());
        chart.draw_series([bar(left, left + 0.3, *p50)])?;
        chart.draw_series([Rectangle::new([(left + 0.3, 0.0), (left + 0.6, *p99)], colour.mix(0.4).filled())])?;
    }
    Ok(())
}
