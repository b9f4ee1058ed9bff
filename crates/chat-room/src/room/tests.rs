//! Compares the room with a simple model: the lines that each member must receive.

use std::{collections::BTreeMap, sync::Arc};

use bytes::BufMut;
use chat_proto::Terminator;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::pieces::Pieces;

#[derive(Clone, Debug)]
enum Step {
    Join(u64, JoinAs),
    Say(u64, String),
    Leave(u64, Farewell),
    Ask(u64),
    TakeBatch,
}

fn step() -> impl Strategy<Value = Step> {
    let conn = 0..6_u64;
    let join_as = prop_oneof![
        3 => "[abAB]".prop_map(|name| JoinAs::Name(Name::new(&name).unwrap())),
        1 => Just(JoinAs::Guest),
    ];
    let farewell = prop_oneof![Just(Farewell::Bye), Just(Farewell::Silent)];
    prop_oneof![
        3 => (conn.clone(), join_as).prop_map(|(conn, join_as)| Step::Join(conn, join_as)),
        6 => (conn.clone(), "[a-z ]{1,9}").prop_map(|(conn, text)| Step::Say(conn, text)),
        1 => (conn.clone(), farewell).prop_map(|(conn, farewell)| Step::Leave(conn, farewell)),
        2 => conn.prop_map(Step::Ask),
        3 => Just(Step::TakeBatch),
    ]
}

/// The lines that each connection must receive.
#[derive(Default)]
struct Model {
    members: BTreeMap<u64, Name>,
    sent: BTreeMap<u64, Vec<String>>,
    guests: u64,
}

impl Model {
    fn send_to_others(&mut self, conn: u64, line: &str) {
        for other in self.members.keys().filter(|other| **other != conn) {
            self.sent.entry(*other).or_default().push(line.to_owned());
        }
    }

    fn send(&mut self, conn: u64, line: &str) {
        self.sent.entry(conn).or_default().push(line.to_owned());
    }
}

/// A room, with a simple replacement for the hub and the writers of the server.
#[derive(Default)]
struct Harness {
    room: Room,
    /// For each member, the batch in which it joined, and the replies that wait for the next batch.
    members: BTreeMap<u64, (u64, Vec<Reply>)>,
    sent: BTreeMap<u64, Vec<u8>>,
}

impl Harness {
    fn take_batch(&mut self) {
        let Some(batch) = self.room.take_batch().map(Arc::new) else { return };
        let mut left = Vec::new();
        for (conn, (joined_in, replies)) in &mut self.members {
            if *joined_in < batch.end().batch {
                let mut pieces = Pieces::default();
                let replies = std::mem::take(replies);
                let view = batch.view(ConnId::new(*conn), &replies, Terminator::CrLf, &mut pieces);
                self.sent.entry(*conn).or_default().put(pieces);
                if view.last {
                    left.push(*conn);
                }
            }
        }
        self.members.retain(|conn, _| !left.contains(conn));
    }
}

proptest! {
    #[test]
    fn all_members_receive_the_lines_of_the_model(steps in vec(step(), 0..80)) {
        let (mut harness, mut model) = (Harness::default(), Model::default());
        let mut last_conn = 100;
        // The connection of each user. A user that joins again has a new connection.
        let mut conns = BTreeMap::new();
        for step in steps.into_iter().chain([Step::TakeBatch]) {
            match step {
                Step::Join(user, join_as) => {
                    if conns.contains_key(&user) {
                        continue;
                    }
                    last_conn += 1;
                    let position = harness.room.position();
                    let joined = harness.room.join(ConnId::new(last_conn), join_as);
                    let name = match join_as {
                        JoinAs::Name(name) => name,
                        JoinAs::Guest => {
                            model.guests += 1;
                            Name::guest(model.guests)
                        }
                    };
                    let taken = model.members.values().any(|other| other.key() == name.key());
                    prop_assert_eq!(joined.is_err(), taken);
                    if taken {
                        continue;
                    }
                    conns.insert(user, last_conn);
                    harness.members.insert(last_conn, (position.batch, Vec::new()));
                    model.members.insert(last_conn, name);
                    model.send_to_others(last_conn, &format!("JOIN {name}"));
                    if matches!(join_as, JoinAs::Name(_)) {
                        model.send(last_conn, "NAME OK");
                        model.send(last_conn, "WELCOME");
                    }
                }
                Step::Say(user, text) => {
                    let conn = conns.get(&user).copied().unwrap_or(user);
                    let said = harness.room.say(ConnId::new(conn), Text::new(text.as_str()).unwrap());
                    prop_assert_eq!(said.is_some(), model.members.contains_key(&conn));
                    if let Some(name) = model.members.get(&conn).copied() {
                        model.send_to_others(conn, &format!("FROM {name} MSG {text}"));
                        model.send(conn, "OK");
                    }
                }
                Step::Leave(user, farewell) => {
                    let Some(conn) = conns.remove(&user) else { continue };
                    prop_assert!(harness.room.leave(ConnId::new(conn), farewell).is_some());
                    prop_assert!(harness.room.leave(ConnId::new(conn), farewell).is_none());
                    let name = model.members.remove(&conn).unwrap();
                    model.send_to_others(conn, &format!("LOGOUT {name}"));
                    if farewell == Farewell::Bye {
                        model.send(conn, "BYE");
                    }
                }
                Step::Ask(user) => {
                    let Some(conn) = conns.get(&user) else { continue };
                    let reply = harness.room.reply(Request::Clients);
                    harness.members.get_mut(conn).unwrap().1.push(reply);
                    let names: Vec<_> = model.members.values().map(Name::as_str).collect();
                    model.send(*conn, &format!("LIST CLIENTS {} {}", names.len(), names.join(" ")));
                }
                Step::TakeBatch => harness.take_batch(),
            }
        }
        for (conn, (_, replies)) in &harness.members {
            let sent = harness.sent.entry(*conn).or_default();
            let mut pieces = Pieces::default();
            for reply in replies {
                reply.write(Terminator::CrLf, &mut pieces);
            }
            pieces.close();
            sent.put(pieces);
        }
        for (conn, lines) in model.sent {
            let expected: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
            let received = harness.sent.remove(&conn).unwrap_or_default();
            prop_assert_eq!(String::from_utf8(received).unwrap(), expected, "connection {}", conn);
        }
        prop_assert!(harness.sent.values().all(Vec::is_empty));
    }
}
