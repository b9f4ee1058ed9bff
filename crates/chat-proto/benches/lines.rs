//! What one line costs without a network: bytes to message, and message to bytes.

use bytes::BytesMut;
use chat_proto::{ClientMessage, Name, ServerCodec, ServerMessage, Session, Stage, Text};
use divan::{Bencher, counter::BytesCount};
use tokio_util::codec::Decoder;

/// Bytes of text in a message: a word, what the network benches send, and nearly as much as there may be.
const TEXTS: [usize; 3] = [8, 64, 1_900];

fn main() {
    divan::main();
}

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// One message out of a buffer of many, as a server decodes them.
#[divan::bench(args = TEXTS)]
fn decode(bencher: Bencher<'_, '_>, bytes: usize) {
    const LINES: usize = 100;
    let line = format!("MSG {}\r\n", text(bytes));
    let mut codec = ServerCodec::new();
    let mut login = BytesMut::from("PROT 0.1 CONNECT USER ann\r\n");
    codec.decode(&mut login).expect("a line").expect("a login").expect("a valid one");
    let codec = std::cell::RefCell::new(codec);
    bencher
        .counter(BytesCount::new(line.len() * LINES))
        .with_inputs(|| BytesMut::from(line.repeat(LINES).as_str()))
        .bench_local_refs(|buffer| {
            let mut codec = codec.borrow_mut();
            for _ in 0..LINES {
                divan::black_box(codec.decode(buffer).expect("lines"));
            }
        });
}

#[divan::bench(args = TEXTS)]
fn parse_client(bencher: Bencher<'_, '_>, bytes: usize) {
    bencher
        .with_inputs(|| format!("MSG {}", text(bytes)))
        .bench_values(|line| ClientMessage::parse(Stage::Later(Session::Named), line));
}

#[divan::bench(args = TEXTS)]
fn parse_server(bencher: Bencher<'_, '_>, bytes: usize) {
    bencher.with_inputs(|| format!("FROM ann MSG {}", text(bytes))).bench_values(ServerMessage::parse);
}

#[divan::bench(args = TEXTS)]
fn format(bencher: Bencher<'_, '_>, bytes: usize) {
    let name = Name::new("ann").expect("a name");
    let message = ServerMessage::From { name, text: Text::new(text(bytes)).expect("a text") };
    bencher
        .with_inputs(|| BytesMut::with_capacity(4_096))
        .bench_local_refs(|out| message.write(out).expect("room enough"));
}
