//! How sessions end, and what clients receive when the server stops.

use std::io::ErrorKind;

use chat_server::{ChatServer, EndReason, Ending, Event, StopOnBye};

use crate::support::{Peer, start, unlimited};

/// Each way also frees the name: the next client joins as `bob` again.
#[tokio::test]
async fn every_way_to_leave_is_announced_once() {
    let (server, address) = start(unlimited()).await;
    let mut witness = Peer::tcp(address).await.join("witness").await;
    for how in ["BYE", "half-close", "close", "reset"] {
        let mut events = server.events();
        let bob = if how == "reset" { Peer::tcp_that_resets(address).await } else { Peer::tcp(address).await };
        let mut bob = bob.join("bob").await;
        match how {
            "BYE" => {
                bob.send("BYE").await;
                bob.expect("BYE").await;
                bob.expect_end().await;
            }
            "half-close" => {
                bob.raw(b"MSG last\r\nMSG incomplete").await;
                bob.half_close().await;
                bob.expect("OK").await;
                bob.expect_end().await;
            }
            _ => drop(bob),
        }
        witness.expect("JOIN bob").await;
        if how == "half-close" {
            witness.expect("FROM bob MSG last").await;
        }
        witness.expect("LOGOUT bob").await;
        let reason = loop {
            if let Event::Left { reason, .. } = events.recv().await.unwrap().unwrap() {
                break reason;
            }
        };
        match how {
            "BYE" => assert_eq!(reason, EndReason::Bye),
            "reset" => assert_eq!(reason, EndReason::Transport(ErrorKind::ConnectionReset)),
            _ => assert_eq!(reason, EndReason::Closed),
        }
    }
    server.cut();
}

/// Clause 3.4: other members do not see connections that end before they join.
#[tokio::test]
async fn a_client_that_never_joined_is_not_announced() {
    let (server, address) = start(unlimited()).await;
    let mut witness = Peer::tcp(address).await.join("witness").await;
    for opening in ["", "PROT 0.1 CONN", "PROT 0.1 CONNECT NEW\r\n", "PROT 0.1 CONNECT USER witness\r\n"] {
        Peer::tcp(address).await.raw(opening.as_bytes()).await;
    }
    // After all four connections have ended, a wrong `JOIN` or `LOGOUT` would arrive before the roster.
    let all_ended = async {
        while server.stats().ended_as(Ending::Left) < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all_ended).await.expect("all four connections end");
    witness.send("REQ CLIENTS").await;
    witness.expect("LIST CLIENTS 1 witness").await;
    server.cut();
}

/// Clause 6.3, under load: each client receives all acknowledged messages, and `BYE` as its last line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_delivers_every_line_and_says_bye() {
    let (server, address) = start(unlimited()).await;
    let mut talkers = Vec::new();
    for n in 0..20 {
        talkers.push(Peer::tcp(address).await.join(&format!("t{n}")).await);
    }
    let (acknowledged, mut acknowledgements) = tokio::sync::mpsc::channel(1_000);
    let talkers = talkers.into_iter().enumerate();
    let talkers: Vec<_> = talkers
        .map(|(me, talker)| {
            let acknowledged = acknowledged.clone();
            // If the channel is full, the `OK` is not counted. More will follow: the test waits for 2,000 only.
            tokio::spawn(talker.talk(format!("t{me}"), move || _ = acknowledged.try_send(())))
        })
        .collect();
    for _ in 0..2_000 {
        acknowledgements.recv().await.unwrap();
    }
    let report = server.shutdown().await;
    assert_eq!((report.drained, report.cut), (20, 0));
    let mut histories = Vec::new();
    for talker in talkers {
        histories.push(talker.await.unwrap());
    }
    assert!(histories[0].len() >= 2_000);
    assert!(histories.iter().all(|history| *history == histories[0]), "all histories are equal");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_at_the_drain_timeout() {
    let (server, address) = start(unlimited().drain_timeout(std::time::Duration::from_millis(200))).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut sleeper = Peer::tcp(address).await.join("sleeper").await;
    ann.expect("JOIN sleeper").await;
    // Send 40 MB, more than the socket buffers of both sides hold.
    let flood = format!("MSG {}\r\n", "x".repeat(2_000)).repeat(100);
    for _ in 0..200 {
        ann.raw(flood.as_bytes()).await;
        for _ in 0..100 {
            ann.expect("OK").await;
        }
    }
    let (report, ()) = tokio::join!(server.shutdown(), async { ann.expect("BYE").await });
    assert_eq!((report.drained, report.cut), (1, 1));
    drop(sleeper.rest().await);
}

#[tokio::test]
async fn bye_stops_a_server_with_stop_on_bye() {
    let (server, address) = start(ChatServer::builder().stop_on_bye(StopOnBye::AnyClient)).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut guest = Peer::tcp(address).await;
    guest.send("hi").await;
    guest.expect("OK").await;
    guest.send("BYE").await;
    guest.expect("BYE").await;
    guest.expect_end().await;
    for line in ["JOIN guest1", "FROM guest1 MSG hi", "LOGOUT guest1", "BYE"] {
        ann.expect(line).await;
    }
    ann.expect_end().await;
    server.stopping().await;
}

#[tokio::test]
async fn a_client_of_a_stopping_server_gets_bye() {
    let server = unlimited().build();
    let (ours, theirs) = tokio::io::duplex(64);
    server.attach(theirs, chat_server::Peer::labelled("early"));
    let mut early = Peer::over(ours);
    early.send("PROT 0.1 CONNECT NEW").await;
    early.expect("NAME REQ").await;
    let (report, ()) = tokio::join!(server.shutdown(), async {
        early.expect("BYE").await;
        drop(early);
    });
    assert_eq!((report.drained, report.cut), (0, 0), "only members are counted");
    let (ours, theirs) = tokio::io::duplex(64);
    server.attach(theirs, chat_server::Peer::labelled("late"));
    assert_eq!(Peer::over(ours).rest().await, "BYE\r\n");
}
