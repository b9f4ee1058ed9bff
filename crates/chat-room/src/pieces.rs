//! A sequence of shared byte slices that reads as one buffer, without copying them.

use std::{io::IoSlice, mem, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use chat_proto::{ServerMessage, Terminator};

use crate::{
    batch::{Batch, put},
    listing::Listing,
};

/// Shared slices from this length on become a piece of their own. Copying a shorter one costs less than tracking it.
const MIN_SHARED: usize = 1_024;

/// Bytes that may be shared with other members.
#[derive(Debug)]
enum Piece {
    /// A whole batch. Holding the batch's own reference count saves each member a second one.
    Batch(Arc<Batch>),
    Bytes(Bytes),
    Listing(Arc<Listing>),
}

impl Piece {
    /// One of the slices that the piece consists of.
    fn part(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Batch(batch) => (index == 0).then(|| batch.lines()),
            Self::Bytes(bytes) => (index == 0).then(|| bytes.as_ref()),
            Self::Listing(listing) => listing.parts().get(index).map(AsRef::as_ref),
        }
    }

    fn parts(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        (from..).map_while(|index| self.part(index))
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

/// The bytes for one member, most of them shared. Read them through [`Buf`].
///
/// One piece, the usual case, takes no memory of its own.
#[derive(Debug, Default)]
pub struct Pieces {
    first: Piece,
    /// The read position in the first piece: index of the part, and offset in that part.
    part: usize,
    start: usize,
    /// The pieces behind the first, from index `next` on.
    rest: Vec<Piece>,
    next: usize,
    remaining: usize,
    /// Bytes that are not shared, behind all pieces. [`Pieces::close`] makes them readable.
    own: BytesMut,
}

impl Pieces {
    /// Adds a whole batch.
    pub(crate) fn push_batch(&mut self, batch: Arc<Batch>) {
        let length = batch.lines().len();
        self.push_piece(Piece::Batch(batch), length);
    }

    /// Adds a roster.
    pub(crate) fn push_listing(&mut self, listing: Arc<Listing>) {
        let length = listing.len();
        self.push_piece(Piece::Listing(listing), length);
    }

    /// Adds bytes that other members get too.
    pub(crate) fn push_shared(&mut self, shared: Bytes) {
        if shared.len() < MIN_SHARED {
            self.own.extend_from_slice(&shared);
        } else {
            let length = shared.len();
            self.push_piece(Piece::Bytes(shared), length);
        }
    }

    /// Adds a line that no other member gets. [`Pieces::close`] makes it readable.
    pub fn push(&mut self, message: &ServerMessage, terminator: Terminator) {
        put(&mut self.own, message, terminator);
    }

    /// Makes the lines of [`Pieces::push`] readable.
    pub fn close(&mut self) {
        if !self.own.is_empty() {
            let own = mem::take(&mut self.own).freeze();
            let length = own.len();
            self.add(Piece::Bytes(own), length);
        }
    }

    fn push_piece(&mut self, piece: Piece, length: usize) {
        self.close();
        self.add(piece, length);
    }

    fn add(&mut self, piece: Piece, length: usize) {
        if self.remaining == 0 {
            (self.first, self.part, self.start) = (piece, 0, 0);
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
        self.first.part(self.part).map_or(&[], |part| &part[self.start..])
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let first = std::iter::once(self.chunk()).chain(self.first.parts(self.part + 1));
        let rest = self.rest[self.next..].iter().flat_map(|piece| piece.parts(0));
        slices.iter_mut().zip(first.chain(rest)).map(|(slice, part)| *slice = IoSlice::new(part)).count()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advance within the remaining bytes");
        if count == self.remaining {
            // The usual case: everything was written at once.
            *self = Self { own: mem::take(&mut self.own), ..Self::default() };
            return;
        }
        self.remaining -= count;
        while count >= self.chunk().len() {
            count -= self.chunk().len();
            (self.part, self.start) = (self.part + 1, 0);
            if self.first.part(self.part).is_none() {
                (self.first, self.part) = (mem::take(&mut self.rest[self.next]), 0);
                self.next += 1;
            }
        }
        self.start += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::tests::listing;

    #[test]
    fn pieces_read_as_one_buffer() {
        let long = "x".repeat(MIN_SHARED);
        let whole = format!("ab{long}\nLIST CLIENTS 3 ann bob eve\r\nend{long}").into_bytes();
        // A socket may take any number of bytes at a time.
        for step in [1, 2, 3, 7, 1_000, whole.len()] {
            let mut pieces = Pieces::default();
            pieces.own.extend_from_slice(b"a");
            pieces.push_shared(Bytes::from_static(b"b"));
            pieces.push_shared(long.clone().into());
            pieces.own.extend_from_slice(b"\n");
            pieces.push_listing(listing(&["ann", "bob", "eve"]));
            pieces.push_shared(Bytes::from_static(b"end"));
            pieces.push_shared(long.clone().into());
            pieces.close();
            assert_eq!(pieces.remaining(), whole.len());
            let mut read = Vec::new();
            while pieces.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 64];
                let count = pieces.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
                assert_eq!(seen, &whole[read.len()..]);
                assert!(whole[read.len()..].starts_with(pieces.chunk()) && !pieces.chunk().is_empty());
                let taken = step.min(seen.len());
                read.extend_from_slice(&seen[..taken]);
                pieces.advance(taken);
            }
            assert_eq!(read, whole);
        }
    }

    #[test]
    fn lines_that_are_not_closed_yet_survive_an_advance() {
        let mut pieces = Pieces::default();
        pieces.push(&ServerMessage::Ok, Terminator::Lf);
        pieces.advance(0);
        pieces.close();
        assert_eq!(pieces.chunk(), b"OK\n");
    }

    #[test]
    fn long_slices_are_shared_and_short_ones_copied() {
        let shared = Bytes::from("x".repeat(MIN_SHARED));
        let mut pieces = Pieces::default();
        pieces.push_shared(shared.clone());
        assert_eq!(pieces.chunk().as_ptr(), shared.as_ptr());
        pieces.push_shared(shared.slice(1..));
        pieces.close();
        assert_eq!(pieces.rest.len(), 1);
        assert_ne!(pieces.rest[0].part(0).unwrap().as_ptr(), shared[1..].as_ptr());
    }
}
