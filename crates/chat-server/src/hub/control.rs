//! What the embedding program asks of the hub: it visits the hub's task between two commands.

use std::sync::Arc;

use chat_proto::Text;
use chat_room::ConnId;
use tokio::sync::oneshot;

use super::{Hub, Stopped, command::Command, reply_queue::ReplyQueue, task::Task};
use crate::{
    event::{EventSource, Events},
    member::Member,
    reason::EndReason,
};

/// What became of a notice to one member.
pub(super) enum Notice {
    Placed,
    NoMember,
    /// It does not fit among these replies.
    Full(Arc<ReplyQueue>),
}

impl Hub {
    /// Runs `visit` in the hub's task, at its place in the order of commands.
    pub(super) async fn visit<T: Send + 'static>(
        &self,
        visit: impl FnOnce(&mut Task) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        let visit = |task: &mut Task| {
            // It fails only if nobody waits for the answer.
            let _ = reply.send(visit(task));
        };
        self.reserve().await?.send(Command::Visit(Box::new(visit)));
        self.check_that_it_runs()?;
        answer.await.map_err(|_| Stopped)
    }

    /// All members, in the order of their connections.
    pub(crate) async fn members(&self) -> Result<Vec<Member>, Stopped> {
        self.visit(|task| task.members()).await
    }

    /// All members, and all events after that.
    pub(crate) async fn watch(&self, events: EventSource) -> Result<(Vec<Member>, Events), Stopped> {
        self.visit(move |task| {
            // What was placed before belongs to the roster, not to the events.
            task.publish();
            (task.members(), events.subscribe())
        })
        .await
    }

    /// Tells all members something. Returns its number in the order.
    pub(crate) async fn notice(&self, text: Text) -> Result<u64, Stopped> {
        self.visit(|task| task.notice(text)).await
    }

    /// Tells one member something, once it fits among the replies that the member has not taken. `false` if it is not a
    /// member, or receives no lines.
    pub(crate) async fn notice_to(&self, conn: ConnId, text: Text) -> Result<bool, Stopped> {
        loop {
            let text = text.clone();
            match self.visit(move |task| task.notice_to(conn, text)).await? {
                Notice::Placed => return Ok(true),
                Notice::NoMember => return Ok(false),
                // Nothing is reserved meanwhile: this future may be dropped.
                Notice::Full(replies) => {
                    if !replies.wait_for_space().await {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Ends a member's connection. `false` if it is not a member.
    pub(crate) async fn end_member(&self, conn: ConnId, reason: EndReason) -> Result<bool, Stopped> {
        self.visit(move |task| task.end_member(conn, reason)).await
    }
}
