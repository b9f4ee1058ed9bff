//! Writes the conversation to stdout, one line per event: `cargo run --example logbook -- SERVER`.
//!
//! It marks the gaps: messages sent while the connection was lost are missing.

use std::{error::Error, io::Write};

use chat_client::{
    Reconnecting, Redial, SessionEvent,
    conversation::{Line, render},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "localhost".to_owned());
    let mut sessions = Reconnecting::new(Redial::to(server.parse()?).name(Some("logbook".parse()?)));
    let mut book = std::io::stdout();
    while let Some(event) = sessions.next().await {
        match event {
            SessionEvent::Event(event) => {
                if let Some(Line::Data(line)) = render(&event) {
                    writeln!(book, "{line}")?;
                }
            }
            SessionEvent::Connected { gap: Some(gap), .. } => {
                writeln!(book, "# nothing was received for {} s", gap.as_secs())?
            }
            SessionEvent::Failed { error, retry_in: None, .. } => return Err(error.into()),
            _ => {}
        }
        book.flush()?;
    }
    Ok(())
}
