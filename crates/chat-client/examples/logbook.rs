//! Writes what is said to stdout, one line each: `cargo run --example logbook -- SERVER`.
//!
//! It marks the gaps: what is said while the connection is lost is missing.

use std::{error::Error, io::Write};

use chat_client::{
    Reconnecting, Redial, SessionEvent,
    conversation::{Line, render},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "localhost".to_owned());
    let mut room = Reconnecting::new(Redial::to(server.parse()?).name(Some("logbook".parse()?)));
    let mut book = std::io::stdout();
    while let Some(event) = room.next().await {
        match event {
            SessionEvent::Event(event) => {
                if let Some(Line::Data(line)) = render(&event) {
                    writeln!(book, "{line}")?;
                }
            }
            SessionEvent::Connected { gap: Some(gap), .. } => writeln!(book, "# {} s are missing here", gap.as_secs())?,
            SessionEvent::Failed { error, retry_in: None, .. } => return Err(error.into()),
            _ => {}
        }
        book.flush()?;
    }
    Ok(())
}
