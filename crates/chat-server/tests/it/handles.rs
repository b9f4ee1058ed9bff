//! What an embedding program does with its server: policies that decide later, handles, kicks, cuts and notices.

use std::sync::{Arc, Mutex};

use chat_server::{
    Admission, ChatServer, EndReason, Ended, Event, Limits, LocalError, LocalLogin, Login, Message, Peer as ServerPeer,
    Policy, Verdict,
};
use futures::{FutureExt, StreamExt};
use tokio::sync::Notify;

use crate::{
    embedding::describe,
    support::{Peer, unlimited},
};

/// A client that is attached in memory. [`Patient`] admits it, because its peer carries a number.
fn attached(server: &ChatServer) -> (Peer, chat_server::Connection) {
    let (ours, theirs) = tokio::io::duplex(65_536);
    let connection = server.attach(theirs, ServerPeer::labelled("test").with_data(7_u32));
    (Peer::over(ours), connection)
}

/// Admits peers that carry a number and logins with the secret `sesame`, but the name `late` only after `admit_late`. The
/// text of a message decides its verdict. Records the end of each client.
#[derive(Default)]
struct Patient {
    admit_late: Notify,
    ended: Mutex<Vec<String>>,
}

impl Policy for Patient {
    async fn admit(&self, login: Login) -> Admission {
        if login.name().is_some_and(|name| name.as_str() == "late") {
            self.admit_late.notified().await;
        }
        let secret = login.credential().map(|credential| credential.expose().to_owned());
        if login.peer().data::<u32>().is_some() || secret.as_deref() == Some("sesame") {
            Admission::Admit
        } else {
            Admission::RefuseName
        }
    }

    fn message(&self, message: &Message<'_>) -> Verdict {
        let text = message.text().clone();
        match text.as_str() {
            "spam" => Verdict::Swallow,
            "slow" => Verdict::defer(async move {
                tokio::task::yield_now().await;
                Verdict::defer(async move { Verdict::Replace("at last".parse().unwrap()) })
            }),
            "never" => Verdict::defer(std::future::pending()),
            "bug" => panic!("a bug in the embedder's rules"),
            "late bug" => Verdict::defer(async { panic!("a bug in the embedder's rules") }),
            _ => Verdict::Deliver,
        }
    }

    fn ended(&self, ended: &Ended) {
        let name = ended.name().map_or("nobody".to_owned(), |name| name.to_string());
        self.ended.lock().unwrap().push(format!("{name}: {}", ended.reason()));
    }
}

#[tokio::test]
async fn an_admission_may_take_time() {
    let policy = Arc::new(Patient::default());
    let server = unlimited().policy(Arc::clone(&policy)).build();
    let (mut late, _) = attached(&server);
    late.send("PROT 0.1 CONNECT USER late").await;
    // This delays no other client.
    let (ann, _) = attached(&server);
    let mut ann = ann.join("ann").await;
    policy.admit_late.notify_one();
    late.expect("NAME OK").await;
    ann.expect("JOIN late").await;
    assert_eq!(server.local("bob").await.unwrap_err(), LocalError::Refused);
    server.local(LocalLogin::new("bob").credential("sesame")).await.unwrap();
    server.cut();
}

#[tokio::test]
async fn deferred_and_swallowed_messages_keep_the_order_of_answers() {
    let server = unlimited().policy(Patient::default()).build();
    let (ann, _) = attached(&server);
    let (bob, _) = attached(&server);
    let (mut ann, mut bob) = (ann.join("ann").await, bob.join("bob").await);
    ann.expect("JOIN bob").await;
    ann.raw(b"MSG one\r\nMSG slow\r\nMSG spam\r\nPING\r\nmsg\r\nMSG two\r\n").await;
    for answer in ["OK", "OK", "OK", "PONG", "BAD REQ", "OK"] {
        ann.expect(answer).await;
    }
    for text in ["one", "at last", "two"] {
        bob.expect(&format!("FROM ann MSG {text}")).await;
    }
    // While a client waits for a verdict that never comes, it can still be kicked.
    ann.send("MSG never").await;
    let id = server.clients().await[0].id();
    assert!(server.kick(id, "it is late").await);
    ann.expect("BYE").await;
    bob.expect("LOGOUT ann").await;
    server.cut();
}

#[tokio::test]
async fn a_policy_that_panics_ends_one_client() {
    let policy = Arc::new(Patient::default());
    let server = unlimited().policy(Arc::clone(&policy)).build();
    for text in ["bug", "late bug"] {
        let (ann, mut connection) = attached(&server);
        let mut ann = ann.join("ann").await;
        ann.send(&format!("MSG {text}")).await;
        assert_eq!(connection.ended().await, EndReason::Panicked);
        assert_eq!(ann.rest().await, "");
    }
    let bot = server.local(LocalLogin::new("bot").data(7_u32)).await.unwrap();
    for text in ["bug", "late bug"] {
        assert_eq!(bot.send(text).await.unwrap_err(), LocalError::PolicyPanicked);
    }
    assert_eq!(bot.send("spam").await.unwrap().seq(), None);
    drop(bot);
    let ended = policy.ended.lock().unwrap().clone();
    assert_eq!(ended, ["ann: its task panicked", "ann: its task panicked", "bot: closed by the peer"]);
}

#[tokio::test]
async fn a_kicked_client_gets_its_pending_lines_and_bye() {
    let policy = Arc::new(Patient::default());
    let server = unlimited().policy(Arc::clone(&policy)).build();
    let (clients, mut events) = server.watch().await;
    assert!(clients.is_empty());
    let (ann, mut ann_connection) = attached(&server);
    let (bob, bob_connection) = attached(&server);
    let (mut ann, mut bob) = (ann.join("ann").await, bob.join("bob").await);
    let (mut unnamed, unnamed_connection) = attached(&server);
    unnamed.send("PROT 0.1 CONNECT NEW").await;
    unnamed.expect("NAME REQ").await;
    unnamed_connection.kick("too slow");
    assert_eq!(unnamed.rest().await, "BYE\r\n", "also before it has a name");

    assert!(server.kick(ann_connection.id(), "rude").await);
    assert_eq!(ann.rest().await, "JOIN bob\r\nBYE\r\n");
    let rude = EndReason::Kicked("rude".into());
    assert_eq!([ann_connection.ended().await, ann_connection.ended().await], [rude.clone(), rude]);
    assert!(!server.kick(ann_connection.id(), "again").await, "it is no longer a member");
    bob.expect("LOGOUT ann").await;
    drop(bob_connection);
    // The connection does not need its handle.
    bob.send("PING").await;
    bob.expect("PONG").await;

    server.shutdown().await;
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(describe(&event.unwrap()));
    }
    let expected = ["1 ann joined", "2 bob joined", "3 ann left: kicked: rude", "4 bob left: the server stopped"];
    assert_eq!(seen, expected);
    assert_eq!(server.stats().ended_by(&EndReason::Kicked("any text".into())), 2);
    assert_eq!(policy.ended.lock().unwrap()[..2], ["nobody: kicked: too slow", "ann: kicked: rude"]);
}

#[tokio::test]
async fn a_cut_client_gets_nothing_more() {
    let server = unlimited().build();
    let (bob, _) = attached(&server);
    let mut bob = bob.join("bob").await;
    let (ann, mut connection) = attached(&server);
    let mut ann = ann.join("ann").await;
    connection.cut("enough");
    assert_eq!(ann.rest().await, "");
    assert_eq!(connection.ended().await, EndReason::Cut("enough".into()));
    bob.expect("JOIN ann").await;
    bob.expect("LOGOUT ann").await;
    assert_eq!(server.stats().ended_by(&EndReason::Cut("any text".into())), 1);
    server.cut();
}

/// Without a write timeout, a kicked client that reads nothing keeps its connection until it is cut.
#[tokio::test]
async fn a_cut_ends_a_kicked_client_that_reads_nothing() {
    let server = unlimited().write_timeout(None).build();
    let (client, theirs) = tokio::io::duplex(20);
    let mut connection = server.attach(theirs, ServerPeer::labelled("test"));
    let mut silent = Peer::over(client).join("silent").await;
    let mut bot = server.local("bot").await.unwrap();
    bot.send("longer than the pipe of the silent client").await.unwrap();
    connection.kick("rude");
    let left = loop {
        if let event @ Event::Left { .. } = bot.recv().await.unwrap() {
            break describe(&event);
        }
    };
    assert_eq!(left, "4 silent left: kicked: rude", "its name is free at once");
    assert!(connection.ended().now_or_never().is_none(), "it has not received its last lines");
    connection.cut("now");
    assert_eq!(connection.ended().await, EndReason::Kicked("rude".into()), "the reason for which it left the room");
    assert!(!silent.rest().await.contains("BYE"));
}

#[tokio::test]
async fn a_notice_reaches_all_members_at_one_position() {
    let server = unlimited().build();
    let (ann, _) = attached(&server);
    let mut ann = ann.join("ann").await;
    let mut bot = server.local("bot").await.unwrap();
    let (mut guest, _) = attached(&server);
    guest.raw(b"hi\n").await;
    assert_eq!(guest.line_bytes().await, b"OK\n");
    ann.expect("JOIN bot").await;
    let seq = server.notice("back at noon".parse().unwrap()).await;
    assert_eq!(seq, Some(5));
    assert_eq!(guest.line_bytes().await, b"NOTICE back at noon\n");
    for line in ["JOIN guest1", "FROM guest1 MSG hi", "NOTICE back at noon"] {
        ann.expect(line).await;
    }
    for event in ["3 guest1 joined", "4 guest1 said hi", "5 notice: back at noon"] {
        assert_eq!(describe(&bot.recv().await.unwrap()), event);
    }
    server.shutdown().await;
    assert_eq!(server.notice("too late".parse().unwrap()).await, None);
    assert!(server.clients().await.is_empty());
}

#[tokio::test]
async fn a_notice_to_one_member_has_a_position_and_reaches_no_other() {
    let server = unlimited().build();
    let bot = server.local("bot").await.unwrap();
    let (ann, connection) = attached(&server);
    let mut ann = ann.join("ann").await;
    let (mut guest, guest_connection) = attached(&server);
    guest.raw(b"hi\n").await;
    assert_eq!(guest.line_bytes().await, b"OK\n");
    assert!(server.notice_to(guest_connection.id(), "one".parse().unwrap()).await);
    assert_eq!(bot.send("between").await.unwrap().seq(), Some(5), "it takes no number");
    assert!(server.notice_to(guest_connection.id(), "two".parse().unwrap()).await);
    for line in [&b"NOTICE one\n"[..], b"FROM bot MSG between\n", b"NOTICE two\n"] {
        assert_eq!(guest.line_bytes().await, line);
    }
    for line in ["JOIN guest1", "FROM guest1 MSG hi", "FROM bot MSG between"] {
        ann.expect(line).await;
    }
    assert!(!server.notice_to(bot.member().id(), "a bot".parse().unwrap()).await);
    guest.raw(b"BYE\n").await;
    ann.expect("LOGOUT guest1").await;
    assert!(!server.notice_to(guest_connection.id(), "has left".parse().unwrap()).await);
    server.shutdown().await;
    assert!(!server.notice_to(connection.id(), "has stopped".parse().unwrap()).await);
}

#[tokio::test(start_paused = true)]
async fn a_notice_waits_until_a_slow_member_reads_or_ends() {
    let server = unlimited().build();
    let (ours, theirs) = tokio::io::duplex(64);
    let connection = server.attach(theirs, ServerPeer::labelled("test"));
    let mut ann = Peer::over(ours).join("ann").await;
    // Fails if the notice has to wait.
    let try_notice = async |number: u32| {
        let sending = server.notice_to(connection.id(), format!("number {number}").parse().unwrap());
        tokio::time::timeout(std::time::Duration::from_millis(1), sending).await
    };
    let mut sent = 0;
    while try_notice(sent).await.is_ok() {
        sent += 1;
    }
    assert!((64..100).contains(&sent), "{sent} notices fit into the reply queue and the pipe");
    // A future that is dropped while it waits takes no space in the queue.
    for _ in 0..100 {
        assert!(try_notice(sent).await.is_err());
    }
    for number in 0..sent {
        ann.expect(&format!("NOTICE number {number}")).await;
    }
    while try_notice(sent).await.is_ok() {
        sent += 1;
    }
    assert!(sent >= 128);
    let waiting = server.notice_to(connection.id(), "the last one".parse().unwrap());
    connection.cut("now");
    assert_eq!(tokio::time::timeout(std::time::Duration::from_secs(100), waiting).await, Ok(false));
}

#[tokio::test]
async fn a_split_client_leaves_when_its_last_handle_is_dropped() {
    let server = unlimited().build();
    let mut watcher = server.local("watcher").await.unwrap();
    let (sender, events) = server.local("bot").await.unwrap().split();
    let clone = sender.clone();
    drop((sender, events));
    assert_eq!(clone.send("still here").await.unwrap().seq(), Some(3));
    drop(clone);
    for event in ["2 bot joined", "3 bot said still here", "4 bot left: closed by the peer"] {
        assert_eq!(describe(&watcher.recv().await.unwrap()), event);
    }

    let (sender, mut events) = server.local("bot").await.unwrap().split();
    assert!(server.kick(sender.member().id(), "rude").await);
    assert_eq!(describe(&events.next().await.unwrap().unwrap()), "6 bot left: kicked: rude");
    assert_eq!(events.next().await, Some(Err(LocalError::Left)));
    assert_eq!(events.next().await, None);
    assert_eq!(sender.send("hello?").await.unwrap_err(), LocalError::Left);
}

#[tokio::test]
async fn a_watcher_that_lags_learns_how_many_events_it_lost() {
    let server = unlimited().build();
    let ann = server.local("ann").await.unwrap();
    let (clients, mut events) = server.watch().await;
    assert_eq!(clients, [ann.member().clone()]);
    for n in 0..3_000 {
        ann.send(n.to_string()).await.unwrap();
    }
    let lost = events.recv().await.unwrap().unwrap_err().count;
    let Some(Ok(Event::Message { seq, .. })) = events.recv().await else { panic!("no message after the gap") };
    assert_eq!(seq, 2 + lost);
    assert!(lost > 1_000);
}

#[tokio::test]
async fn limits_are_shared_and_a_weak_handle_keeps_nothing_alive() {
    let limits = Limits::new().max_clients(1).share();
    let [tea, coffee] = [(), ()].map(|()| ChatServer::builder().shared_limits(&limits).build());
    let (ann, mut connection) = attached(&tea);
    let mut ann = ann.join("ann").await;
    let (mut bob, _) = attached(&coffee);
    bob.expect("BYE").await;
    assert_eq!([tea.stats().connections, coffee.stats().connections], [1, 0]);
    ann.send("BYE").await;
    assert_eq!(connection.ended().await, EndReason::Bye);
    drop(ann);

    let (weak, mut events) = (tea.downgrade(), tea.events());
    assert!(weak.upgrade().is_some());
    drop(tea);
    assert!(events.recv().await.is_none(), "the hub has ended");
    assert!(weak.upgrade().is_none());
}

/// A client leaves and is kicked at the same time. The policy and the event get the same reason.
#[tokio::test]
async fn a_local_client_that_leaves_while_it_is_kicked_has_one_reason() {
    for leaves_first in [true, false] {
        let policy = Arc::new(Patient::default());
        let server = unlimited().policy(Arc::clone(&policy)).build();
        let bot = server.local(LocalLogin::new("bot").credential("sesame")).await.unwrap();
        assert_eq!(bot.clients().await, [bot.member().clone()]);
        let id = bot.member().id();
        let mut events = server.events();
        if leaves_first {
            bot.leave();
            server.kick(id, "rude").await;
        } else {
            // The kick is in the hub's queue, but the hub has not run yet.
            let mut kick = std::pin::pin!(server.kick(id, "rude"));
            assert!(futures::poll!(kick.as_mut()).is_pending());
            bot.leave();
            kick.await;
        }
        let Some(Ok(Event::Left { reason, .. })) = events.recv().await else { panic!("no leave") };
        assert_eq!(*policy.ended.lock().unwrap(), [format!("bot: {reason}")]);
    }
}
