//! Handles what the person has entered, at each stage of the connection.

use chat_client::{Name, conversation::TypedLine};

use super::{
    Request, Stage, Terminal, connecting,
    input::{Command, Entered, HELP},
};
use crate::Exit;

impl Terminal<'_> {
    pub(super) async fn on_entered(&mut self, entered: Entered) -> Option<Exit> {
        if matches!(self.stage, Stage::AskingName)
            && (entered.is_verbatim || matches!(TypedLine::parse(&entered.text), TypedLine::Text(_)))
        {
            self.set_name(entered.text.trim());
            return None;
        }
        self.editor.remember(&entered);
        // If a line cannot be sent, keep it and all lines after it.
        let mut kept = Vec::new();
        for line in entered.text.lines() {
            let command = if entered.is_verbatim { Command::say(line) } else { Command::parse(line) };
            if command == Command::Quit {
                return self.leave(Exit::Done).await;
            }
            if !kept.is_empty() || !self.execute(command) {
                kept.push(line);
            }
        }
        if !kept.is_empty() {
            self.editor.restore(&Entered { text: kept.join("\n"), is_verbatim: entered.is_verbatim });
        }
        None
    }

    /// Executes a line. Returns `false` if the line must be kept, because it could not be sent.
    fn execute(&mut self, command: Command) -> bool {
        match command {
            Command::Nothing | Command::Quit => {}
            Command::Say(text) => {
                if !matches!(self.stage, Stage::Connected(_)) {
                    self.output.note("not connected: your line was not sent, and is kept");
                    return false;
                }
                self.requests.push(Request::Say(text));
            }
            Command::Clients => match &self.stage {
                Stage::Connected(client) if client.name().is_some() => self.requests.push(Request::Clients),
                Stage::Connected(_) => self.output.warning("guests cannot list who is here; /name NAME sets a name"),
                _ => self.output.note("not connected"),
            },
            Command::Help => HELP.lines().for_each(|line| self.output.note(line)),
            Command::Ignore(None) => {
                let list = self.output.ignored.list();
                self.output.note(&if list.is_empty() {
                    "you ignore nobody".to_owned()
                } else {
                    format!("ignored: {list}")
                });
            }
            Command::Ignore(Some(name)) => {
                let is_new = self.output.ignored.add(name);
                let already = if is_new { "" } else { "already " };
                self.output.note(&format!("{name} is {already}ignored; /unignore {name} ends that"));
            }
            Command::Unignore(name) => {
                let was_ignored = self.output.ignored.remove(name);
                let what = if was_ignored { "no longer" } else { "not" };
                self.output.note(&format!("{name} is {what} ignored"));
            }
            Command::Reconnect => self.session.reconnect(),
            Command::SetName(name) => self.rename(&name),
            Command::Invalid(why) => self.output.warning(&why),
            Command::InvalidText(why) => {
                self.output.warning(&format!("not sent, and kept: {why}"));
                return false;
            }
        }
        true
    }

    fn rename(&mut self, name: &str) {
        match &self.stage {
            Stage::Connected(client) => {
                if let Some(name) = client.name() {
                    let why = format!("you already have the name {name}; to change it, /quit and start again");
                    self.output.warning(&why);
                    return;
                }
                match Name::chosen(name) {
                    Ok(name) => {
                        self.name = Some(name);
                        self.session.redial().rename(Some(name));
                        self.requests.push(Request::Bye);
                    }
                    Err(why) => self.output.warning(&why.to_string()),
                }
            }
            _ => self.set_name(name),
        }
    }

    /// Sets the name for the next session. An empty name joins as a guest.
    fn set_name(&mut self, name: &str) {
        let name = match Name::chosen(name) {
            _ if name.is_empty() => None,
            Ok(name) => Some(name),
            Err(why) => {
                self.output.warning(&format!("{why}; choose another name"));
                return;
            }
        };
        self.name = name;
        self.session.redial().rename(name);
        self.session.resume();
        self.stage = Stage::Connecting;
        self.output.note(&connecting(&self.args.server));
    }
}
