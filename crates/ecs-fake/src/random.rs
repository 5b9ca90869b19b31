//! Randomness that replays: the same seed gives the same draws, whatever else
//! happens at the same time.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for tests.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each `of`, so that what is drawn for one task
    /// does not depend on what was drawn for another before.
    pub fn new(seed: u64, of: &[u64]) -> Self {
        let mut random = Self(seed);
        for part in of {
            random.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            random.next();
        }
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        match most.saturating_sub(least).checked_add(1) {
            Some(width) => least + self.next() % width,
            None => self.next(),
        }
    }

    /// True with this chance: 0 never, 1 always.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are drawn, which a float holds")]
    pub fn chance(&mut self, of: f64) -> bool {
        ((self.next() >> 11) as f64) / ((1_u64 << 53) as f64) < of
    }

    /// So many hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// In the form of a UUID, version 4.
    pub fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}
