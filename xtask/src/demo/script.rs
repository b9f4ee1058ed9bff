//! What happens in the demo, as it will be printed: `name > line` is said, `name < line` must be heard.

/// `nc` is somebody with netcat, hence in a plain session.
pub(super) const SCRIPT: &str = "
# ann comes in under her name
ann > PROT 0.1 CONNECT USER ann
ann < NAME OK
ann < WELCOME

# bob lets himself be asked for his; the first one is taken, in any case
bob > PROT 0.1 CONNECT NEW
bob < NAME REQ
bob > NAME Ann
bob < NAME FAILURE
bob < NAME REQ
bob > NAME bob
bob < NAME OK
bob < WELCOME
ann < JOIN bob

# somebody else has only netcat, and just speaks
nc > hello from netcat
nc < OK
ann < JOIN guest1
ann < FROM guest1 MSG hello from netcat
bob < JOIN guest1
bob < FROM guest1 MSG hello from netcat

# every message is an OK to its author, and a FROM to all others
ann > MSG hello
ann < OK
bob < FROM ann MSG hello
nc < FROM ann MSG hello
bob > MSG salut, ça va ?
bob < OK
ann < FROM bob MSG salut, ça va ?
nc < FROM bob MSG salut, ça va ?

# what only one asks, only one hears; a bad line harms nobody
bob > REQ CLIENTS
bob < LIST CLIENTS 3 ann bob guest1
bob > msg hello
bob < BAD REQ
bob > PING
bob < PONG

# netcat leaves
nc > BYE
nc < BYE
ann < LOGOUT guest1
bob < LOGOUT guest1

# the server stops
stop
ann < BYE
bob < BYE
";

/// One step of the script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// For those who watch.
    Remark(&'static str),
    /// This client sends this line.
    Say(&'static str, &'static str),
    /// This client receives this line.
    Hear(&'static str, &'static str),
    /// The server is told to stop.
    Stop,
}

/// The steps of a script.
pub(super) fn steps(script: &'static str) -> impl Iterator<Item = Step> {
    script.lines().filter(|line| !line.is_empty()).map(|line| {
        if let Some(remark) = line.strip_prefix("# ") {
            Step::Remark(remark)
        } else if let Some((who, said)) = line.split_once(" > ") {
            Step::Say(who, said)
        } else if let Some((who, heard)) = line.split_once(" < ") {
            Step::Hear(who, heard)
        } else {
            Step::Stop
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_apart() {
        let told: Vec<_> = steps("# hi\n\nann > MSG a < b\nbob < OK\nstop\n").collect();
        assert_eq!(told, [Step::Remark("hi"), Step::Say("ann", "MSG a < b"), Step::Hear("bob", "OK"), Step::Stop]);
    }
}
