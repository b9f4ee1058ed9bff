//! Measures the room without a network: placing messages, taking a batch, and building the view of a member.

use std::sync::Arc;

use chat_proto::{Name, Terminator, Text};
use chat_room::{Batch, ConnId, JoinAs, Pieces, Room};
use divan::Bencher;

/// Number of messages in a batch: in a quiet room, and under load.
const MESSAGES: [u64; 2] = [1, 200];
/// Number of members that send them.
const SPEAKERS: [u64; 3] = [1, 10, 100];
const MEMBERS: u64 = 1_000;

fn main() {
    divan::main();
}

/// A room with members, whose joins have been taken.
fn room() -> Room {
    let mut room = Room::default();
    for member in 0..MEMBERS {
        let name = Name::new(&format!("m{member}")).expect("a name");
        room.join(ConnId::new(member), JoinAs::Name(name)).expect("a free name");
    }
    room.take_batch();
    room
}

fn texts(messages: u64) -> Vec<Text> {
    (0..messages).map(|_| Text::new("x".repeat(64)).expect("a text")).collect()
}

fn say(room: &mut Room, texts: Vec<Text>, speakers: u64) -> Arc<Batch> {
    for (n, text) in (0..).zip(texts) {
        room.say(ConnId::new(n % speakers), text);
    }
    Arc::new(room.take_batch().expect("something was said"))
}

fn view(batch: &Arc<Batch>, member: u64) -> Pieces {
    let mut pieces = Pieces::default();
    batch.view(ConnId::new(member), &[], Terminator::CrLf, &mut pieces);
    pieces
}

/// Builds a batch from texts.
#[divan::bench(args = MESSAGES, consts = SPEAKERS)]
fn build<const SPEAKERS: u64>(bencher: Bencher<'_, '_>, messages: u64) {
    let mut room = room();
    bencher.with_inputs(|| texts(messages)).bench_local_values(|texts| say(&mut room, texts, SPEAKERS));
}

/// Builds the view of a member that sent no message.
#[divan::bench(args = MESSAGES)]
fn view_of_a_listener(bencher: Bencher<'_, '_>, messages: u64) {
    let batch = say(&mut room(), texts(messages), 100);
    bencher.bench(|| view(&batch, 500));
}

/// Builds the view of a member that sent all messages, a tenth of them, or a hundredth of them.
#[divan::bench(args = MESSAGES, consts = SPEAKERS)]
fn view_of_a_speaker<const SPEAKERS: u64>(bencher: Bencher<'_, '_>, messages: u64) {
    let batch = say(&mut room(), texts(messages), SPEAKERS);
    bencher.bench(|| view(&batch, 0));
}
