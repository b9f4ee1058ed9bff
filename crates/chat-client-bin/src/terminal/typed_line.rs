//! Handles what the person typed, at each stage of the connection.

use chat_client::{Name, SendError, conversation::Input};

use super::{
    Stage, Terminal, connecting,
    editor::{EditorCommand, EditorEvent},
    suspend,
};
use crate::{Exit, print_error};

const HELP: &str = "\
each line is a message to everybody; Tab completes names and commands
/clients     list who is here
/name NAME   set your name, if you have none yet
/reconnect   reconnect now
/quit        leave, as does Ctrl-D (Ctrl-C clears the line, and leaves if it is empty)
/help        list these commands
//text       send /text as a message";

impl Terminal<'_> {
    pub(super) async fn on_editor_event(&mut self, event: EditorEvent) -> Option<Exit> {
        let line = match event {
            EditorEvent::Line(line) => line,
            EditorEvent::Interrupt => return self.leave(Exit::Interrupted).await,
            EditorEvent::End => return self.leave(Exit::Done).await,
            EditorEvent::Suspend => {
                suspend::suspend().await;
                self.output.command(EditorCommand::Read);
                return None;
            }
            EditorEvent::Failed(why) => {
                print_error(&format!("the terminal failed: {why}; use a pipe instead"));
                return self.leave(Exit::Failed).await;
            }
        };
        if matches!(self.stage, Stage::AskingName) && !line.starts_with('/') {
            self.set_name(line.trim()).await;
            self.show_prompt();
            self.output.command(EditorCommand::Read);
            return None;
        }
        // A paste may contain several lines.
        let mut inputs = line.lines().map(Input::parse);
        if inputs.all(|input| matches!(input, Input::Say(_) | Input::Empty)) {
            self.output.erase_entered();
        }
        // If a line cannot be sent, keep it and all lines after it.
        let mut kept = Vec::new();
        for line in line.lines() {
            let input = Input::parse(line);
            if matches!(input, Input::Quit) {
                return self.leave(Exit::Done).await;
            }
            if !kept.is_empty() || !self.execute(input).await {
                kept.push(line);
            }
        }
        self.show_prompt();
        self.output.command(if kept.is_empty() {
            EditorCommand::Read
        } else {
            EditorCommand::ReadAgain(kept.join("\n"))
        });
        None
    }

    /// Executes a line. Returns `false` if it could not be sent and must be kept.
    async fn execute(&mut self, input: Input) -> bool {
        match input {
            Input::Empty | Input::Quit => {}
            Input::Say(text) => {
                let Stage::Connected(client) = &self.stage else {
                    self.output.note("not connected: your line was not sent, and is kept").await;
                    return false;
                };
                match client.queue(text.clone()).await {
                    Ok(receipt) => {
                        self.sent.push(text, receipt);
                    }
                    Err(SendError::Bye) => {
                        self.output.warning("a guest cannot send BYE as a message; /quit leaves").await;
                    }
                    Err(_) => return false,
                }
            }
            Input::Clients => match &self.stage {
                Stage::Connected(client) if client.name().is_some() => {
                    client.request_clients().await;
                }
                Stage::Connected(_) => {
                    self.output.warning("guests cannot list who is here; /name NAME sets a name").await;
                }
                _ => self.output.note("not connected").await,
            },
            Input::Help => {
                for line in HELP.lines() {
                    self.output.note(line).await;
                }
            }
            Input::Reconnect => match self.stage {
                Stage::Connected(_) => self.output.note("you are connected").await,
                _ => self.session.redial().hurry(),
            },
            Input::Name(name) => self.rename(&name).await,
            Input::UnknownCommand(word) => {
                self.output
                    .warning(&format!(
                        "no such command: {word} (/help lists them; to send it as a message, write /{word})"
                    ))
                    .await;
            }
            Input::InvalidText(why) => self.output.warning(&format!("not sent: {why}")).await,
            Input::Malformed(why) => self.output.warning(&why).await,
            _ => self.output.warning("not supported at a terminal").await,
        }
        true
    }

    async fn rename(&mut self, name: &str) {
        match &self.stage {
            Stage::Connected(client) => {
                if let Some(name) = client.name() {
                    self.output
                        .warning(&format!("you already have the name {name}; to change it, /quit and start again"))
                        .await;
                    return;
                }
                match Name::chosen(name) {
                    Ok(name) => {
                        self.name = Some(name);
                        self.session.redial().rename(Some(name));
                        client.leave().await;
                    }
                    Err(why) => self.output.warning(&why.to_string()).await,
                }
            }
            _ => self.set_name(name).await,
        }
    }

    /// Sets the name for the next session. An empty name joins as a guest.
    async fn set_name(&mut self, name: &str) {
        let name = match Name::chosen(name) {
            _ if name.is_empty() => None,
            Ok(name) => Some(name),
            Err(why) => {
                self.output.warning(&format!("{why}; choose another name")).await;
                return;
            }
        };
        self.name = name;
        self.session.redial().rename(name);
        self.session.resume();
        self.stage = Stage::Connecting;
        self.output.note(&connecting(&self.args.server)).await;
    }
}
