//! How much output may be under way to a viewer: enough to keep it busy, so
//! little that Ctrl-C shows at once. The time from sending to the viewer's
//! acknowledgement, less the way's own, is what stands in its queue.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What a viewer may have unacknowledged at first, as [`domain::wire::ToViewer::Welcome`] tells it.
pub const WINDOW: u32 = 128 * 1024;
/// A viewer acknowledges at least this often, in bytes, and whenever it has
/// drawn all: the window never falls below it.
const LEAST: u32 = 32 * 1024;
const MOST: u32 = 192 * 1024;
/// The window shrinks above the first, and grows below the second.
const QUEUED: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(12));
/// Sendings whose time is remembered; more are under way only when they are tiny.
const TIMED: usize = 64;

/// One viewer's window.
#[derive(Debug)]
pub struct Window {
    size: u32,
    /// The way's own time: the shortest that was seen.
    base: Duration,
    under_way: VecDeque<(u64, Instant)>,
}

impl Default for Window {
    fn default() -> Self {
        Self { size: WINDOW, base: Duration::MAX, under_way: VecDeque::new() }
    }
}

impl Window {
    /// In bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Output up to `end` was sent.
    pub fn sent(&mut self, end: u64, now: Instant) {
        if self.under_way.len() < TIMED {
            self.under_way.push_back((end, now));
        }
    }

    /// Output up to `offset` was drawn; `full` says whether the window held
    /// anything back meanwhile, without which it has no reason to grow.
    pub fn acked(&mut self, offset: u64, full: bool, now: Instant) {
        let mut latest = None;
        while let Some((end, at)) = self.under_way.front().copied().filter(|(end, _)| *end <= offset) {
            latest = Some((end, at));
            self.under_way.pop_front();
        }
        let Some((_, at)) = latest else { return };
        let took = now.duration_since(at);
        self.base = self.base.min(took);
        let queued = took - self.base;
        if queued > QUEUED.0 {
            self.size = (self.size / 4 * 3).max(LEAST);
        } else if full && queued < QUEUED.1 {
            self.size = (self.size + self.size / 8).min(MOST);
        }
    }

    /// Forgets what was under way: the viewer is drawn anew.
    pub fn restart(&mut self) {
        self.under_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a full window time and again to a viewer that draws at `rate`
    /// bytes a second over a way of `way`.
    fn settle(rate: f64, way: Duration) -> u32 {
        let mut window = Window::default();
        let (mut now, mut offset) = (Instant::now(), 0);
        for _ in 0..200 {
            let sent = now;
            let size = u64::from(window.size());
            // The first of a burst tells the way's own time.
            window.sent(offset + 1024, sent);
            window.sent(offset + size, sent);
            window.acked(offset + 1024, true, sent + way);
            now = sent + way + Duration::from_secs_f64(size as f64 / rate);
            window.acked(offset + size, true, now);
            offset += size;
        }
        window.size()
    }

    #[test]
    fn a_quick_viewer_gets_much_and_a_slow_one_little_wherever_it_is() {
        for way in [Duration::from_micros(50), Duration::from_millis(80)] {
            assert_eq!(settle(100e6, way), MOST);
            assert_eq!(settle(0.3e6, way), LEAST);
            let middle = f64::from(settle(5e6, way)) / 5e6;
            assert!((0.010..0.040).contains(&middle), "{middle} s at 5 MB/s");
        }
    }
}
