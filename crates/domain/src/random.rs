//! Randomness that replays: the same seed gives the same draws, in whichever
//! order its streams are asked for. For plays and tests; nothing secret may
//! come of it.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for a play.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each `of`, so that what is drawn for one thing
    /// does not depend on what was drawn for another before.
    pub fn new(seed: u64, of: &[u64]) -> Self {
        let mut random = Self(seed);
        for part in of {
            random.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            random.draw();
        }
        random
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        match most.saturating_sub(least).checked_add(1) {
            Some(width) => least + self.draw() % width,
            None => self.draw(),
        }
    }

    /// From 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are drawn, which a float holds")]
    pub fn fraction(&mut self) -> f64 {
        ((self.draw() >> 11) as f64) / ((1_u64 << 53) as f64)
    }

    /// True with this chance: 0 never, 1 always.
    pub fn chance(&mut self, of: f64) -> bool {
        self.fraction() < of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_replays_and_draws_as_the_paper_says() {
        // The first draws of the reference implementation with the seed 0.
        let mut random = Random::new(0, &[]);
        assert_eq!([random.draw(), random.draw()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        assert_ne!(Random::new(0, &[1]).draw(), Random::new(0, &[2]).draw());
    }

    #[test]
    fn a_range_has_both_its_ends() {
        let mut random = Random::new(7, &[]);
        let drawn: std::collections::BTreeSet<_> = (0..200).map(|_| random.between(3, 6)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!((0..200).all(|_| (0.0..1.0).contains(&random.fraction())));
        assert!(!random.chance(0.0) && random.chance(1.0));
    }
}
