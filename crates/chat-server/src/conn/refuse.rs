//! Turning a connection away that was never let in (clause 2.6).

use chat_proto::{ServerMessage, Terminator};
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    LINGER,
    lines::Lines,
    linger,
    write::{close, write},
};
use crate::{hub::encode, reason::EndReason, shared::Shared};

/// Says `BYE` and closes. Every one is told. Only so many at once are also read from for a moment after that, so that a flood
/// of them holds nothing for long; from the others, what has come already is read.
pub(super) async fn refuse<R, W>(shared: &Shared, mut lines: Lines<R>, mut writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut bye = encode(&[ServerMessage::Bye], Terminator::CrLf);
    let telling = async {
        // A new socket takes five bytes at once. A stream that does not is not waited for any longer.
        write(&mut writer, &mut bye, Some(LINGER)).await?;
        close(&mut writer, Some(LINGER)).await;
        Ok::<_, EndReason>(())
    };
    let told = tokio::select! {
        biased;
        () = shared.cut.cancelled() => return,
        told = telling => told,
    };
    match shared.farewells.try_acquire() {
        Ok(_place) if told.is_ok() => linger(shared, &mut lines).await,
        // Closing with unread bytes is a reset, which can destroy the BYE.
        _ => _ = lines.discard().now_or_never(),
    }
}
