//! A sequence of shared byte slices that can be read as one buffer without copying them.

use std::{io::IoSlice, mem, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use chat_proto::{ServerMessage, Terminator};

use crate::{
    batch::{Batch, write_line},
    listing::Listing,
};

/// Minimum length of a shared slice in bytes. Copying a shorter slice costs less than tracking it.
const MIN_SHARED_BYTES: usize = 1_024;

/// Bytes that other members may share.
#[derive(Debug)]
enum Piece {
    /// A whole batch. Most members hold nothing else, so this needs no second reference count.
    Batch(Arc<Batch>),
    Bytes(Bytes),
    Listing(Arc<Listing>),
}

impl Piece {
    /// The slice with this index. Only a listing has more than one.
    fn part(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Batch(batch) => (index == 0).then(|| batch.lines()),
            Self::Bytes(bytes) => (index == 0).then(|| bytes.as_ref()),
            Self::Listing(listing) => listing.parts().get(index).map(AsRef::as_ref),
        }
    }

    /// The slices from this index on.
    fn parts(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        (from..).map_while(|index| self.part(index))
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

/// The bytes for one member, most of them shared. Read them with the methods of [`Buf`].
///
/// A single piece, the usual case, needs no allocation.
#[derive(Debug, Default)]
pub struct Pieces {
    first: Piece,
    /// The read position in the first piece: index of the part, and offset in that part.
    part: usize,
    start: usize,
    /// The pieces after the first one. Those before the index `next` have been read.
    rest: Vec<Piece>,
    next: usize,
    /// Number of readable bytes.
    remaining: usize,
    /// Bytes after all pieces that are not shared. [`Pieces::close`] makes them readable.
    own: BytesMut,
}

impl Pieces {
    /// Appends a whole batch.
    pub(crate) fn push_batch(&mut self, batch: Arc<Batch>) {
        let length = batch.lines().len();
        self.push_piece(Piece::Batch(batch), length);
    }

    /// Appends a listing.
    pub(crate) fn push_listing(&mut self, listing: Arc<Listing>) {
        let length = listing.len();
        self.push_piece(Piece::Listing(listing), length);
    }

    /// Appends bytes that other members also receive.
    pub(crate) fn push_shared(&mut self, shared: Bytes) {
        if shared.len() < MIN_SHARED_BYTES {
            self.own.extend_from_slice(&shared);
        } else {
            let length = shared.len();
            self.push_piece(Piece::Bytes(shared), length);
        }
    }

    /// Appends a line for this member alone. [`Pieces::close`] makes it readable.
    pub fn push(&mut self, message: &ServerMessage, terminator: Terminator) {
        write_line(&mut self.own, message, terminator);
    }

    /// Makes the lines appended by [`Pieces::push`] readable.
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
            // The usual case: one write sent everything.
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
        let long = "x".repeat(MIN_SHARED_BYTES);
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
    fn an_advance_keeps_lines_that_are_not_closed() {
        let mut pieces = Pieces::default();
        pieces.push(&ServerMessage::Ok, Terminator::Lf);
        pieces.advance(0);
        pieces.close();
        assert_eq!(pieces.chunk(), b"OK\n");
    }

    #[test]
    fn long_slices_are_shared_and_short_slices_are_copied() {
        let shared = Bytes::from("x".repeat(MIN_SHARED_BYTES));
        let mut pieces = Pieces::default();
        pieces.push_shared(shared.clone());
        assert_eq!(pieces.chunk().as_ptr(), shared.as_ptr());
        pieces.push_shared(shared.slice(1..));
        pieces.close();
        assert_eq!(pieces.rest.len(), 1);
        assert_ne!(pieces.rest[0].part(0).unwrap().as_ptr(), shared[1..].as_ptr());
    }
}
