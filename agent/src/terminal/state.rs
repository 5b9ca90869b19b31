//! What a terminal knows: recent output, the screen, who views it and how far,
//! and input on its way. No I/O and no clock.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::wire::{Grid, Malformed, OUTPUT_HEADER, ToViewer, output_header};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::ring::{RING, Ring};
use super::screen::{Screen, is_plain, scrolls_away};
use super::window::{WINDOW, Window};

/// The most output in one frame, in bytes.
const FRAME: usize = 32 * 1024;
/// A viewer that draws nothing for so long does not hold the program up any
/// longer: it loses its place, and is drawn the screen when it goes on.
pub const STALLED: Duration = Duration::from_secs(10);
/// A viewer that was cut off finds its place again for so long, even in a flood.
const CUT: Duration = Duration::from_secs(3);
/// The most input that waits for the program, in bytes; past it no more is read
/// from viewers.
pub const WAITING: usize = 64 * 1024;
/// Viewers whose input is counted; the one longest not heard of goes first.
const COUNTED: usize = 32;
/// The most that a repaint may be sent, in bytes.
const REPAINT: usize = 192 * 1024;

pub struct State {
    ring: Ring,
    screen: Option<Box<Screen>>,
    /// The screen has followed the output up to here.
    parsed: u64,
    grid: Grid,
    slots: Vec<Slot>,
    next_slot: u64,
    /// The last viewer's place, kept after it was cut off.
    cut: Option<(u64, Instant)>,
    inputs: VecDeque<Counted>,
    queue: VecDeque<(u64, Bytes)>,
    waiting: usize,
    ended: Option<i32>,
    pub last_output: Option<Instant>,
}

/// What a viewer is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Whose terminal it is.
    Uses,
    /// Is shown it, and changes nothing: no program waits for one who looks.
    Looks,
}

/// A viewer that is here.
struct Slot {
    id: u64,
    viewer: u64,
    part: Part,
    wake: Arc<Notify>,
    window: Window,
    sent: u64,
    acked: u64,
    /// When it last acknowledged more, or had drawn all there was.
    progress: Instant,
    held_back: bool,
    replaced: bool,
}

/// A viewer's input, by bytes.
struct Counted {
    viewer: u64,
    accepted: u64,
    given: u64,
}

/// Which terminal, and which life of it.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub number: u16,
    pub epoch: u64,
}

impl Life {
    fn welcome(self, offset: u64, input_offset: u64) -> Vec<u8> {
        let Self { number: terminal, epoch } = self;
        ToViewer::Welcome { terminal, epoch, offset, input_offset, window: WINDOW }.encode()
    }
}

/// A viewer that was added.
pub struct Attached {
    /// Names it from here on.
    pub slot: u64,
    /// Woken when there may be something for it.
    pub wake: Arc<Notify>,
    /// To be sent first.
    pub frames: Vec<Vec<u8>>,
}

/// What a viewer is to be sent.
#[derive(Debug)]
pub enum Next {
    /// These frames, each a message.
    Frames(Vec<Vec<u8>>),
    /// The shell has ended, and all output was sent.
    Exited(i32),
    /// The same viewer has connected anew.
    Replaced,
    Nothing,
}

/// How much may be read from the program.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    For(usize),
    /// Nothing before `until`, unless something changes.
    None {
        until: Option<Instant>,
    },
}

impl State {
    pub fn new(grid: Grid) -> Self {
        Self {
            ring: Ring::default(),
            screen: None,
            parsed: 0,
            grid,
            slots: Vec::new(),
            next_slot: 0,
            cut: None,
            inputs: VecDeque::new(),
            queue: VecDeque::new(),
            waiting: 0,
            ended: None,
            last_output: None,
        }
    }

    /// Offset of the next byte of output.
    pub fn end_of_output(&self) -> u64 {
        self.ring.end()
    }

    pub fn viewers(&self) -> usize {
        self.slots.len()
    }

    pub fn attach(
        &mut self,
        life: Life,
        viewer: u64,
        part: Part,
        resume: Option<u64>,
        now: Instant,
    ) -> Attached {
        if part == Part::Uses {
            self.cut = None;
        }
        let same = |slot: &&mut Slot| slot.viewer == viewer && slot.part == part;
        for slot in self.slots.iter_mut().filter(same) {
            slot.replaced = true;
            slot.wake.notify_one();
        }
        let input_offset = self.counted(viewer).accepted;
        // The very first viewer gets everything as it came.
        let resumed = resume.filter(|offset| self.ring.holds(*offset)).or((self.next_slot == 0).then_some(0));
        let resumed = resumed.filter(|offset| self.ring.holds(*offset));
        let offset = resumed.unwrap_or(self.ring.end());
        let welcome = life.welcome(offset, input_offset);
        let mut frames = vec![welcome];
        if resumed.is_none() && offset > 0 {
            frames.push(self.repaint());
        }
        let id = self.next_slot;
        self.next_slot += 1;
        let wake = Arc::new(Notify::new());
        self.slots.push(Slot {
            id,
            viewer,
            part,
            wake: Arc::clone(&wake),
            window: Window::default(),
            sent: offset,
            acked: offset,
            progress: now,
            held_back: false,
            replaced: false,
        });
        Attached { slot: id, wake, frames }
    }

    pub fn detach(&mut self, id: u64, now: Instant) {
        let Some(index) = self.slots.iter().position(|slot| slot.id == id) else { return };
        let slot = self.slots.swap_remove(index);
        let is_last = slot.part == Part::Uses && self.slots.iter().all(|slot| slot.part == Part::Looks);
        if is_last && !slot.is_stalled(self.ring.end(), now) {
            self.cut = Some((slot.acked, now + CUT));
        }
    }

    /// What viewer `id` is to be sent now.
    pub fn next(&mut self, id: u64, life: Life, now: Instant) -> Next {
        let Some(index) = self.slots.iter().position(|slot| slot.id == id) else { return Next::Replaced };
        let (start, end) = (self.ring.start(), self.ring.end());
        if self.slots[index].replaced {
            return Next::Replaced;
        }
        if self.slots[index].sent < start {
            return self.redraw(index, life, now);
        }
        let slot = &mut self.slots[index];
        let sent = slot.sent;
        if sent == end {
            return match self.ended {
                Some(code) => Next::Exited(code),
                None => Next::Nothing,
            };
        }
        let limit = slot.acked + u64::from(slot.window.size());
        let most = usize::try_from(limit.saturating_sub(sent)).unwrap_or(usize::MAX).min(FRAME);
        if most == 0 {
            slot.held_back = true;
            return Next::Nothing;
        }
        let (first, second) = self.ring.slices(sent, most);
        let mut frame = Vec::with_capacity(OUTPUT_HEADER + first.len() + second.len());
        frame.extend_from_slice(&output_header(sent));
        frame.extend_from_slice(first);
        frame.extend_from_slice(second);
        let upto = sent + (first.len() + second.len()) as u64;
        slot.sent = upto;
        slot.window.sent(upto, now);
        Next::Frames(vec![frame])
    }

    /// A viewer that lost its place is drawn the screen, once it has drawn what
    /// it was sent before: the new `Welcome` says where it goes on.
    fn redraw(&mut self, index: usize, life: Life, now: Instant) -> Next {
        let slot = &self.slots[index];
        if slot.acked < slot.sent {
            return Next::Nothing;
        }
        let (viewer, offset) = (slot.viewer, self.ring.end());
        let input_offset = self.counted(viewer).accepted;
        let welcome = life.welcome(offset, input_offset);
        let frames = vec![welcome, self.repaint()];
        let slot = &mut self.slots[index];
        slot.window.restart();
        (slot.sent, slot.acked, slot.progress, slot.held_back) = (offset, offset, now, false);
        Next::Frames(frames)
    }

    pub fn ack(&mut self, id: u64, offset: u64, now: Instant) -> Result<(), Malformed> {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id) else { return Ok(()) };
        if offset > slot.sent {
            return Err(Malformed::Range);
        }
        if offset > slot.acked {
            (slot.acked, slot.progress) = (offset, now);
            slot.window.acked(offset, std::mem::take(&mut slot.held_back), now);
            slot.wake.notify_one();
        }
        Ok(())
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Whether that is another size than before.
    pub fn resize(&mut self, grid: Grid) -> bool {
        if grid == self.grid {
            return false;
        }
        if self.ring.end() > 0 {
            // What was put out was laid out for the old size.
            self.follow();
            if let Some(screen) = &mut self.screen {
                screen.resize(grid);
            }
        }
        self.grid = grid;
        true
    }

    /// How much may be read from the program: as much as some viewer that draws
    /// can be sent. The quickest one sets the pace; nobody is waited for who
    /// does not draw.
    pub fn room(&self, now: Instant) -> Room {
        if self.waiting >= WAITING {
            // No viewer is read from, so none can acknowledge: a program that
            // waits for its output to be taken before it takes more input would
            // wait for ever.
            return Room::For(RING);
        }
        let end = self.ring.end();
        let draws = |slot: &&Slot| slot.part == Part::Uses && !slot.is_stalled(end, now);
        let drawing = self.slots.iter().filter(draws);
        let limit = drawing.clone().map(|slot| slot.acked + u64::from(slot.window.size())).max();
        let (limit, until) = match (limit, self.cut) {
            (Some(limit), _) => (limit, drawing.map(|slot| slot.progress + STALLED).min()),
            (None, Some((place, until))) if now < until => (place + RING as u64, Some(until)),
            _ => return Room::For(RING),
        };
        match usize::try_from(limit.saturating_sub(end)) {
            Ok(0) => Room::None { until },
            Ok(most) => Room::For(most.min(RING)),
            Err(_) => Room::For(RING),
        }
    }

    /// Takes output in.
    pub fn push(&mut self, bytes: &[u8], now: Instant) {
        let Self { ring, screen, parsed, grid, .. } = self;
        let start = ring.start();
        ring.make_room(bytes.len(), |(first, second), after| {
            let end = start + (first.len() + second.len()) as u64;
            // Rarely, a part of it was parsed for a viewer before.
            let skip = usize::try_from(parsed.saturating_sub(start)).unwrap_or(usize::MAX);
            if *parsed >= end {
                return;
            }
            let screen = screen.get_or_insert_with(|| Box::new(Screen::new(*grid)));
            let unseen = scrolls_away(after, *grid) && is_plain(first) && is_plain(second);
            let second_skip = skip.saturating_sub(first.len());
            for piece in [&first[skip.min(first.len())..], &second[second_skip..]] {
                if unseen { screen.skim(piece) } else { screen.advance(piece) }
            }
            *parsed = end;
        });
        for slot in self.slots.iter_mut().filter(|slot| slot.acked == ring.end()) {
            slot.progress = now;
        }
        ring.push(bytes);
        self.last_output = Some(now);
        for slot in &self.slots {
            slot.wake.notify_one();
        }
    }

    /// Lets the screen follow all output.
    fn follow(&mut self) {
        let Self { ring, screen, parsed, grid, .. } = self;
        let screen = screen.get_or_insert_with(|| Box::new(Screen::new(*grid)));
        let (first, second) = ring.slices(*parsed, usize::MAX);
        screen.advance(first);
        screen.advance(second);
        *parsed = ring.end();
    }

    fn repaint(&mut self) -> Vec<u8> {
        self.follow();
        let drawn = self.screen.as_mut().map(|screen| screen.draw(REPAINT)).unwrap_or_default();
        ToViewer::Repaint { bytes: &drawn }.encode()
    }

    /// The shell has ended: viewers get what is left, then its code.
    pub fn end(&mut self, code: i32) {
        self.ended = Some(code);
        for slot in &self.slots {
            slot.wake.notify_one();
        }
    }

    fn counted(&mut self, viewer: u64) -> &mut Counted {
        let known = self.inputs.iter().position(|counted| counted.viewer == viewer);
        let counted = match known.and_then(|index| self.inputs.remove(index)) {
            Some(counted) => counted,
            None => Counted { viewer, accepted: 0, given: 0 },
        };
        if self.inputs.len() == COUNTED {
            self.inputs.pop_front();
        }
        self.inputs.push_back(counted);
        self.inputs.back_mut().expect("it was just put there")
    }

    /// Takes a viewer's input in, without what was taken before.
    pub fn queue(&mut self, viewer: u64, offset: u64, bytes: &[u8]) -> Result<(), Malformed> {
        let counted = self.counted(viewer);
        let known = counted.accepted.checked_sub(offset).ok_or(Malformed::Range)?;
        let known = usize::try_from(known).unwrap_or(usize::MAX).min(bytes.len());
        let new = &bytes[known..];
        counted.accepted += new.len() as u64;
        if !new.is_empty() {
            self.waiting += new.len();
            self.queue.push_back((viewer, Bytes::copy_from_slice(new)));
        }
        Ok(())
    }

    /// Bytes of input that wait for the program.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Gives waiting input away through `write`, until that takes no more.
    pub fn give(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) {
        while let Some((viewer, mut bytes)) = self.queue.pop_front() {
            let Ok(taken) = write(&bytes) else {
                self.queue.push_front((viewer, bytes));
                return;
            };
            self.waiting -= taken;
            self.counted(viewer).given += taken as u64;
            // Others may have waited for room.
            for slot in &self.slots {
                slot.wake.notify_one();
            }
            if taken < bytes.len() {
                let _ = bytes.split_to(taken);
                self.queue.push_front((viewer, bytes));
            }
        }
    }

    /// Bytes of that viewer's input that the program took.
    pub fn given(&mut self, viewer: u64) -> u64 {
        self.counted(viewer).given
    }
}

impl Slot {
    /// It has long had something to draw, of all output up to `end`, and did not.
    fn is_stalled(&self, end: u64, now: Instant) -> bool {
        self.acked < end && now.duration_since(self.progress) >= STALLED
    }
}

#[cfg(test)]
mod tests;
