//! What a typed line does, wherever the client is.

use chat_client::{Name, SendError, conversation::Input};

use super::{
    Place, Terminal, connecting,
    editor::{Next, Typed},
    suspend,
};
use crate::{Exit, complain};

const HELP: &str = "\
a line is a message to everybody; Tab completes names and commands
/clients     who is here
/name NAME   come in under this name, where you have none yet
/reconnect   try again now
/quit        leave (so does Ctrl-D; Ctrl-C clears the line, and leaves when it is empty)
/help        this
//text       say /text";

impl Terminal<'_> {
    pub(super) async fn typed(&mut self, typed: Typed) -> Option<Exit> {
        let line = match typed {
            Typed::Line(line) => line,
            Typed::Interrupt => return self.leave(Exit::Interrupted).await,
            Typed::End => return self.leave(Exit::Done).await,
            Typed::Suspend => {
                suspend::suspend().await;
                self.show.next(Next::Read);
                return None;
            }
            Typed::Failed(why) => {
                complain(&format!("the terminal failed: {why}; use a pipe"));
                return self.leave(Exit::Failed).await;
            }
        };
        if matches!(self.place, Place::Naming) && !line.starts_with('/') {
            self.named(line.trim()).await;
            self.show_prompt();
            self.show.next(Next::Read);
            return None;
        }
        // A paste may have brought several lines.
        let mut inputs = line.lines().map(Input::read);
        if inputs.all(|input| matches!(input, Input::Say(_) | Input::Nothing)) {
            self.show.erase();
        }
        let mut kept = Vec::new();
        for line in line.lines() {
            let input = Input::read(line);
            if matches!(input, Input::Quit) {
                return self.leave(Exit::Done).await;
            }
            if !kept.is_empty() || !self.take(input).await {
                kept.push(line);
            }
        }
        self.show_prompt();
        self.show.next(if kept.is_empty() { Next::Read } else { Next::ReadAgain(kept.join("\n")) });
        None
    }

    /// Does what a line says; `false`: it could not be sent, and is to be kept.
    pub(super) async fn take(&mut self, input: Input) -> bool {
        match input {
            Input::Nothing | Input::Quit => {}
            Input::Say(text) => {
                let Place::In(client) = &self.place else {
                    self.show.note("not connected: your line is kept").await;
                    return false;
                };
                match client.queue(text.clone()).await {
                    Ok(receipt) => {
                        self.sent.push(text, receipt);
                    }
                    Err(SendError::Bye) => self.show.warning("a guest cannot say BYE: /quit leaves").await,
                    Err(_) => return false,
                }
            }
            Input::Clients => match &self.place {
                Place::In(client) if client.name().is_some() => {
                    client.request_clients().await;
                }
                Place::In(_) => self.show.warning("guests cannot ask who is here: /name NAME gives you a name").await,
                _ => self.show.note("not connected").await,
            },
            Input::Help => {
                for line in HELP.lines() {
                    self.show.note(line).await;
                }
            }
            Input::Reconnect => match self.place {
                Place::In(_) => self.show.note("you are connected").await,
                _ => self.room.redial().hurry(),
            },
            Input::Name(name) => self.rename(&name).await,
            Input::Unknown(word) => {
                self.show
                    .warning(&format!("no such command: {word} (/help tells them; to say it, write /{word})"))
                    .await;
            }
            Input::Unsayable(why) => self.show.warning(&format!("not sent: {why}")).await,
            Input::Senseless(why) => self.show.warning(&why).await,
            _ => self.show.warning("this is not possible at a terminal").await,
        }
        true
    }

    pub(super) async fn rename(&mut self, name: &str) {
        match &self.place {
            Place::In(client) => {
                if let Some(name) = client.name() {
                    self.show.warning(&format!("you are {name} here: /quit, and come again as another")).await;
                    return;
                }
                match Name::chosen(name) {
                    Ok(name) => {
                        self.name = Some(name);
                        self.room.redial().rename(Some(name));
                        client.leave().await;
                    }
                    Err(why) => self.show.warning(&why.to_string()).await,
                }
            }
            _ => self.named(name).await,
        }
    }

    /// A name was given at the door; none: as a guest.
    pub(super) async fn named(&mut self, name: &str) {
        let name = match Name::chosen(name) {
            _ if name.is_empty() => None,
            Ok(name) => Some(name),
            Err(why) => {
                self.show.warning(&format!("{why}: choose another")).await;
                return;
            }
        };
        self.name = name;
        self.room.redial().rename(name);
        self.room.resume();
        self.place = Place::Away;
        self.show.note(&connecting(&self.args.server)).await;
    }
}
