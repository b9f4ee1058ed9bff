//! Writes down what is said, a line each, to standard output: `cargo run --example logbook -- SERVER`.
//!
//! A hole in the book is marked as one: what is said while the connection is lost cannot be had again.

use std::{error::Error, io::Write};

use chat_client::{
    Happening, Reconnecting, Redial,
    conversation::{Line, render},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "localhost".to_owned());
    let mut room = Reconnecting::new(Redial::to(server.parse()?).name(Some("logbook".parse()?)));
    let mut book = std::io::stdout();
    while let Some(happening) = room.next().await {
        match happening {
            Happening::Event(event) => {
                if let Some(Line::Data(line)) = render(&event) {
                    writeln!(book, "{line}")?;
                }
            }
            Happening::Connected { gap: Some(gap), .. } => writeln!(book, "# {} s are missing here", gap.as_secs())?,
            Happening::Failed { why, again: None } => return Err(why.into()),
            _ => {}
        }
        book.flush()?;
    }
    Ok(())
}
