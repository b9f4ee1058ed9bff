//! A bot that repeats what others say: `cargo run --example echo -- localhost:2222`.

use chat_client::{Event, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "localhost".to_owned());
    let (client, mut events) = connect(&server).await?.log_in("echo".parse()?).await?;
    while let Some(event) = events.next().await {
        match event {
            // The receipt is not needed: a refused message is an event.
            Event::Message { text, .. } if text.as_str() == "stop" => {
                client.close().await?;
            }
            Event::Message { text, .. } => drop(client.queue(text).await?),
            _ => {}
        }
    }
    Ok(())
}
