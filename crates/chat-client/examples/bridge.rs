//! Copies messages between the rooms of two servers: `cargo run --example bridge -- HERE THERE`.
//!
//! Each side reconnects when its connection is lost. Messages from the other side are then dropped, and an error says
//! so.

#![allow(clippy::print_stderr, reason = "a program of its own")]

use chat_client::{Event, Reconnecting, Redial, SessionEvent, Text};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut servers = std::env::args().skip(1);
    let mut side = |server: &str| -> Result<_, Box<dyn std::error::Error>> {
        let server = servers.next().unwrap_or_else(|| server.to_owned());
        Ok(Reconnecting::new(Redial::to(server.parse()?).name(Some("bridge".parse()?))))
    };
    let (mut here, mut there) = (side("localhost:2222")?, side("localhost:2223")?);
    loop {
        let carried = tokio::select! {
            Some(event) = here.next() => carry(event, &there),
            Some(event) = there.next() => carry(event, &here),
            else => return Ok(()),
        };
        if let Err(why) = carried {
            eprintln!("not carried over: {why}");
        }
    }
}

fn carry(event: SessionEvent, to: &Reconnecting) -> Result<(), Box<dyn std::error::Error>> {
    match event {
        SessionEvent::Event(Event::Message { from, text, .. }) => {
            let text = Text::new(format!("{from}: {text}"))?;
            // Do not wait, neither for room nor for the receipt: that would block both rooms.
            drop(to.client().ok_or("the other side is away")?.try_queue(text)?);
        }
        SessionEvent::Connected { .. } => eprintln!("connected"),
        SessionEvent::Lost { reason, .. } => eprintln!("lost: {reason}"),
        SessionEvent::Failed { error, retry_in, .. } => eprintln!("no connection: {error}; again in {retry_in:?}"),
        _ => {}
    }
    Ok(())
}
