//! Copies what is said in one server's room to another's, and back: `cargo run --example bridge -- HERE THERE`.
//!
//! Each side comes back when its connection is lost. What is said meanwhile on the other side is dropped, and told so.

#![allow(clippy::print_stderr, reason = "a program of its own")]

use chat_client::{Event, Happening, Reconnecting, Redial, Text};

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
            Some(happening) = here.next() => carry(happening, &there).await,
            Some(happening) = there.next() => carry(happening, &here).await,
            else => return Ok(()),
        };
        if let Err(why) = carried {
            eprintln!("not carried over: {why}");
        }
    }
}

async fn carry(happening: Happening, to: &Reconnecting) -> Result<(), Box<dyn std::error::Error>> {
    match happening {
        Happening::Event(Event::Message { from, text }) => {
            let text = Text::new(format!("{from}: {text}"))?;
            // No receipt is awaited here: that would hold up both rooms.
            drop(to.client().ok_or("the other side is away")?.queue(text).await?);
        }
        Happening::Connected { .. } => eprintln!("connected"),
        Happening::Lost { why, .. } => eprintln!("lost: {why}"),
        Happening::Failed { why, again } => eprintln!("no connection: {why}; again in {again:?}"),
        _ => {}
    }
    Ok(())
}
