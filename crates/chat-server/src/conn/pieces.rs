//! Pieces of shared memory, written one after the other as if they were one, and copied nowhere.

use std::{io::IoSlice, iter, mem};

use bytes::{Buf, Bytes};

/// Nearly always there is one piece, which takes no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Bytes,
    /// Those behind it, from `next` on.
    rest: Vec<Bytes>,
    next: usize,
    remaining: usize,
}

impl Pieces {
    /// Adds a piece at the end.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.remaining += piece.len();
        if self.first.is_empty() {
            self.first = piece;
        } else if !piece.is_empty() {
            self.rest.push(piece);
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(first: Bytes) -> Self {
        Self { remaining: first.len(), first, ..Self::default() }
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = iter::once(&self.first).chain(&self.rest[self.next..]);
        slices.iter_mut().zip(pieces).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "no further than there is something");
        if count == self.remaining {
            *self = Self::default(); // As nearly always: all at once.
            return;
        }
        self.remaining -= count;
        while count >= self.first.len() {
            count -= self.first.len();
            self.first = mem::take(&mut self.rest[self.next]);
            self.next += 1;
        }
        self.first.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_one_after_the_other() {
        let mut pieces = Pieces::default();
        for piece in ["ab", "", "cde", "f"] {
            pieces.push(piece.into());
        }
        assert_eq!((pieces.remaining(), pieces.chunk()), (6, &b"ab"[..]));
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!(pieces.chunks_vectored(&mut slices), 2);
        assert_eq!(&*slices[1], b"cde");
        pieces.advance(3);
        assert_eq!((pieces.remaining(), pieces.chunk()), (3, &b"de"[..]));
        pieces.advance(2);
        assert_eq!(pieces.copy_to_bytes(1), "f");
        assert!(!pieces.has_remaining() && pieces.chunk().is_empty());
    }
}
