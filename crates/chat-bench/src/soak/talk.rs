//! Clients that talk steadily. Each client checks that it receives the messages of each talker in order and without a
//! gap.

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
    Load,
    peer::{Peer, Reader, Writer},
};

const TALKERS: usize = 4;
/// Clients that only listen.
const LISTENERS: usize = 4;
/// Time between two messages of a talker.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(20);
/// Characters per message. Messages are long, so that the buffers of a client that does not read fill soon.
const MESSAGE_LENGTH: usize = 1_500;

/// Starts the clients. They end when the time is over and each has received all messages.
pub(super) fn start(clients: &mut JoinSet<Result<()>>, load: &Arc<Load>, address: SocketAddr) {
    let all_joined = Arc::new(Barrier::new(TALKERS + LISTENERS));
    for me in 0..TALKERS + LISTENERS {
        let (load, all_joined) = (Arc::clone(load), Arc::clone(&all_joined));
        clients.spawn(async move {
            let name = if me < TALKERS { format!("talker{me}") } else { format!("listener{me}") };
            let Peer { reader, mut writer } = Peer::join(address, &name).await?;
            // A client that joins later would miss the first lines.
            all_joined.wait().await;
            let (ping, mut pings) = mpsc::channel(8);
            let me = Some(me).filter(|&me| me < TALKERS);
            // The number of OKs to wait for. It is known when the talker has finished.
            let sent = AtomicU64::new(if me.is_some() { u64::MAX } else { 0 });
            let receiving = receive(reader, &load, me, &sent, ping);
            let sending = async {
                if let Some(me) = me {
                    talk(&mut writer, &load, me, &sent, &mut pings).await?;
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

/// Sends messages until the time is over, and answers pings. Then stores the number of messages in `sent`.
async fn talk(writer: &mut Writer, load: &Load, me: usize, sent: &AtomicU64, pings: &mut Receiver<()>) -> Result<()> {
    let padding = "x".repeat(MESSAGE_LENGTH);
    let mut clock = interval(MESSAGE_INTERVAL);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    while !load.is_over.load(Ordering::Relaxed) {
        tokio::select! {
            _ = clock.tick() => {
                writer.send(&format!("MSG {me} {number} {padding}")).await?;
                number += 1;
            }
            Some(()) = pings.recv() => writer.send("PONG").await?,
        }
    }
    sent.store(number + 1, Ordering::Relaxed);
    // The text `end` tells all clients that this is the last message of the talker.
    writer.send(&format!("MSG {me} {number} end")).await
}

/// Receives until all other talkers have sent their last message, and all `sent` messages of this client are
/// acknowledged.
async fn receive(mut reader: Reader, load: &Load, me: Option<usize>, sent: &AtomicU64, ping: Sender<()>) -> Result<()> {
    let mut next: HashMap<usize, u64> = HashMap::new();
    let (mut ended, mut acknowledged) = (0, 0);
    let others = TALKERS - usize::from(me.is_some());
    while ended < others || acknowledged != sent.load(Ordering::Relaxed) {
        let line = reader.line().await?;
        match line {
            "" => bail!("the server has closed the connection"),
            "OK" => acknowledged += 1,
            // If the queue is full, a PONG will be sent anyway.
            "PING" => drop(ping.try_send(())),
            _ => {
                let Some((talker, number, text)) = parse_message(line) else { continue };
                let expected = next.entry(talker).or_default();
                if number != *expected {
                    bail!("got message {number} of talker{talker} instead of {expected}");
                }
                *expected += 1;
                ended += usize::from(text == "end");
                load.received.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// Parses the message of a talker: its number, the number of the message and the text. `None` for other lines.
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
        assert_eq!(parse_message("FROM churn1 MSG 1 7 xxx"), None);
        assert_eq!(parse_message("JOIN talker1"), None);
    }
}
