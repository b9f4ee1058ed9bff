//! Steady talk, of which every line is checked: each talker's come to everybody, in their order, without a hole.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

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
use crate::Failure;

const TALKERS: usize = 4;
/// Those who listen only.
const LISTENERS: usize = 4;
/// Between two messages of a talker.
const PAUSE: Duration = Duration::from_millis(20);
/// Characters of a message: enough that one who does not read is noticed.
const LENGTH: usize = 1_500;

/// Starts them. They end when the time is over and everybody has heard everything.
pub(super) fn start(talk: &mut JoinSet<Result<(), Failure>>, load: &Arc<Load>, address: SocketAddr) {
    let all_here = Arc::new(Barrier::new(TALKERS + LISTENERS));
    for me in 0..TALKERS + LISTENERS {
        let (load, all_here) = (Arc::clone(load), Arc::clone(&all_here));
        talk.spawn(async move {
            let name = if me < TALKERS { format!("talker{me}") } else { format!("listener{me}") };
            let Peer { reader, mut writer } = Peer::join(address, &name).await?;
            // Who is not there yet would miss the beginning.
            all_here.wait().await;
            let (ping, mut asked) = mpsc::channel(8);
            let me = Some(me).filter(|&me| me < TALKERS);
            // Until it is known how much a talker says, nothing is enough.
            let said = AtomicU64::new(if me.is_some() { u64::MAX } else { 0 });
            let hearing = hear(reader, &load, me, &said, ping);
            let saying = async {
                if let Some(me) = me {
                    say(&mut writer, &load, me, &said, &mut asked).await?;
                }
                while asked.recv().await.is_some() {
                    writer.say("PONG").await?;
                }
                Ok(())
            };
            tokio::try_join!(hearing, saying).map_err(|failure| match failure {
                Failure::Work(what) => Failure::work(format!("{name}: {what}")),
                usage @ Failure::Usage(_) => usage,
            })?;
            writer.say("BYE").await
        });
    }
}

async fn say(
    writer: &mut Writer,
    load: &Load,
    me: usize,
    said: &AtomicU64,
    asked: &mut Receiver<()>,
) -> Result<(), Failure> {
    let filling = "x".repeat(LENGTH);
    let mut clock = interval(PAUSE);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    while !load.over.load(Ordering::Relaxed) {
        tokio::select! {
            _ = clock.tick() => {
                writer.say(&format!("MSG {me} {number} {filling}")).await?;
                number += 1;
            }
            Some(()) = asked.recv() => writer.say("PONG").await?,
        }
    }
    said.store(number + 1, Ordering::Relaxed);
    // The last word of each talker tells everybody that nothing more is to come from it.
    writer.say(&format!("MSG {me} {number} end")).await
}

/// Hears until all other talkers have ended, and all that `me` has `said` is acknowledged.
async fn hear(
    mut reader: Reader,
    load: &Load,
    me: Option<usize>,
    said: &AtomicU64,
    ping: Sender<()>,
) -> Result<(), Failure> {
    let mut next: HashMap<usize, u64> = HashMap::new();
    let (mut ended, mut acknowledged) = (0, 0);
    let others = TALKERS - usize::from(me.is_some());
    while ended < others || acknowledged != said.load(Ordering::Relaxed) {
        let line = reader.line().await?;
        match line {
            "" => return Err(Failure::work("the server has closed")),
            "OK" => acknowledged += 1,
            // A full queue of answers is answered already.
            "PING" => drop(ping.try_send(())),
            _ => {
                let Some((talker, number, text)) = message(line) else { continue };
                let expected = next.entry(talker).or_default();
                if number != *expected {
                    return Err(Failure::work(format!("talker{talker}'s {number} came where {expected} should be")));
                }
                *expected += 1;
                ended += usize::from(text == "end");
                load.received.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// The talker, the number and the rest of a message of a talker's.
fn message(line: &str) -> Option<(usize, u64, &str)> {
    let (name, text) = line.strip_prefix("FROM ")?.split_once(" MSG ")?;
    let mut words = name.strip_prefix("talker").and(Some(text))?.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_talkers_are_told_apart() {
        assert_eq!(message("FROM talker1 MSG 1 7 xxx"), Some((1, 7, "xxx")));
        assert_eq!(message("FROM churn1 MSG 1 7 xxx"), None);
        assert_eq!(message("JOIN talker1"), None);
    }
}
