//! From the first line to a member: sections 2 and 3 up to `WELCOME`.

use chat_proto::{ClientMessage, CodecError, MAX_NAME_FAILURES, Name, Refusal, ServerMessage, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::debug;

use super::{
    lines::Lines,
    write::{close, within, write},
};
use crate::{
    hub::{JoinError, Joined, Wanted, encode},
    options::PlainSessions,
    peer::{ConnId, PeerInfo},
    policy::Admission,
    reason::EndReason,
    shared::Shared,
};

/// Somebody who has come in. On the heap, so that tasks that hand it on do not keep room for it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) joined: Joined,
    /// A plain session's first line, which is one of the conversation already (clause 2.3).
    pub(super) first: Option<Box<ClientMessage>>,
}

/// Logs a connection in, or says why not. The answers up to there are written; `NAME OK` and `WELCOME` stand in the
/// ring, at the place of the `JOIN`.
pub(super) async fn log_in<R, W>(
    shared: &Shared,
    conn: ConnId,
    peer: &PeerInfo,
    lines: &mut Lines<R>,
    writer: &mut W,
) -> Result<Box<Member>, EndReason>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut login = Login { shared, conn, peer, lines, writer, failures: 0 };
    let deadline = shared.options.login_timeout;
    tokio::select! {
        // Who has come in and who is told that it is too late must not be decided twice.
        biased;
        member = within(deadline, login.run()) => return member.unwrap_or(Err(EndReason::LoginTimeout)),
        () = shared.stop.cancelled() => {}
    }
    login.end(&[ServerMessage::Bye], EndReason::ServerStopped).await
}

struct Login<'a, R, W> {
    shared: &'a Shared,
    conn: ConnId,
    peer: &'a PeerInfo,
    lines: &'a mut Lines<R>,
    writer: &'a mut W,
    failures: u32,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Login<'_, R, W> {
    async fn run(&mut self) -> Result<Box<Member>, EndReason> {
        loop {
            let line = match self.lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => return Err(EndReason::Closed),
                Err(CodecError::Io(error)) => return Err(EndReason::Transport(error.kind())),
                Err(_) => return Err(EndReason::EndlessLine),
            };
            match line {
                Ok(ClientMessage::ConnectNew) => self.say(&[ServerMessage::NameReq]).await?,
                Ok(ClientMessage::ConnectUser(name) | ClientMessage::Name(name)) => {
                    if let Some(member) = self.named(name).await? {
                        return Ok(member);
                    }
                }
                Ok(first) if self.lines.codec().session() == Some(Session::Plain) => return self.plain(first).await,
                Ok(_) => return self.end(&[ServerMessage::BadReq], EndReason::NoName).await,
                Err(error) => match error.refusal() {
                    Refusal::NameFailure => self.refuse_name().await?,
                    refusal => return self.end(&[refusal.into()], EndReason::NoLogin(error.fault())).await,
                },
            }
        }
    }

    /// `None`: not under this name.
    async fn named(&mut self, name: Name) -> Result<Option<Box<Member>>, EndReason> {
        match self.shared.policy.admit(self.peer, Some(name)) {
            Admission::Admit => {}
            Admission::RefuseName => return self.refuse_name().await.map(|()| None),
            Admission::Close => return self.end(&[ServerMessage::Bye], EndReason::Policy).await,
        }
        match self.shared.hub.join(self.conn, Wanted::Name(name)).await {
            Ok(joined) => Ok(Some(Box::new(Member { joined, first: None }))),
            Err(JoinError::Taken) => self.refuse_name().await.map(|()| None),
            Err(JoinError::Stopped) => self.end(&[ServerMessage::Bye], EndReason::ServerStopped).await,
        }
    }

    async fn plain(&mut self, first: ClientMessage) -> Result<Box<Member>, EndReason> {
        if self.shared.options.plain_sessions == PlainSessions::Refuse {
            return self.end(&[ServerMessage::BadProt], EndReason::PlainRefused).await;
        }
        if self.shared.policy.admit(self.peer, None) != Admission::Admit {
            return self.end(&[ServerMessage::Bye], EndReason::Policy).await;
        }
        match self.shared.hub.join(self.conn, Wanted::Guest).await {
            Ok(joined) => Ok(Box::new(Member { joined, first: Some(Box::new(first)) })),
            Err(_) => self.end(&[ServerMessage::Bye], EndReason::ServerStopped).await,
        }
    }

    /// Clause 3.3.
    async fn refuse_name(&mut self) -> Result<(), EndReason> {
        self.failures += 1;
        debug!(conn = self.conn.number(), peer = %self.peer, failures = self.failures, "name refused");
        if self.failures < MAX_NAME_FAILURES {
            self.say(&[ServerMessage::NameFailure, ServerMessage::NameReq]).await
        } else {
            self.end(&[ServerMessage::NameFailure], EndReason::NameFailures).await
        }
    }

    /// Says a last word, and ends the stream.
    async fn end<T>(&mut self, words: &[ServerMessage], reason: EndReason) -> Result<T, EndReason> {
        self.say(words).await?;
        close(self.writer, self.shared.options.write_timeout).await;
        Err(reason)
    }

    async fn say(&mut self, words: &[ServerMessage]) -> Result<(), EndReason> {
        let mut octets = encode(&[], words, self.lines.codec().terminator());
        write(self.writer, &mut octets, self.shared.options.write_timeout).await
    }
}
