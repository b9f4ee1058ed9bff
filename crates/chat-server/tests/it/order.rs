//! The total order while many clients send at once, with each sender's `OK` at the position of its message.

use std::{collections::BTreeSet, time::Duration};

use chat_server::ChatServer;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Peer, start, unlimited};

const TALKERS: usize = 20;
const MESSAGES: usize = 500;
/// Longer than a passing test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Logs in, waits until all talkers have joined, and sends its messages. Meanwhile, records the messages that it receives,
/// until it has those of all talkers. An `OK` is recorded as the message that it acknowledges.
async fn talk(address: std::net::SocketAddr, me: usize, all_joined: &tokio::sync::Barrier) -> Vec<String> {
    let (reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(format!("PROT 0.1 CONNECT USER t{me}\r\n").as_bytes()).await.unwrap();
    while lines.next_line().await.unwrap().unwrap() != "WELCOME" {}
    all_joined.wait().await;

    let send = async {
        for n in 0..MESSAGES {
            writer.write_all(format!("MSG {n} of t{me}\r\n").as_bytes()).await.unwrap();
            // The replies to these requests must not change the order of messages.
            if n % 50 == 0 {
                writer.write_all(b"PING\r\nREQ CLIENTS\r\nMSG \x07\r\n").await.unwrap();
            }
        }
    };
    let receive = async {
        let (mut history, mut acknowledged) = (Vec::new(), 0);
        let mut replies = Vec::new();
        while history.len() < TALKERS * MESSAGES {
            let line = lines.next_line().await.unwrap().expect("the connection stays open");
            match line.as_str() {
                "OK" => {
                    history.push(format!("FROM t{me} MSG {acknowledged} of t{me}"));
                    acknowledged += 1;
                }
                "PONG" | "BAD REQ" => replies.push((line, acknowledged)),
                list if list.starts_with("LIST CLIENTS") => replies.push(("LIST".to_owned(), acknowledged)),
                from if from.starts_with("FROM ") => history.push(line),
                join => assert!(join.starts_with("JOIN "), "{join:?}"),
            }
        }
        let expected = (0..MESSAGES).step_by(50);
        let expected = expected.flat_map(|n| ["PONG", "LIST", "BAD REQ"].map(|reply| (reply.to_owned(), n + 1)));
        assert_eq!(replies, expected.collect::<Vec<_>>(), "replies are in the order of their requests");
        history
    };
    let (history, ()) = tokio::join!(receive, send);
    history
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_talkers_hear_ten_thousand_messages_in_one_order() {
    let (server, address) = start(unlimited()).await;
    let all_joined = std::sync::Arc::new(tokio::sync::Barrier::new(TALKERS));
    let talkers: Vec<_> = (0..TALKERS)
        .map(|me| {
            let all_joined = std::sync::Arc::clone(&all_joined);
            tokio::spawn(async move {
                timeout(TEST_TIMEOUT, talk(address, me, &all_joined)).await.expect("the talker ends in time")
            })
        })
        .collect();
    let mut histories = Vec::new();
    for talker in talkers {
        histories.push(talker.await.unwrap());
    }
    let (first, others) = histories.split_first().unwrap();
    for (n, history) in others.iter().enumerate() {
        let differs = first.iter().zip(history).position(|(expected, line)| expected != line);
        assert_eq!(differs.map(|at| (n + 1, at, &first[at], &history[at])), None, "histories differ");
    }
    let distinct: BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), TALKERS * MESSAGES, "each message exactly once");
    for me in 0..TALKERS {
        let from = format!("FROM t{me} ");
        let said: Vec<_> = first.iter().filter(|line| line.starts_with(&from)).collect();
        assert!(said.iter().enumerate().all(|(n, line)| **line == format!("FROM t{me} MSG {n} of t{me}")));
    }
    server.cut();
}

/// Clause 5.4: an observer applies each `JOIN` and `LOGOUT` to its roster. The roster then equals the next `LIST CLIENTS`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_stays_exact_while_others_come_and_go() {
    let (server, address) = start(unlimited()).await;
    let mut observer = Peer::tcp(address).await.join("observer").await;
    let visitors = tokio::spawn(async move {
        let visitors = (0..8).map(|n| async move {
            for _ in 0..25 {
                let mut visitor = Peer::tcp(address).await.join(&format!("visitor{n}")).await;
                visitor.send("BYE").await;
                while visitor.line().await != "BYE" {}
                // The name is free once `BYE` has arrived.
            }
        });
        futures::future::join_all(visitors).await;
    });
    let mut members = BTreeSet::from(["observer".to_owned()]);
    let (mut left, mut rosters) = (0, 0);
    while left < 200 {
        observer.send("REQ CLIENTS").await;
        loop {
            let line = observer.line().await;
            let words: Vec<_> = line.split(' ').collect();
            match words.as_slice() {
                ["JOIN", name] => assert!(members.insert((*name).to_owned()), "{name} joined twice"),
                ["LOGOUT", name] => {
                    assert!(members.remove(*name), "{name} left twice");
                    left += 1;
                }
                ["LIST", "CLIENTS", n, names @ ..] => {
                    assert_eq!(names.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), members);
                    assert_eq!(n.parse::<usize>().unwrap(), members.len());
                    rosters += 1;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(rosters > 0);
    visitors.await.unwrap();
    server.cut();
}

/// A plain client uses LF, and a named one CRLF. Both send several lines at once.
#[tokio::test]
async fn both_kinds_of_session_and_both_terminators_see_one_order() {
    let (server, address) = start(ChatServer::builder()).await;
    let mut named = Peer::tcp(address).await.join("ann").await;
    let mut plain = Peer::tcp(address).await;
    plain.raw(b"\n").await;
    named.expect("JOIN guest1").await;
    plain.raw(b"p1\np2\n").await;
    named.expect("FROM guest1 MSG p1").await;
    named.expect("FROM guest1 MSG p2").await;
    named.raw(b"MSG n1\r\nPING\r\nMSG n2\r\n").await;
    assert_eq!(plain.bytes(38).await, b"OK\nOK\nFROM ann MSG n1\nFROM ann MSG n2\n");
    for line in ["OK", "PONG", "OK"] {
        named.expect(line).await;
    }
    server.cut();
}
