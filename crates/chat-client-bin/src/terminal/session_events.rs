//! What happens in the room, and on the way into it.

use std::time::Duration;

use chat_client::{ChatClient, Closed, Event, Happening, OpenError};

use super::{Place, Terminal};
use crate::{Exit, open_failure};

impl Terminal<'_> {
    pub(super) async fn happened(&mut self, happening: Option<Happening>) -> Option<Exit> {
        match happening {
            Some(Happening::Connected { client, gap }) => self.came_in(client, gap).await,
            Some(Happening::Event(Event::Closed(closed))) => return self.closed(closed).await,
            Some(Happening::Event(event)) => {
                self.words.hear(&event);
                self.show.event(&event, self.name).await;
            }
            Some(Happening::Lost { why, unknown: _ }) => {
                self.place = Place::Away;
                if let Some((exit, _)) = self.leaving {
                    return Some(exit);
                }
                self.show.warning(&format!("connection lost: {why}")).await;
                if why == Closed::TurnedAway || !self.args.reconnect.or(true) {
                    return Some(if why == Closed::TurnedAway { Exit::Refused } else { Exit::Lost });
                }
            }
            Some(Happening::Failed { why, again }) => return self.failed(&why, again).await,
            Some(_) => {}
            None => return Some(self.leaving.map_or(Exit::Lost, |(exit, _)| exit)),
        }
        None
    }

    async fn came_in(&mut self, client: ChatClient, gap: Option<Duration>) {
        let server = &self.args.server;
        if let Some(gap) = gap {
            let gap = format!("~~~~ back again: {:.1} s were not heard, and are not shown ~~~~", gap.as_secs_f32());
            self.show.warning(&gap).await;
        }
        self.show
            .note(&match client.name() {
                Some(name) => format!("connected to {server} as {name}; /help tells the commands"),
                None => format!("connected to {server} as a guest; /name NAME gives you a name"),
            })
            .await;
        if client.name().is_some() {
            // The roster is an event, which Tab and the reader learn from.
            client.request_clients().await;
        }
        self.was_in = true;
        self.place = Place::In(client);
    }

    /// One's own BYE, or a server that takes no guests.
    async fn closed(&mut self, closed: Closed) -> Option<Exit> {
        self.place = Place::Away;
        if let Some((exit, _)) = self.leaving {
            return Some(exit);
        }
        self.room.resume();
        if closed == Closed::GuestsRefused {
            self.show.warning(&closed.to_string()).await;
            self.place = Place::Naming;
        }
        None
    }

    async fn failed(&mut self, why: &OpenError, again: Option<Duration>) -> Option<Exit> {
        let (exit, sentence) = open_failure::explain(why, &self.args.server);
        if again.is_none() && why.is_about_the_name() {
            self.show.warning(&why.to_string()).await;
            self.show.note("choose another name").await;
            self.place = Place::Naming;
            return None;
        }
        let tries = self.args.reconnect.or(self.was_in);
        let Some(delay) = again.filter(|_| tries) else {
            self.show.warning(&sentence).await;
            return Some(exit);
        };
        let sentence = if self.was_in { format!("cannot come back: {why}") } else { sentence };
        let next = format!("{sentence}; next try in {:.1} s, or /reconnect", delay.as_secs_f32());
        self.show.warning(&next).await;
        None
    }
}
