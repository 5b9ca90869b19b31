//! What was typed and is not known to have arrived. It is sent again after a
//! reconnect, from where the instance says that it lacks it.

use std::ops::Range;

/// The most typed bytes that are kept; past it nothing is taken in.
const MOST: usize = 8 * 1024 * 1024;

/// Typed bytes from the first that was not acknowledged.
#[derive(Debug, Default)]
pub struct Input {
    /// How many bytes were typed before those kept.
    offset: u64,
    kept: Vec<u8>,
}

impl Input {
    /// Takes in what was typed; gives its place among all that was, or none
    /// when too much waits already.
    pub fn typed(&mut self, bytes: &[u8]) -> Option<Range<u64>> {
        if self.kept.len() + bytes.len() > MOST {
            return None;
        }
        let start = self.offset + self.kept.len() as u64;
        self.kept.extend_from_slice(bytes);
        Some(start..start + bytes.len() as u64)
    }

    /// All before `offset` has arrived.
    pub fn arrived(&mut self, offset: u64) {
        let count = offset.saturating_sub(self.offset).min(self.kept.len() as u64);
        self.kept.drain(..count as usize);
        self.offset += count;
    }

    /// Where the instance goes on, at a new connection. One that never heard
    /// of this viewer counts anew: then nothing that waits is of use.
    pub fn resume(&mut self, offset: u64) {
        let end = self.offset + self.kept.len() as u64;
        if (self.offset..=end).contains(&offset) {
            self.arrived(offset);
        } else {
            *self = Self { offset, kept: Vec::new() };
        }
    }

    /// What is to be sent again, with the offset of its first byte.
    pub fn waiting(&self) -> (u64, &[u8]) {
        (self.offset, &self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_arrive_is_sent_again_and_nothing_twice() {
        let mut input = Input::default();
        assert_eq!(input.typed(b"echo "), Some(0..5));
        assert_eq!(input.typed(b"hi\r"), Some(5..8));
        input.arrived(5);
        assert_eq!(input.waiting(), (5, &b"hi\r"[..]));
        input.arrived(3);
        input.resume(6);
        assert_eq!(input.waiting(), (6, &b"i\r"[..]));
        assert_eq!(input.typed(b"ls"), Some(8..10));
    }

    #[test]
    fn a_terminal_that_never_heard_of_this_viewer_gets_only_what_follows() {
        let mut input = Input::default();
        input.typed(b"abc");
        input.arrived(2);
        input.resume(0);
        assert_eq!(input.waiting(), (0, &b""[..]));
        assert_eq!(input.typed(b"d"), Some(0..1));
    }

    #[test]
    fn no_more_is_kept_than_it_may() {
        let mut input = Input::default();
        assert!(input.typed(&vec![b'x'; MOST]).is_some());
        assert_eq!(input.typed(b"y"), None);
        input.arrived(1);
        assert!(input.typed(b"y").is_some());
    }
}
