//! `LIST CLIENTS` as it stood at one moment: shared by all who asked then, and most of it with those who ask later.

use std::sync::{Arc, OnceLock};

use chat_proto::{MAX_LINE, Terminator};

/// Part of a roster's bytes.
pub(super) type Part = Arc<[u8]>;

/// A roster in as many lines as it takes (clause 3.6). It holds no names of its own: they stand in chunks that rosters share.
#[derive(Debug)]
pub(crate) struct Listing {
    parts: Box<[Part]>,
    length: usize,
    /// The same lines ended by LF, once somebody needs them.
    lf: OnceLock<Arc<Self>>,
}

impl Listing {
    /// Of so many clients, whose names stand in these chunks, each of them with SP before it.
    pub(super) fn new(clients: usize, chunks: impl Iterator<Item = Part>) -> Self {
        let head = format!("LIST CLIENTS {clients}");
        let next: Part = format!("\r\n{head}").into_bytes().into();
        let mut parts: Vec<Part> = vec![head.clone().into_bytes().into()];
        let mut line = head.len();
        for chunk in chunks {
            if line + chunk.len() + "\r\n".len() > MAX_LINE {
                parts.push(Arc::clone(&next));
                line = head.len();
            }
            line += chunk.len();
            parts.push(chunk);
        }
        parts.push((*b"\r\n").into());
        Self::of(parts)
    }

    fn of(parts: Vec<Part>) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        Self { parts: parts.into(), length, lf: OnceLock::new() }
    }

    /// With the lines ended as a peer wants them.
    pub(super) fn ended_by(self: &Arc<Self>, terminator: Terminator) -> Arc<Self> {
        let lf = |part: &Part| match part.strip_prefix(b"\r") {
            Some(rest) => rest.into(),
            None => Arc::clone(part),
        };
        Arc::clone(match terminator {
            Terminator::CrLf => self,
            Terminator::Lf => self.lf.get_or_init(|| Arc::new(Self::of(self.parts.iter().map(lf).collect()))),
        })
    }

    /// Its bytes, one part after the other; none is empty.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn listing(names: &[&str]) -> Arc<Listing> {
        let chunks = names.iter().map(|name| format!(" {name}").into_bytes().into());
        Arc::new(Listing::new(names.len(), chunks))
    }

    #[test]
    fn its_lines_end_as_the_peer_wants_them() {
        let listing = listing(&vec!["ann"; 3_000]);
        let text = |terminator| String::from_utf8(listing.ended_by(terminator).parts().concat()).unwrap();
        let (crlf, lf) = (text(Terminator::CrLf), text(Terminator::Lf));
        assert_eq!(crlf.matches("\r\n").count(), 2);
        assert_eq!((listing.len(), crlf.replace("\r\n", "\n")), (crlf.len(), lf));
        assert!(Arc::ptr_eq(&listing.ended_by(Terminator::Lf), &listing.ended_by(Terminator::Lf)));
    }
}
