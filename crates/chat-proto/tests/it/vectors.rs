//! `protocole.md` against this crate: every vector of Annex C, and every clause that anything cites.
#![allow(clippy::unwrap_used, reason = "a panic is how a test says no")]

use bytes::BytesMut;
use chat_proto::{
    ClientCodec, ClientMessage, CodecError, Fault, NameError, ParseError, Refusal, ServerCodec, ServerMessage, Session,
    TextError,
    contract::{Context, Contract, Meaning, Vector},
};
use tokio_util::codec::Decoder;

fn contract() -> Contract {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocole.md");
    Contract::parse(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("protocole.md: {error}"))
}

/// Decodes what opens the session, if anything does, and then this one line. Gives what comes of the line.
fn decode<C, M>(mut codec: C, opening: &str, line: &[u8]) -> Result<M, ParseError>
where
    C: Decoder<Item = Result<M, ParseError>, Error = CodecError>,
{
    let mut src = BytesMut::from(opening);
    while !src.is_empty() {
        codec.decode(&mut src).unwrap().expect("the opening is whole lines").unwrap();
    }
    src.extend_from_slice(line);
    src.extend_from_slice(b"\r\n");
    codec.decode(&mut src).unwrap().expect("one line is one item")
}

/// What this crate makes of a vector's line, in the document's words, and how it writes it.
fn understood(vector: &Vector) -> (Meaning, Option<String>) {
    let opening = match vector.context {
        Context::Named => "PROT 0.1 CONNECT NEW\r\n",
        Context::Plain => "\r\n",
        _ => "",
    };
    let mut written = String::new();
    let meaning = if vector.context == Context::Server {
        decode(ClientCodec::new(Session::Named), opening, &vector.line).map(|message| {
            message.write(&mut written).unwrap();
            server_words(&message)
        })
    } else {
        decode(ServerCodec::new(), opening, &vector.line).map(|message| {
            let session = if vector.context == Context::Named { Session::Named } else { message.opens() };
            message.write(session, &mut written).unwrap();
            client_words(&message)
        })
    };
    match meaning {
        Ok((word, with)) => (Meaning::Says { word: word.to_owned(), with }, Some(written)),
        Err(error) => {
            let reply = (vector.context != Context::Server).then(|| refusal(error.refusal()).to_owned());
            (Meaning::Breaks { clause: error.clause().to_owned(), reply }, None)
        }
    }
}

fn client_words(message: &ClientMessage) -> (&'static str, Vec<String>) {
    match message {
        ClientMessage::ConnectNew => ("connect-new", vec![]),
        ClientMessage::ConnectUser(name) => ("connect-user", vec![name.to_string()]),
        ClientMessage::Name(name) => ("name", vec![name.to_string()]),
        ClientMessage::Msg(text) => ("message", vec![text.to_string()]),
        ClientMessage::ReqClients => ("clients", vec![]),
        ClientMessage::Ping => ("ping", vec![]),
        ClientMessage::Pong => ("pong", vec![]),
        ClientMessage::Bye => ("bye", vec![]),
        ClientMessage::Blank => ("blank", vec![]),
        other => panic!("Annex C has no word for {other:?}"),
    }
}

fn server_words(message: &ServerMessage) -> (&'static str, Vec<String>) {
    match message {
        ServerMessage::NameReq => ("name-req", vec![]),
        ServerMessage::NameOk => ("name-ok", vec![]),
        ServerMessage::NameFailure => ("name-failure", vec![]),
        ServerMessage::Welcome => ("welcome", vec![]),
        ServerMessage::Ok => ("ok", vec![]),
        ServerMessage::BadReq => ("bad-req", vec![]),
        ServerMessage::BadProt => ("bad-prot", vec![]),
        ServerMessage::Ping => ("ping", vec![]),
        ServerMessage::Pong => ("pong", vec![]),
        ServerMessage::Bye => ("bye", vec![]),
        ServerMessage::Join(name) => ("join", vec![name.to_string()]),
        ServerMessage::Logout(name) => ("logout", vec![name.to_string()]),
        ServerMessage::From { name, text } => ("from", vec![name.to_string(), text.to_string()]),
        ServerMessage::Notice(text) => ("notice", vec![text.to_string()]),
        ServerMessage::Clients { total, names } => {
            ("list", std::iter::once(total.to_string()).chain(names.iter().map(ToString::to_string)).collect())
        }
        ServerMessage::Other(line) => ("other", vec![line.clone()]),
        other => panic!("Annex C has no word for {other:?}"),
    }
}

fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::BadReq => "BAD REQ",
        Refusal::BadProt => "BAD PROT",
        Refusal::NameFailure => "NAME FAILURE",
        other => panic!("Annex C has no word for {other:?}"),
    }
}

/// Panics with all that is wrong, each with its line of the document.
#[track_caller]
fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_vector_means_what_the_document_says() {
    let contract = contract();
    let mut wrong = Vec::new();
    for vector in contract.vectors() {
        let (meaning, written) = understood(vector);
        let line = format!("protocole.md:{}: \"{:.80}\"", vector.at, vector.line.escape_ascii().to_string());
        if meaning != vector.meaning {
            wrong.push(format!(
                "{line} is {:.200}, not {:.200}",
                format!("{meaning:?}"),
                format!("{:?}", vector.meaning)
            ));
        } else if written.is_some_and(|written| written.as_bytes() != vector.line) {
            wrong.push(format!("{line} is not written as it was read"));
        }
    }
    none_wrong(&wrong);
}

#[test]
fn every_context_has_vectors() {
    let contract = contract();
    for context in [Context::First, Context::Named, Context::Plain, Context::Server] {
        let vectors = contract.vectors().iter().filter(|vector| vector.context == context).count();
        assert!(vectors >= 25, "{context:?} has {vectors} vectors");
    }
    assert!(contract.dialogues().len() >= 20);
}

#[test]
fn every_clause_that_the_annexes_cite_exists() {
    let contract = contract();
    let refusals = contract.vectors().iter().filter_map(|vector| match &vector.meaning {
        Meaning::Breaks { clause, .. } => Some((vector.at, clause)),
        _ => None,
    });
    let dialogues = contract.dialogues().iter();
    let shown = dialogues.flat_map(|dialogue| dialogue.clauses.iter().map(|clause| (dialogue.at, clause)));
    let missing = refusals.chain(shown).filter(|(_, clause)| !contract.has_clause(clause));
    none_wrong(
        &missing.map(|(at, clause)| format!("protocole.md:{at}: there is no clause {clause}")).collect::<Vec<_>>(),
    );
}

#[test]
fn every_clause_that_an_error_cites_exists() {
    let contract = contract();
    let faults = [
        Fault::CarriageReturn,
        Fault::NotUtf8,
        Fault::TooLong,
        Fault::NotChat,
        Fault::Http,
        Fault::Text(TextError::Empty),
        Fault::Name(NameError::Empty),
        Fault::Name(NameError::Reserved),
        Fault::Version,
        Fault::Connect,
        Fault::Tags,
        Fault::Request,
        Fault::From,
        Fault::Roster,
    ];
    let missing = faults.iter().filter(|fault| !contract.has_clause(fault.clause()));
    none_wrong(
        &missing.map(|fault| format!("there is no clause {} for {fault:?}", fault.clause())).collect::<Vec<_>>(),
    );
}
