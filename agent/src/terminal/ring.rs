//! The most recent output, by offset.

use std::collections::VecDeque;

/// How much recent output is kept at least, in bytes: what a viewer who was
/// cut off for a moment gets exactly, and the most that one is sent at once.
pub const RING: usize = 256 * 1024;
/// What goes, goes by so much at a time: it can be judged as a whole.
const BLOCK: usize = 64 * 1024;

/// The last bytes of a stream. Takes memory as it fills.
#[derive(Debug, Default)]
pub struct Ring {
    bytes: VecDeque<u8>,
    end: u64,
}

impl Ring {
    /// Offset of the first byte that is kept.
    pub fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Offset of the next byte to come.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Makes room for `more` bytes, of which there may be no more than [`BLOCK`].
    /// What goes is handed to `parted` in two pieces, with some of what comes
    /// after it.
    pub fn make_room(&mut self, more: usize, parted: impl FnOnce((&[u8], &[u8]), &[u8])) {
        if self.bytes.len() + more <= RING + BLOCK {
            return;
        }
        let start = self.start();
        let gone = self.slices(start, BLOCK);
        let (after, rest) = self.slices(start + BLOCK as u64, BLOCK);
        parted(gone, if after.len() < BLOCK / 2 { rest } else { after });
        self.bytes.drain(..BLOCK);
    }

    /// Adds bytes, for which there must be room.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() < self.bytes.len() + bytes.len() && self.bytes.len() > BLOCK {
            // Not the double, once it is clear that it fills.
            self.bytes.reserve_exact(RING + BLOCK - self.bytes.len());
        }
        self.bytes.extend(bytes);
        self.end += bytes.len() as u64;
    }

    /// Up to `most` bytes from an offset that is kept, in two pieces.
    pub fn slices(&self, offset: u64, most: usize) -> (&[u8], &[u8]) {
        let skip = usize::try_from(offset.saturating_sub(self.start())).unwrap_or(usize::MAX);
        let skip = skip.min(self.bytes.len());
        let length = (self.bytes.len() - skip).min(most);
        let (first, second) = self.bytes.as_slices();
        let part = |slice: &'_ [u8], from: usize, to: usize| from.min(slice.len())..to.min(slice.len());
        let head = &first[part(first, skip, skip + length)];
        let from = skip.saturating_sub(first.len());
        let to = (skip + length).saturating_sub(first.len());
        (head, &second[part(second, from, to)])
    }

    /// Whether `offset` can be gone on from.
    pub fn holds(&self, offset: u64) -> bool {
        (self.start()..=self.end).contains(&offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_and_what_went_make_the_whole_stream() {
        let stream: Vec<u8> = (0..5 * RING).map(|n| (n * 31 / 7) as u8).collect();
        let (mut ring, mut gone) = (Ring::default(), Vec::new());
        let mut rest = &stream[..];
        let mut size = 1;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(size.min(rest.len()));
            ring.make_room(now.len(), |(first, second), _| gone.extend([first, second].concat()));
            ring.push(now);
            assert_eq!(ring.start(), gone.len() as u64);
            rest = later;
            size = (size * 7 + 3) % BLOCK + 1;
        }
        assert!(ring.end() - ring.start() >= RING as u64 && ring.bytes.capacity() <= 2 * RING);
        let (a, b) = ring.slices(ring.start(), usize::MAX);
        assert_eq!([&gone[..], a, b].concat(), stream);
        let (a, b) = ring.slices(ring.end() - 10, 4);
        assert_eq!([a, b].concat(), stream[stream.len() - 10..][..4]);
        assert!(ring.holds(ring.start()) && ring.holds(ring.end()) && !ring.holds(ring.end() + 1));
    }
}
