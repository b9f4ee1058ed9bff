//! Turning a connection away that was never let in (clause 2.6).

use chat_proto::{ServerMessage, Terminator};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    lines::Lines,
    linger,
    write::{close, write},
};
use crate::{hub::encode, shared::Shared};

/// Says `BYE` and closes. Beyond so many at once it just closes, so that a flood of them costs nothing for long.
pub(super) async fn refuse<R, W>(shared: &Shared, mut lines: Lines<R>, mut writer: W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let Ok(_place) = shared.farewells.try_acquire() else { return };
    let bye = encode(&[], &[ServerMessage::Bye], Terminator::CrLf);
    if write(&mut writer, &bye, shared.options.write_timeout).await.is_ok() {
        close(&mut writer, shared.options.write_timeout).await;
        linger(shared, &mut lines).await;
    }
}
