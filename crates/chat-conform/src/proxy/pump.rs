//! One direction of a connection: forwards the bytes, and reports the lines in them.

use chat_proto::MAX_UNTERMINATED;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    time::{sleep, timeout_at},
};

use super::Shape;
use crate::clock::deadline_after;

/// What one side of the connection did.
pub(super) enum PumpEvent<'a> {
    /// It sent these bytes. The lines in them follow.
    Read(&'a [u8]),
    /// It sent a line, with its terminator. The last line may have none, and a line that is too long comes in parts.
    Line(&'a [u8]),
    /// It sent the beginning of a line.
    Unfinished(&'a [u8]),
    /// It closed its sending side.
    Closed,
}

/// Forwards bytes until the sender closes or the receiver no longer accepts them. `on_event` returns whether the event
/// is handled. An unfinished line that is not handled is reported again, with what follows.
pub(super) async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shape: Shape,
    mut on_event: impl FnMut(PumpEvent<'_>) -> bool,
) {
    const READ_SIZE: usize = 64 * 1024;
    let (mut bytes, mut line) = (Vec::with_capacity(READ_SIZE), Vec::new());
    loop {
        bytes.clear();
        let mut count = from.read_buf(&mut bytes).await.unwrap_or(0);
        let deadline = deadline_after(shape.coalesce);
        while count > 0 && !shape.coalesce.is_zero() && bytes.len() < READ_SIZE {
            match timeout_at(deadline, from.read_buf(&mut bytes)).await {
                Ok(read) => count = read.unwrap_or(0),
                Err(_) => break,
            }
        }
        on_event(PumpEvent::Read(&bytes));
        split_lines(&bytes, &mut line, &mut on_event);
        if !line.is_empty() && on_event(PumpEvent::Unfinished(&line)) {
            line.clear();
        }
        if !shape.delay.is_zero() {
            sleep(shape.delay).await;
        }
        let max_write = shape.split.unwrap_or(usize::MAX).max(1);
        for piece in bytes.chunks(max_write) {
            if to.write_all(piece).await.is_err() {
                count = 0;
                break;
            }
        }
        if count == 0 {
            break;
        }
    }
    if !line.is_empty() {
        on_event(PumpEvent::Line(&line));
    }
    on_event(PumpEvent::Closed);
    // This fails if the receiver has closed already.
    let _ = to.shutdown().await;
}

/// Appends `bytes` to `line`, and reports each complete line. Reports a line that is too long in parts, to bound the
/// memory.
fn split_lines(bytes: &[u8], line: &mut Vec<u8>, on_event: &mut impl FnMut(PumpEvent<'_>) -> bool) {
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        line.extend(part);
        if part.ends_with(b"\n") || line.len() > MAX_UNTERMINATED {
            on_event(PumpEvent::Line(line));
            line.clear();
        }
    }
}
