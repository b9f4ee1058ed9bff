//! Turning a connection away that was never let in (clause 2.6).

use chat_proto::{ServerMessage, Terminator};
use chat_room::encode;
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    LINGER,
    line_reader::LineReader,
    linger,
    write_timeout::{close, write},
};
use crate::{reason::EndReason, shared::Shared};

/// Sends `BYE` and closes the connection. A limited number of refused connections is also read from for a moment, so
/// that a flood of them holds no resources; of the others, only the bytes that were received already are read.
pub(super) async fn refuse<R, W>(shared: &Shared, mut lines: LineReader<R>, mut writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut bye = encode(&[ServerMessage::Bye], Terminator::CrLf);
    let telling = async {
        // A new socket takes five bytes at once.
        write(&mut writer, &mut bye, Some(LINGER)).await?;
        close(&mut writer, Some(LINGER)).await;
        Ok::<_, EndReason>(())
    };
    let told = tokio::select! {
        biased;
        () = shared.cut.cancelled() => return,
        told = telling => told,
    };
    match shared.lingering.try_acquire() {
        Ok(_permit) if told.is_ok() => linger(shared, &mut lines).await,
        // Closing a socket with unread bytes resets it, which can destroy the BYE.
        _ => _ = lines.discard().now_or_never(),
    }
}
