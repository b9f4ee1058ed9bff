//! Good clients. Talkers send messages at a steady rate. Talkers and listeners check that they receive the messages of
//! each talker in order and without a gap.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    sync::{
        Barrier,
        mpsc::{self, Receiver, Sender},
    },
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{
    Progress,
    peer::{Peer, Reader, Writer},
};

const TALKERS: usize = 4;
const LISTENERS: usize = 4;
/// Interval at which a talker sends messages.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(20);
/// Characters per message. Messages are long, so that the buffers of a client that does not read soon fill up.
const MESSAGE_LENGTH: usize = 1_500;
/// The text of the last message of each talker.
const LAST_TEXT: &str = "end";

/// Starts the clients. They end when the run is over and they have received all messages.
pub(super) fn start(clients: &mut JoinSet<Result<()>>, progress: &Arc<Progress>, address: SocketAddr) {
    let all_joined = Arc::new(Barrier::new(TALKERS + LISTENERS));
    for n in 0..TALKERS + LISTENERS {
        let (progress, all_joined) = (Arc::clone(progress), Arc::clone(&all_joined));
        clients.spawn(async move {
            let talker = (n < TALKERS).then_some(n);
            let name = if talker.is_some() { format!("talker{n}") } else { format!("listener{n}") };
            let Peer { reader, mut writer } = Peer::join(address, &name).await?;
            // A client that joins later would miss the first messages.
            all_joined.wait().await;
            let (ping, mut pings) = mpsc::channel(8);
            // The number of messages that the client has sent. A talker stores it when it has finished.
            let sent = AtomicU64::new(if talker.is_some() { u64::MAX } else { 0 });
            let receiving = receive(reader, &progress, talker, &sent, ping);
            let sending = async {
                if let Some(talker) = talker {
                    talk(&mut writer, &progress, talker, &sent, &mut pings).await?;
                }
                while pings.recv().await.is_some() {
                    writer.send("PONG").await?;
                }
                Ok(())
            };
            tokio::try_join!(receiving, sending).context(name)?;
            writer.send("BYE").await
        });
    }
}

/// Sends messages and answers pings until the run is over. Then stores the number of messages in `sent`.
async fn talk(
    writer: &mut Writer,
    progress: &Progress,
    talker: usize,
    sent: &AtomicU64,
    pings: &mut Receiver<()>,
) -> Result<()> {
    let padding = "x".repeat(MESSAGE_LENGTH);
    let mut clock = interval(MESSAGE_INTERVAL);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    while !progress.is_over.load(Ordering::Relaxed) {
        tokio::select! {
            _ = clock.tick() => {
                writer.send(&format!("MSG {talker} {number} {padding}")).await?;
                number += 1;
            }
            Some(()) = pings.recv() => writer.send("PONG").await?,
        }
    }
    sent.store(number + 1, Ordering::Relaxed);
    writer.send(&format!("MSG {talker} {number} {LAST_TEXT}")).await
}

/// Receives until all other talkers have sent their last message and all `sent` messages of this client are
/// acknowledged.
async fn receive(
    mut reader: Reader,
    progress: &Progress,
    talker: Option<usize>,
    sent: &AtomicU64,
    ping: Sender<()>,
) -> Result<()> {
    let mut next_numbers: HashMap<usize, u64> = HashMap::new();
    let (mut finished_talkers, mut acknowledged) = (0, 0);
    let other_talkers = TALKERS - usize::from(talker.is_some());
    while finished_talkers < other_talkers || acknowledged != sent.load(Ordering::Relaxed) {
        let line = reader.line().await?;
        match line {
            "" => bail!("the server has closed the connection"),
            "OK" => acknowledged += 1,
            // If the queue is full, the client is about to send PONG anyway.
            "PING" => drop(ping.try_send(())),
            _ => {
                let Some((sender, number, text)) = parse_message(line) else { continue };
                let expected = next_numbers.entry(sender).or_default();
                if number != *expected {
                    bail!("received message {number} of talker{sender} instead of {expected}");
                }
                *expected += 1;
                finished_talkers += usize::from(text == LAST_TEXT);
                progress.checked.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// Parses the message of a talker. Returns the number of the talker, the number of the message, and the text. `None`:
/// another line.
fn parse_message(line: &str) -> Option<(usize, u64, &str)> {
    let (name, text) = line.strip_prefix("FROM ")?.split_once(" MSG ")?;
    let mut words = name.strip_prefix("talker").and(Some(text))?.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_talkers_are_parsed() {
        assert_eq!(parse_message("FROM talker1 MSG 1 7 xxx"), Some((1, 7, "xxx")));
        assert_eq!(parse_message("FROM visitor1 MSG 1 7 xxx"), None);
        assert_eq!(parse_message("JOIN talker1"), None);
    }
}
