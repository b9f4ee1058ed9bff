//! Numbers that follow from a seed: `SplitMix64`.

/// A generator of numbers that look random and follow from its seed, the same on every machine. Not for secrets.
///
/// ```
/// use chat_server::testkit::Rng;
///
/// let (mut one, mut same) = (Rng::new(42), Rng::new(42));
/// assert_eq!(one.next_u64(), same.next_u64());
/// assert!(one.below(6) < 6);
/// ```
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias is one in 2^64 / bound: irrelevant for tests.
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// An index into something of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// `true` once in `cases` calls, on average.
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }

    /// Another generator, whose numbers are independent of this one's.
    ///
    /// ```
    /// use chat_server::testkit::{Faults, Rng};
    ///
    /// let mut rng = Rng::new(42);
    /// // What one client draws does not change what the next one gets.
    /// let clients = [(); 3].map(|()| rng.fork());
    /// let faults = clients.map(|mut rng| Faults::seeded(&mut rng));
    /// assert!(faults[0] != faults[1] || faults[1] != faults[2]);
    /// ```
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the seed 1234567, as published.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut rng = Rng::new(1_234_567);
        let first = [(); 3].map(|()| rng.next_u64());
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut rng = Rng::new(0);
        assert!((0..1_000).all(|_| rng.below(7) < 7));
        assert_eq!((rng.below(0), rng.index(1)), (0, 0));
    }
}
