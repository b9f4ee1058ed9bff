//! The hub's task from outside: what is said of its end, whatever it ends by.

use chat_proto::{Name, Text};
use futures::FutureExt;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    event::{Event, Events},
    peer::Peer,
};

struct Rig {
    hub: Hub,
    signals: Signals,
    events: Events,
    counters: Arc<Counters>,
    task: JoinHandle<()>,
}

fn start() -> Rig {
    let (sender, signals, counters) = (EventSender::default(), Signals::default(), Arc::<Counters>::default());
    let events = sender.source().subscribe();
    let (hub, task) = Hub::new(16, sender, Arc::clone(&counters), signals.clone());
    Rig { hub, signals, events, counters, task: tokio::spawn(task) }
}

fn identity(number: u64) -> Arc<Identity> {
    Arc::new(Identity::new(ConnId::new(number), Peer::labelled("test")))
}

async fn join(hub: &Hub, number: u64, name: &str) -> Membership {
    let join_as = JoinAs::Name(Name::new(name).unwrap());
    hub.join(&identity(number), join_as).await.unwrap().1
}

/// All events to their end, as short words.
async fn told(mut events: Events) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = events.recv().await {
        told.push(match event.unwrap() {
            Event::Joined { seq, member } => format!("{seq} {member} joined"),
            Event::Message { seq, from, text } => format!("{seq} {from} said {}", text.as_str()),
            Event::Left { seq, member, reason } => format!("{seq} {member} left: {reason:?}"),
            Event::Notice { seq, text } => format!("{seq} notice {}", text.as_str()),
        });
    }
    told
}

async fn check_that_a_dead_hub_is_said(rig: Rig, mut ann: Membership) {
    let Rig { hub, signals, events, counters, .. } = rig;
    signals.stop.cancelled().await;
    signals.ended.cancelled().await;
    assert_eq!(told(events).await, ["1 ann joined", "2 ann left: ServerStopped"]);
    assert_eq!(counters.stats(0).clients, 0);
    assert_eq!(counters.stats(0).ended, [(EndReason::ServerStopped, 1)]);
    assert_eq!(ann.leave(EndReason::Closed), EndReason::ServerStopped, "as it was told already");
    assert_eq!(hub.join(&identity(2), JoinAs::Guest).await.unwrap_err(), JoinError::Stopped);
    assert_eq!(hub.say_and_wait(ConnId::new(1), Text::new("hi").unwrap()).await.unwrap_err(), NotPlaced::Stopped);
}

#[tokio::test]
async fn a_hub_that_panics_says_that_it_has_ended() {
    let rig = start();
    let ann = join(&rig.hub, 1, "ann").await;
    let panicking = rig.hub.visit(|_| panic!("requested by the test")).await;
    assert_eq!(panicking.map(|()| "survived"), Err(Stopped));
    check_that_a_dead_hub_is_said(rig, ann).await;
}

#[tokio::test]
async fn a_hub_whose_task_is_dropped_says_that_it_has_ended() {
    let rig = start();
    let ann = join(&rig.hub, 1, "ann").await;
    rig.task.abort();
    check_that_a_dead_hub_is_said(rig, ann).await;
}

/// A leave that finds no room stands behind what its member has said.
#[tokio::test]
async fn who_leaves_while_the_queue_is_full_has_said_all_before() {
    let rig = start();
    let ann = join(&rig.hub, 1, "ann").await;
    let bob = join(&rig.hub, 2, "bob").await;
    // The hub has no turn meanwhile.
    for n in 0..QUEUE {
        let texts = vec![Text::new(n.to_string()).unwrap()];
        rig.hub.send_now(Command::Say { conn: ConnId::new(1), texts }).unwrap();
    }
    assert!(rig.hub.0.commands.try_reserve().is_err(), "it is full");
    drop((ann, bob));
    rig.hub.stop();
    let told = told(rig.events).await;
    assert_eq!(told.len(), 2 + QUEUE + 2);
    assert_eq!(told[QUEUE + 1], format!("{} ann said {}", QUEUE + 2, QUEUE - 1));
    assert_eq!(told[QUEUE + 2], format!("{} ann left: Dropped", QUEUE + 3));
    assert_eq!(told[QUEUE + 3], format!("{} bob left: Dropped", QUEUE + 4));
    rig.task.await.unwrap();
}

/// It waits for nothing but the queue, and is woken all the same.
#[tokio::test]
async fn a_leave_that_finds_no_room_wakes_the_hub() {
    let mut rig = start();
    let ann = join(&rig.hub, 1, "ann").await;
    // All room is promised, and none of it used.
    let promised = rig.hub.0.commands.reserve_many(QUEUE).await.unwrap();
    assert!(matches!(rig.events.recv().await, Some(Ok(Event::Joined { .. }))));
    drop(ann);
    assert!(matches!(rig.events.recv().await, Some(Ok(Event::Left { reason: EndReason::Dropped, .. }))));
    drop(promised);
}

/// Room that is promised to somebody who does not look does not keep the hub from ending.
#[tokio::test(start_paused = true)]
async fn who_has_asked_for_room_and_does_not_use_it_does_not_hold_up_the_end() {
    let rig = start();
    let _ann = join(&rig.hub, 1, "ann").await;
    for _ in 0..QUEUE {
        rig.hub.send_now(Command::Leave { conn: ConnId::new(9), reason: EndReason::Bye }).unwrap();
    }
    let mut saying = Box::pin(rig.hub.say_and_wait(ConnId::new(1), Text::new("hi").unwrap()));
    assert!(saying.as_mut().now_or_never().is_none());
    rig.hub.stop();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(9), rig.signals.ended.cancelled());
    ended.await.expect("it ends");
    assert_eq!(saying.await.unwrap_err(), NotPlaced::Stopped);
}

/// A command that the hub has taken, but not handled, is handled at the end: a member that has left did so for its own
/// reason, and what it said was said.
#[tokio::test]
async fn commands_of_an_aborted_hub_are_handled() {
    let Rig { hub, events, counters, task, .. } = start();
    let mut ann = join(&hub, 1, "ann").await;
    hub.say(ConnId::new(1), &mut vec![Text::new("hi").unwrap()]).await.unwrap();
    assert_eq!(ann.leave(EndReason::Bye), EndReason::Bye);
    // The hub takes the commands, and yields before it handles them.
    tokio::task::yield_now().await;
    task.abort();
    assert_eq!(told(events).await, ["1 ann joined", "2 ann said hi", "3 ann left: Bye"]);
    assert!(counters.has_hub_failed());
}
