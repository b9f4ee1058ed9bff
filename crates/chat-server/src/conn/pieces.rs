//! Pieces of shared memory, written one after the other as if they were one, and copied nowhere.

use std::{io::IoSlice, iter, mem, sync::Arc};

use bytes::{Buf, Bytes};

use crate::hub::Batch;

/// Octets that may be shared with others.
#[derive(Debug)]
pub(super) enum Piece {
    /// A batch as it is. It is held as it came out of the ring: to share its octets in any other way would cost each writer a
    /// little, and there are many.
    Batch(Arc<Batch>),
    Octets(Bytes),
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Batch(batch) => batch.lines(),
            Self::Octets(octets) => octets,
        }
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::Octets(Bytes::new())
    }
}

/// Nearly always there is one piece, which takes no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Piece,
    /// Where the first one goes on.
    start: usize,
    /// Those behind it, from `next` on.
    rest: Vec<Piece>,
    next: usize,
    remaining: usize,
}

impl Pieces {
    /// Adds a piece at the end.
    pub(super) fn push(&mut self, piece: Piece) {
        let length = piece.as_ref().len();
        if self.remaining == 0 {
            (self.first, self.start) = (piece, 0);
        } else if length > 0 {
            self.rest.push(piece);
        }
        self.remaining += length;
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        &self.first.as_ref()[self.start..]
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = iter::once(self.chunk()).chain(self.rest[self.next..].iter().map(Piece::as_ref));
        slices.iter_mut().zip(pieces).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "no further than there is something");
        if count == self.remaining {
            *self = Self::default(); // As nearly always: all at once.
            return;
        }
        self.remaining -= count;
        while count >= self.chunk().len() {
            count -= self.chunk().len();
            (self.first, self.start) = (mem::take(&mut self.rest[self.next]), 0);
            self.next += 1;
        }
        self.start += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_one_after_the_other() {
        let mut pieces = Pieces::default();
        for piece in ["ab", "", "cde", "f"] {
            pieces.push(Piece::Octets(piece.into()));
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
