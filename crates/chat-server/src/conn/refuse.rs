//! Turning a connection away that was never let in (clause 2.6).

use chat_proto::{ServerMessage, Terminator};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    lines::Lines,
    linger,
    write::{close, write},
};
use crate::{hub::encode, reason::EndReason, shared::Shared};

/// Says `BYE` and closes. Beyond so many at once it just closes, so that a flood of them costs nothing for long.
pub(super) async fn refuse<R, W>(shared: &Shared, mut lines: Lines<R>, mut writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let Ok(_place) = shared.farewells.try_acquire() else { return };
    let mut bye = encode(&[], &[ServerMessage::Bye], Terminator::CrLf);
    let told = async {
        write(&mut writer, &mut bye, shared.options.write_timeout).await?;
        close(&mut writer, shared.options.write_timeout).await;
        Ok::<_, EndReason>(())
    };
    // Without a write deadline, only the cut ends the waiting for a peer that does not read.
    let told = tokio::select! {
        biased;
        () = shared.cut.cancelled() => return,
        told = told => told,
    };
    if told.is_ok() {
        linger(shared, &mut lines).await;
    }
}
