//! Randomness that replays: the same seed gives the same draws, in whichever
//! order they are asked for.

use domain::id::AgentId;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for a play.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each `of`.
    pub fn new(seed: u64, of: &[u64]) -> Self {
        let mut random = Self(seed);
        for part in of {
            random.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            random.next();
        }
        random
    }

    /// The same for one agent.
    pub fn of_agent(seed: u64, agent: AgentId, of: &[u64]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *agent.as_bytes();
        let mut random = Self::new(seed, &[u64::from_be_bytes([a, b, c, d, e, f, g, h])]);
        random = Self::new(random.next(), of);
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

    /// From 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are drawn, which a float holds")]
    pub fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) as f64) / ((1_u64 << 53) as f64)
    }

    /// True with this chance: 0 never, 1 always.
    pub fn chance(&mut self, of: f64) -> bool {
        self.fraction() < of
    }

    /// Bytes of an id.
    pub fn id(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        bytes
    }
}
