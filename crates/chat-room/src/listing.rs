//! The reply to `REQ CLIENTS`. All members that ask at the same position share it, and later listings share its chunks.

use std::sync::{Arc, OnceLock};

use chat_proto::{MAX_LINE, Terminator};

/// Some bytes of a listing. Consecutive listings can share it.
pub(crate) type Part = Arc<[u8]>;

/// The names of all members, as one or more `LIST CLIENTS` lines (clause 3.6).
#[derive(Debug)]
pub(crate) struct Listing {
    parts: Box<[Part]>,
    length: usize,
    /// The same lines terminated by LF, created on first use.
    lf: OnceLock<Arc<Self>>,
}

impl Listing {
    /// A listing of `clients` names. The chunks contain the names, each preceded by a space. No chunk may be empty or
    /// longer than a line.
    pub(crate) fn new(clients: usize, chunks: impl Iterator<Item = Part>) -> Self {
        let head = format!("LIST CLIENTS {clients}");
        let next_line: Part = format!("\r\n{head}").into_bytes().into();
        let mut parts: Vec<Part> = vec![head.clone().into_bytes().into()];
        let mut line_length = head.len();
        for chunk in chunks {
            if line_length + chunk.len() + "\r\n".len() > MAX_LINE {
                parts.push(Arc::clone(&next_line));
                line_length = head.len();
            }
            line_length += chunk.len();
            parts.push(chunk);
        }
        parts.push((*b"\r\n").into());
        Self::from_parts(parts)
    }

    fn from_parts(parts: Vec<Part>) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        Self { parts: parts.into(), length, lf: OnceLock::new() }
    }

    /// The listing with this terminator.
    pub(crate) fn with_terminator(self: &Arc<Self>, terminator: Terminator) -> Arc<Self> {
        let without_cr = |part: &Part| match part.strip_prefix(b"\r") {
            Some(rest) => rest.into(),
            None => Arc::clone(part),
        };
        Arc::clone(match terminator {
            Terminator::CrLf => self,
            Terminator::Lf => {
                self.lf.get_or_init(|| Arc::new(Self::from_parts(self.parts.iter().map(without_cr).collect())))
            }
        })
    }

    /// The bytes of the listing, in order. No part is empty.
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
    fn lines_have_the_requested_terminator() {
        let listing = listing(&vec!["ann"; 3_000]);
        let text = |terminator| String::from_utf8(listing.with_terminator(terminator).parts().concat()).unwrap();
        let (crlf, lf) = (text(Terminator::CrLf), text(Terminator::Lf));
        assert_eq!(crlf.matches("\r\n").count(), 2);
        assert_eq!((listing.len(), crlf.replace("\r\n", "\n")), (crlf.len(), lf));
        assert!(Arc::ptr_eq(&listing.with_terminator(Terminator::Lf), &listing.with_terminator(Terminator::Lf)));
    }
}
