//! From the first line to a member: sections 2 and 3 up to `WELCOME`.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use chat_proto::{ClientMessage, CodecError, MAX_NAME_FAILURES, Name, Refusal, ServerMessage, Session};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    lines::Lines,
    write::{close, within, write},
};
use crate::{
    hub::{JoinError, Joined, Membership, Wanted, encode},
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
    pub(super) membership: Membership,
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
    let joining = AtomicBool::new(false);
    let mut login = Login { shared, conn, peer, lines, writer, failures: 0, joining: &joining };
    let deadline = shared.options.login_timeout;
    let interrupted = {
        let mut run = pin!(login.run());
        let interrupted = tokio::select! {
            // Who has come in and who is told that it is too late must not be decided twice.
            biased;
            () = shared.cut.cancelled() => EndReason::Cut,
            member = within(deadline, &mut run) => match member {
                Some(member) => return member,
                None => EndReason::LoginTimeout,
            },
            () = shared.stop.cancelled() => EndReason::ServerStopped,
        };
        // The hub is about to answer, and may have let it in: then it is a member, and ends as one.
        let answered = poll_fn(|cx| match run.as_mut().poll(cx) {
            Poll::Ready(member) => Poll::Ready(Some(member)),
            Poll::Pending if joining.load(Ordering::Relaxed) => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        });
        if joining.load(Ordering::Relaxed)
            && let Some(Ok(member)) = answered.await
        {
            return Ok(member);
        }
        interrupted
    };
    if interrupted != EndReason::ServerStopped {
        return Err(interrupted);
    }
    tokio::select! {
        biased;
        () = shared.cut.cancelled() => Err(EndReason::Cut),
        ended = login.end(&[ServerMessage::Bye], EndReason::ServerStopped) => ended,
    }
}

struct Login<'a, R, W> {
    shared: &'a Shared,
    conn: ConnId,
    peer: &'a PeerInfo,
    lines: &'a mut Lines<R>,
    writer: &'a mut W,
    failures: u32,
    /// Whether it waits for the hub's answer.
    joining: &'a AtomicBool,
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
        match self.join(Wanted::Name(name)).await {
            Ok((joined, membership)) => Ok(Some(Box::new(Member { joined, membership, first: None }))),
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
        match self.join(Wanted::Guest).await {
            Ok((joined, membership)) => Ok(Box::new(Member { joined, membership, first: Some(Box::new(first)) })),
            Err(_) => self.end(&[ServerMessage::Bye], EndReason::ServerStopped).await,
        }
    }

    async fn join(&mut self, wanted: Wanted) -> Result<(Joined, Membership), JoinError> {
        self.joining.store(true, Ordering::Relaxed);
        let answer = self.shared.hub.join(self.conn, wanted).await;
        self.joining.store(false, Ordering::Relaxed);
        answer
    }

    /// Clause 3.3.
    async fn refuse_name(&mut self) -> Result<(), EndReason> {
        self.failures += 1;
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
