//! `LIST CLIENTS` at one position: one value for all members that ask there, and it shares most of its bytes with later
//! ones.

use std::sync::{Arc, OnceLock};

use chat_proto::{MAX_LINE, Terminator};

/// A slice of a roster's bytes.
pub(crate) type Part = Arc<[u8]>;

/// A roster in as many lines as it needs (clause 3.6). The names stand in chunks that consecutive rosters share.
#[derive(Debug)]
pub struct Listing {
    parts: Box<[Part]>,
    length: usize,
    /// The same lines ended by LF, made when first needed.
    lf: OnceLock<Arc<Self>>,
}

impl Listing {
    /// A roster of `clients` names. In the chunks, each name has a SP before it.
    pub(crate) fn new(clients: usize, chunks: impl Iterator<Item = Part>) -> Self {
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

    /// The roster with this terminator.
    pub(crate) fn ended_by(self: &Arc<Self>, terminator: Terminator) -> Arc<Self> {
        let lf = |part: &Part| match part.strip_prefix(b"\r") {
            Some(rest) => rest.into(),
            None => Arc::clone(part),
        };
        Arc::clone(match terminator {
            Terminator::CrLf => self,
            Terminator::Lf => self.lf.get_or_init(|| Arc::new(Self::of(self.parts.iter().map(lf).collect()))),
        })
    }

    /// The slices that the roster consists of. None is empty.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn listing(names: &[&str]) -> Arc<Listing> {
        let chunks = names.iter().map(|name| format!(" {name}").into_bytes().into());
        Arc::new(Listing::new(names.len(), chunks))
    }

    #[test]
    fn lines_have_the_terminator_that_is_asked_for() {
        let listing = listing(&vec!["ann"; 3_000]);
        let text = |terminator| String::from_utf8(listing.ended_by(terminator).parts().concat()).unwrap();
        let (crlf, lf) = (text(Terminator::CrLf), text(Terminator::Lf));
        assert_eq!(crlf.matches("\r\n").count(), 2);
        assert_eq!((listing.len(), crlf.replace("\r\n", "\n")), (crlf.len(), lf));
        assert!(Arc::ptr_eq(&listing.ended_by(Terminator::Lf), &listing.ended_by(Terminator::Lf)));
    }
}
