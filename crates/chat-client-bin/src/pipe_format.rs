//! How a conversation in a pipe looks: lines of text or JSON on stdout, and status lines on stderr.

use chat_client::{
    Name, SessionEvent,
    conversation::{Line, Lines, render, render_session},
};

use crate::{
    Args,
    json::{self, Record},
    open_failure,
};

/// Shows an event of the sessions.
pub(crate) fn show(args: &Args, event: &SessionEvent, lines: &mut Lines) {
    if args.json
        && let Some(line) = json_line(args, event)
    {
        lines.data(&line);
    }
    match event {
        SessionEvent::Event(_) if args.json => {}
        SessionEvent::Event(event) => match (render(event), &args.pipe_time) {
            (Some(Line::Data(line)), Some(format)) => lines.data(&with_time(format, &line)),
            (Some(Line::Data(line)), None) => lines.data(&line),
            (Some(Line::Status(line)), _) => lines.status(&line),
            _ => {}
        },
        SessionEvent::Connected { client, gap: None, .. } => {
            let server = &args.server;
            lines.status(&match client.name() {
                Some(name) => format!("connected to {server} as {name}"),
                None => format!("connected to {server} as a guest; --name NAME sets a name"),
            });
        }
        SessionEvent::Failed { error, retry_in: Some(delay), .. } => {
            let message = if error.is_name_refused() {
                format!("{error}: the server may still hold it for the lost session")
            } else {
                open_failure::explain(error, &args.server).1
            };
            lines.status(&format!("{message}; next attempt in {:.1} s", delay.as_secs_f32()));
        }
        // The last failure is printed when the program ends.
        SessionEvent::Failed { .. } => {}
        event => render_session(event, lines),
    }
}

fn json_line(args: &Args, event: &SessionEvent) -> Option<String> {
    match event {
        SessionEvent::Event(event) => json::event(event),
        SessionEvent::Connected { client, gap, .. } => {
            let (server, name) = (args.server.to_string(), client.name());
            let gap = gap.map(|gap| (gap.as_secs_f64() * 1000.0).round() / 1000.0);
            let name = name.as_ref().map(Name::as_str);
            Some(json::line(&Record::Connected { server: &server, name, gap }))
        }
        SessionEvent::Lost { reason, .. } => Some(json::closed(reason)),
        _ => None,
    }
}

/// A line with the time before it. The line alone if the formatted time is empty, or if formatting fails.
fn with_time(format: &str, line: &str) -> String {
    match jiff::fmt::strtime::format(format, &jiff::Zoned::now()) {
        Ok(time) if !time.is_empty() => format!("{} {line}", chat_client::escape(&time)),
        _ => line.to_owned(),
    }
}
