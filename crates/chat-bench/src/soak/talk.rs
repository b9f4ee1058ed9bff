//! Clients that talk steadily. Every line is checked: everybody gets each talker's lines in order, without a gap.

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
const PAUSE: Duration = Duration::from_millis(20);
/// Characters of a message: long enough that a client that does not read soon fills its buffers.
const LENGTH: usize = 1_500;

/// Starts them. They end when the time is over and everybody has received everything.
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
            // Until a talker has finished, no number of OKs is enough.
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

async fn talk(writer: &mut Writer, load: &Load, me: usize, sent: &AtomicU64, pings: &mut Receiver<()>) -> Result<()> {
    let filling = "x".repeat(LENGTH);
    let mut clock = interval(PAUSE);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    while !load.over.load(Ordering::Relaxed) {
        tokio::select! {
            _ = clock.tick() => {
                writer.send(&format!("MSG {me} {number} {filling}")).await?;
                number += 1;
            }
            Some(()) = pings.recv() => writer.send("PONG").await?,
        }
    }
    sent.store(number + 1, Ordering::Relaxed);
    // The last message of each talker tells everybody that no more will come from it.
    writer.send(&format!("MSG {me} {number} end")).await
}

/// Receives until all other talkers have ended, and everything that `me` has `sent` is acknowledged.
async fn receive(mut reader: Reader, load: &Load, me: Option<usize>, sent: &AtomicU64, ping: Sender<()>) -> Result<()> {
    let mut next: HashMap<usize, u64> = HashMap::new();
    let (mut ended, mut acknowledged) = (0, 0);
    let others = TALKERS - usize::from(me.is_some());
    while ended < others || acknowledged != sent.load(Ordering::Relaxed) {
        let line = reader.line().await?;
        match line {
            "" => bail!("the server has closed the connection"),
            "OK" => acknowledged += 1,
            // If the queue is full, a PONG is on its way already.
            "PING" => drop(ping.try_send(())),
            _ => {
                let Some((talker, number, text)) = message(line) else { continue };
                let expected = next.entry(talker).or_default();
                if number != *expected {
                    bail!("message {number} of talker{talker} came instead of {expected}");
                }
                *expected += 1;
                ended += usize::from(text == "end");
                load.received.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// The talker, the number and the rest of a talker's message; `None` for other lines.
fn message(line: &str) -> Option<(usize, u64, &str)> {
    let (name, text) = line.strip_prefix("FROM ")?.split_once(" MSG ")?;
    let mut words = name.strip_prefix("talker").and(Some(text))?.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_talkers_are_recognised() {
        assert_eq!(message("FROM talker1 MSG 1 7 xxx"), Some((1, 7, "xxx")));
        assert_eq!(message("FROM churn1 MSG 1 7 xxx"), None);
        assert_eq!(message("JOIN talker1"), None);
    }
}
