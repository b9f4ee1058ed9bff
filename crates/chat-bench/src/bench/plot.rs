//! Draws two plots in one picture: the CPU time per delivery against the number of listeners, and the latency at a steady
//! rate.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::{
    rows::Case,
    sample::{Metric, RowResult, median},
    server_kind::ServerKind,
};

/// Width and height in pixels.
const SIZE: (u32, u32) = (1_000, 420);

/// The servers in the plots, and their colours.
const SERVERS: [(ServerKind, RGBColor); 3] = [
    (ServerKind::Chat, RGBColor(200, 40, 40)),
    (ServerKind::Floor, RGBColor(90, 90, 90)),
    (ServerKind::Nats, RGBColor(40, 90, 200)),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws the rows `growth` and `steady` to an SVG file. Leaves the place of a row empty if it was not measured.
pub(super) fn write(path: &Path, results: &[RowResult]) -> Result<()> {
    draw(path, results).map_err(|error| anyhow!("cannot draw {}: {error}", path.display()))
}

fn draw(path: &Path, results: &[RowResult]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let find = |row| results.iter().find(|result| result.row.name == row);
    if let Some(growth) = find("growth") {
        draw_cpu_time(&left, growth)?;
    }
    if let Some(steady) = find("steady") {
        draw_latency(&right, steady)?;
    }
    area.present()?;
    Ok(())
}

/// Draws one line per server: CPU time per delivery against the number of listeners.
fn draw_cpu_time(area: &Area<'_>, growth: &RowResult) -> Result<(), Box<dyn std::error::Error>> {
    let lines = SERVERS.map(|(server, colour)| (server, colour, cpu_times(growth, server)));
    let points = lines.iter().flat_map(|(.., points)| points);
    let (max_listeners, max_cpu) =
        points.fold((10.0, 1.0), |(x, y): (f64, f64), point| (x.max(point.0), y.max(point.1)));
    let mut chart = ChartBuilder::on(area)
        .caption("CPU time of the server per delivery", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((8.0..max_listeners * 1.25).log_scale(), 0.0..max_cpu * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("listeners")
        .x_label_formatter(&|listeners| format!("{listeners:.0}"))
        .y_desc("ns")
        .y_label_formatter(&|cpu| format!("{cpu:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (server, colour, points) in lines {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(server.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let upper_left = SeriesLabelPosition::UpperLeft;
    chart.configure_series_labels().position(upper_left).background_style(WHITE).border_style(BLACK).draw()?;
    Ok(())
}

/// The median CPU time in ns for each number of listeners. Skips the cases with another payload or number of cores.
fn cpu_times(growth: &RowResult, server: ServerKind) -> Vec<(f64, f64)> {
    let cases = growth.row.cases.iter().enumerate();
    let plain = cases.filter(|(_, case)| **case == Case::new(server, case.listeners));
    plain
        .filter_map(|(index, case)| Some((case.listeners as f64, median(growth.values(index, Metric::Cpu))?)))
        .collect()
}

/// Draws two bars per server: the median and the 99th percentile of the latency.
fn draw_latency(area: &Area<'_>, steady: &RowResult) -> Result<(), Box<dyn std::error::Error>> {
    let latencies: Vec<_> = steady
        .row
        .cases
        .iter()
        .enumerate()
        .filter_map(|(index, case)| {
            let p50 = median(steady.values(index, Metric::P50))?;
            let p99 = median(steady.values(index, Metric::P99))?;
            Some((case.server, p50, p99))
        })
        .collect();
    let max_latency = latencies.iter().map(|(.., p99)| *p99).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("Latency at 1,000 messages per second to 100 listeners", ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..latencies.len() as f64, 0.0..max_latency * 1.1)?;
    // Server `n` has the range from n to n + 1. Its name stands below the middle.
    let name = |x: &f64| {
        let is_middle = (x.fract() - 0.5).abs() < 0.01;
        latencies.get(*x as usize).filter(|_| is_middle).map_or_else(String::new, |(server, ..)| server.to_string())
    };
    chart
        .configure_mesh()
        .x_labels(latencies.len() * 2 + 1)
        .x_label_formatter(&name)
        .disable_x_mesh()
        .y_desc("µs: p50 dark, p99 light")
        .y_label_formatter(&|latency| format!("{latency:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (n, (server, p50, p99)) in latencies.iter().enumerate() {
        let colour = SERVERS.iter().find(|(known, _)| known == server).map_or(BLACK, |(_, colour)| *colour);
        let (left, middle, right) = (n as f64 + 0.2, n as f64 + 0.5, n as f64 + 0.8);
        chart.draw_series([
            Rectangle::new([(left, 0.0), (middle, *p50)], colour.filled()),
            Rectangle::new([(middle, 0.0), (right, *p99)], colour.mix(0.4).filled()),
        ])?;
    }
    Ok(())
}
