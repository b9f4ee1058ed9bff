//! One direction of one connection: bytes on their way, and the lines that they make.

use chat_proto::MAX_UNTERMINATED;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    time::{sleep, timeout_at},
};

use super::Shape;
use crate::clock::after;

/// What went by.
pub(super) enum Heard<'a> {
    /// A line, with its terminator; or, at the end, what had none.
    Line(&'a [u8]),
    /// The sending side was closed.
    End,
}

/// Passes bytes on until they end or nobody wants them.
pub(super) async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shape: Shape,
    mut hear: impl FnMut(Heard<'_>),
) {
    const AT_ONCE: usize = 64 * 1024;
    let (mut bytes, mut line) = (Vec::with_capacity(AT_ONCE), Vec::new());
    loop {
        bytes.clear();
        let mut count = from.read_buf(&mut bytes).await.unwrap_or(0);
        let until = after(shape.coalesce);
        while count > 0 && !shape.coalesce.is_zero() && bytes.len() < AT_ONCE {
            match timeout_at(until, from.read_buf(&mut bytes)).await {
                Ok(read) => count = read.unwrap_or(0),
                Err(_) => break,
            }
        }
        cut(&bytes, &mut line, &mut hear);
        if !shape.delay.is_zero() {
            sleep(shape.delay).await;
        }
        let piece = shape.split.unwrap_or(usize::MAX).max(1);
        for piece in bytes.chunks(piece) {
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
        hear(Heard::Line(&line));
    }
    hear(Heard::End);
    // The other side may be gone already.
    let _ = to.shutdown().await;
}

/// Tells of each line that is whole. One without end is told in parts, so that none fills the memory.
fn cut(bytes: &[u8], line: &mut Vec<u8>, hear: &mut impl FnMut(Heard<'_>)) {
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        line.extend(part);
        if part.ends_with(b"\n") || line.len() > MAX_UNTERMINATED {
            hear(Heard::Line(line));
            line.clear();
        }
    }
}
