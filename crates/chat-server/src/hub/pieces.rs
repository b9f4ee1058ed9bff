//! Pieces of shared memory, written one after the other as if they were one, and copied nowhere.

use std::{io::IoSlice, mem, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};

use super::{batch::Batch, listing::Listing};

/// Shared bytes of this length are sent as a piece of their own. To copy shorter ones costs less than to keep track of
/// them.
const SHARE_FROM: usize = 1_024;

/// Bytes that may be shared with others.
#[derive(Debug)]
enum Piece {
    /// A batch as it is. It is held as it came out of the ring: to share its bytes in any other way would cost each writer a
    /// little, and there are many.
    Batch(Arc<Batch>),
    Bytes(Bytes),
    Listing(Arc<Listing>),
}

impl Piece {
    /// One of the slices that it consists of.
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

/// Nearly always there is one piece, which takes no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    first: Piece,
    /// Where the first piece goes on: in which of its parts, and where in that.
    part: usize,
    start: usize,
    /// Those behind it, from `next` on.
    rest: Vec<Piece>,
    next: usize,
    remaining: usize,
    /// What is not shared, and stands behind all pieces: see [`Pieces::close`].
    own: BytesMut,
}

impl Pieces {
    /// Adds a batch, as most get it.
    pub(super) fn push_batch(&mut self, batch: Arc<Batch>) {
        let length = batch.lines().len();
        self.push(Piece::Batch(batch), length);
    }

    /// Adds a roster.
    pub(super) fn push_listing(&mut self, listing: Arc<Listing>) {
        let length = listing.len();
        self.push(Piece::Listing(listing), length);
    }

    /// Adds bytes that others have too.
    pub(super) fn push_shared(&mut self, shared: Bytes) {
        if shared.len() < SHARE_FROM {
            self.own.extend_from_slice(&shared);
        } else {
            let length = shared.len();
            self.push(Piece::Bytes(shared), length);
        }
    }

    /// Where to add what nobody else has.
    pub(super) fn own(&mut self) -> &mut BytesMut {
        &mut self.own
    }

    /// Makes a piece of what is not shared. Before this, it is not there to be read.
    pub(super) fn close(&mut self) {
        if !self.own.is_empty() {
            let own = mem::take(&mut self.own).freeze();
            let length = own.len();
            self.add(Piece::Bytes(own), length);
        }
    }

    fn push(&mut self, piece: Piece, length: usize) {
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
        assert!(count <= self.remaining, "no further than there is something");
        if count == self.remaining {
            *self = Self::default(); // As nearly always: all at once.
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
    use crate::hub::listing::tests::listing;

    #[test]
    fn pieces_are_one_after_the_other() {
        let long = "x".repeat(SHARE_FROM);
        let whole = format!("ab{long}\nLIST CLIENTS 3 ann bob eve\r\nend{long}").into_bytes();
        // However much a socket takes at a time.
        for step in [1, 2, 3, 7, 1_000, whole.len()] {
            let mut pieces = Pieces::default();
            pieces.own().extend_from_slice(b"a");
            pieces.push_shared(Bytes::from_static(b"b"));
            pieces.push_shared(long.clone().into());
            pieces.own().extend_from_slice(b"\n");
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
    fn what_is_long_is_shared_and_what_is_short_is_copied() {
        let shared = Bytes::from("x".repeat(SHARE_FROM));
        let mut pieces = Pieces::default();
        pieces.push_shared(shared.clone());
        assert_eq!(pieces.chunk().as_ptr(), shared.as_ptr());
        pieces.push_shared(shared.slice(1..));
        pieces.close();
        assert_eq!(pieces.rest.len(), 1);
        assert_ne!(pieces.rest[0].part(0).unwrap().as_ptr(), shared[1..].as_ptr());
    }
}
