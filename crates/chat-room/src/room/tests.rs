//! The state against a model that is too simple to be wrong: one list of all that happened, and who was there.

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

/// What each member must have been sent, line by line.
#[derive(Default)]
struct Model {
    here: BTreeMap<u64, Name>,
    sent: BTreeMap<u64, Vec<String>>,
    guests: u64,
}

impl Model {
    fn everybody_but(&mut self, conn: u64, line: &str) {
        for other in self.here.keys().filter(|other| **other != conn) {
            self.sent.entry(*other).or_default().push(line.to_owned());
        }
    }

    fn to(&mut self, conn: u64, line: &str) {
        self.sent.entry(conn).or_default().push(line.to_owned());
    }
}

/// The real state, with the part of hub and writers that carries its batches and replies to each connection.
#[derive(Default)]
struct Rig {
    room: Room,
    members: BTreeMap<u64, (u64, Vec<Reply>)>,
    sent: BTreeMap<u64, Vec<u8>>,
}

impl Rig {
    fn take_batch(&mut self) {
        let Some(batch) = self.room.take_batch().map(Arc::new) else { return };
        let mut gone = Vec::new();
        for (conn, (entered, replies)) in &mut self.members {
            if *entered < batch.end().batch {
                let mut pieces = Pieces::default();
                let replies = std::mem::take(replies);
                let view = batch.view(ConnId::new(*conn), &replies, Terminator::CrLf, &mut pieces);
                self.sent.entry(*conn).or_default().put(pieces);
                if view.last {
                    gone.push(*conn);
                }
            }
        }
        self.members.retain(|conn, _| !gone.contains(conn));
    }
}

proptest! {
    #[test]
    fn everybody_gets_what_the_model_says(steps in vec(step(), 0..80)) {
        let (mut rig, mut model) = (Rig::default(), Model::default());
        let mut fresh = 100;
        let mut ids = BTreeMap::new(); // A connection that comes back is another one.
        for step in steps.into_iter().chain([Step::TakeBatch]) {
            match step {
                Step::Join(who, join_as) => {
                    if ids.contains_key(&who) {
                        continue;
                    }
                    fresh += 1;
                    let place = rig.room.position();
                    let joined = rig.room.join(ConnId::new(fresh), join_as);
                    let name = match join_as {
                        JoinAs::Name(name) => name,
                        JoinAs::Guest => {
                            model.guests += 1;
                            Name::guest(model.guests)
                        }
                    };
                    let taken = model.here.values().any(|other| other.key() == name.key());
                    prop_assert_eq!(joined.is_err(), taken);
                    if taken {
                        continue;
                    }
                    ids.insert(who, fresh);
                    rig.members.insert(fresh, (place.batch, Vec::new()));
                    model.here.insert(fresh, name);
                    model.everybody_but(fresh, &format!("JOIN {name}"));
                    if matches!(join_as, JoinAs::Name(_)) {
                        model.to(fresh, "NAME OK");
                        model.to(fresh, "WELCOME");
                    }
                }
                Step::Say(who, text) => {
                    let conn = ids.get(&who).copied().unwrap_or(who);
                    let said = rig.room.say(ConnId::new(conn), Text::new(text.as_str()).unwrap());
                    prop_assert_eq!(said.is_some(), model.here.contains_key(&conn));
                    if let Some(name) = model.here.get(&conn).copied() {
                        model.everybody_but(conn, &format!("FROM {name} MSG {text}"));
                        model.to(conn, "OK");
                    }
                }
                Step::Leave(who, farewell) => {
                    let Some(conn) = ids.remove(&who) else { continue };
                    prop_assert!(rig.room.leave(ConnId::new(conn), farewell).is_some());
                    prop_assert!(rig.room.leave(ConnId::new(conn), farewell).is_none());
                    let name = model.here.remove(&conn).unwrap();
                    model.everybody_but(conn, &format!("LOGOUT {name}"));
                    if farewell == Farewell::Bye {
                        model.to(conn, "BYE");
                    }
                }
                Step::Ask(who) => {
                    let Some(conn) = ids.get(&who) else { continue };
                    let reply = rig.room.reply(Request::Clients);
                    rig.members.get_mut(conn).unwrap().1.push(reply);
                    let names: Vec<_> = model.here.values().map(Name::as_str).collect();
                    model.to(*conn, &format!("LIST CLIENTS {} {}", names.len(), names.join(" ")));
                }
                Step::TakeBatch => rig.take_batch(),
            }
        }
        for (conn, (_, replies)) in &rig.members {
            let waiting = rig.sent.entry(*conn).or_default();
            let mut pieces = Pieces::default();
            for reply in replies {
                reply.write(Terminator::CrLf, &mut pieces);
            }
            pieces.close();
            waiting.put(pieces);
        }
        for (conn, lines) in model.sent {
            let expected: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
            let got = rig.sent.remove(&conn).unwrap_or_default();
            prop_assert_eq!(String::from_utf8(got).unwrap(), expected, "connection {}", conn);
        }
        prop_assert!(rig.sent.values().all(Vec::is_empty));
    }
}
