//! What the core does without a network: building a batch, and writing around the spans of one member.

use std::net::Ipv4Addr;

use chat_proto::Text;
use chat_server::bench::{Batch, Limits, Room};
use divan::Bencher;

/// Messages in a batch: at rest, and under load.
const MESSAGES: [u64; 2] = [1, 200];
/// Who says them.
const SPEAKERS: [u64; 3] = [1, 10, 100];

fn main() {
    divan::main();
}

fn texts(messages: u64) -> Vec<Text> {
    (0..messages).map(|_| Text::new("x".repeat(64)).expect("a text")).collect()
}

fn say(room: &mut Room, texts: Vec<Text>, speakers: u64) -> Batch {
    for (n, text) in (0..).zip(texts) {
        room.say(n % speakers, text);
    }
    room.take().expect("something was said")
}

/// From texts to a batch.
#[divan::bench(args = MESSAGES, consts = SPEAKERS)]
fn build<const SPEAKERS: u64>(bencher: Bencher<'_, '_>, messages: u64) {
    let mut room = Room::of(1_000);
    bencher.with_inputs(|| texts(messages)).bench_local_values(|texts| say(&mut room, texts, SPEAKERS));
}

/// What a listener writes: shared octets, of which it has to find out that none is its own.
#[divan::bench(args = MESSAGES)]
fn view_of_a_listener(bencher: Bencher<'_, '_>, messages: u64) {
    let batch = say(&mut Room::of(1_000), texts(messages), 100);
    bencher.bench(|| batch.view(500));
}

/// What a speaker writes: `OK` in place of its own lines, which are all of them, or one in a hundred.
#[divan::bench(args = MESSAGES, consts = SPEAKERS)]
fn view_of_a_speaker<const SPEAKERS: u64>(bencher: Bencher<'_, '_>, messages: u64) {
    let batch = say(&mut Room::of(1_000), texts(messages), SPEAKERS);
    bencher.bench(|| batch.view(0));
}

/// What the rate limit of an address adds to each line.
#[divan::bench]
fn count_a_line(bencher: Bencher<'_, '_>) {
    let limits = Limits::of(Ipv4Addr::LOCALHOST.into());
    bencher.bench(|| limits.line());
}

/// What the limits of an address add to each connection: from one address, and from one that nobody has come from.
#[divan::bench(args = [true, false])]
fn enter_and_leave(bencher: Bencher<'_, '_>, known: bool) {
    let limits = Limits::of(Ipv4Addr::LOCALHOST.into());
    let mut next = Ipv4Addr::LOCALHOST.to_bits();
    bencher
        .with_inputs(|| {
            next += u32::from(!known);
            Ipv4Addr::from_bits(next).into()
        })
        .bench_local_values(|address| limits.visit(address));
}
