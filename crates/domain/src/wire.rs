//! Frames between a viewer and a terminal: one binary WebSocket message each.
//!
//! A byte of kind, fixed-width little-endian numbers, then the payload. Output
//! and input are streams of bytes with offsets, so that a reconnect resumes
//! without a gap or a double. A viewer acknowledges the output it has drawn;
//! the instance never sends more than a window past that, so a slow viewer
//! costs no memory.
//!
//! Decoding takes any bytes and never panics.

/// Version of the frames, first in [`FromViewer::Hello`] and [`ToViewer::Welcome`].
pub const VERSION: u8 = 1;
/// The largest `Hello`, in bytes: nobody unknown may send more.
pub const HELLO_MAX: usize = 1024;
/// The largest frame of a viewer, in bytes.
pub const VIEWER_FRAME_MAX: usize = 64 * 1024;
/// Rows and columns that a terminal may have: 1–4,096 of each.
pub const GRID_MAX: u16 = 4096;

/// Close codes of the WebSocket, from the range for applications.
pub mod close {
    /// A frame that is none, or one at the wrong time.
    pub const MALFORMED: u16 = 4400;
    /// The ticket was refused.
    pub const REFUSED: u16 = 4401;
    /// No such terminal, or no room for one more.
    pub const NO_TERMINAL: u16 = 4404;
    /// No valid first message within two seconds.
    pub const TIMEOUT: u16 = 4408;
    /// The instance is going to sleep or stopping.
    pub const STOPPING: u16 = 4410;
    /// A frame or first message too large.
    pub const TOO_LARGE: u16 = 4413;
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub cols: u16,
    pub rows: u16,
}

/// Where a viewer was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Which life of the terminal the offset counts in.
    pub epoch: u64,
    /// The offset of the next byte of output that the viewer lacks.
    pub offset: u64,
}

/// What a viewer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromViewer<'a> {
    /// The first message.
    Hello {
        /// Random, one a page load: input is counted by it.
        viewer: u64,
        /// Which of the agent's terminals; made when it is not there.
        terminal: u16,
        grid: Grid,
        resume: Option<Resume>,
        /// The ticket's text.
        ticket: &'a str,
    },
    /// Keys; `offset` counts this viewer's bytes of input before these.
    Input { offset: u64, bytes: &'a [u8] },
    /// All output before `offset` is drawn.
    Ack { offset: u64 },
    /// The viewer's window changed.
    Resize(Grid),
    /// The person did something at the viewer (scrolled, selected): a use.
    Gesture,
    /// Asks for a [`ToViewer::Pong`] with the same number.
    Ping { nonce: u32 },
}

/// What the instance sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToViewer<'a> {
    /// The first message: the connection is open.
    Welcome {
        terminal: u16,
        epoch: u64,
        /// Offset of the next byte of output.
        offset: u64,
        /// Bytes of this viewer's input that were taken before.
        input_offset: u64,
        /// Bytes that may be under way unacknowledged.
        window: u32,
    },
    /// Clear the screen and draw this instead: the state at `Welcome`'s
    /// offset. It counts in no offset. May come in several.
    Repaint {
        bytes: &'a [u8],
    },
    /// Output; `offset` counts the bytes before these.
    Output {
        offset: u64,
        bytes: &'a [u8],
    },
    /// Input before `offset` was given to the terminal.
    InputAck {
        offset: u64,
    },
    /// The terminal's process ended; nothing follows.
    Exited {
        code: i32,
    },
    /// It will sleep in so many milliseconds unless it is used; 0: not any more.
    IdleWarning {
        sleeps_in_ms: u32,
    },
    Pong {
        nonce: u32,
    },
    /// The terminal's size: to those alone who look, and set none.
    Size(Grid),
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the frame is cut short")]
    Short,
    #[error("the frame has bytes left over")]
    Long,
    #[error("the frame's kind is unknown")]
    Kind,
    #[error("the frame's version is unknown")]
    Version,
    #[error("the frame has a value out of range")]
    Range,
}

mod kind {
    pub const HELLO: u8 = 0x01;
    pub const INPUT: u8 = 0x02;
    pub const ACK: u8 = 0x03;
    pub const RESIZE: u8 = 0x04;
    pub const GESTURE: u8 = 0x05;
    pub const PING: u8 = 0x06;
    pub const WELCOME: u8 = 0x81;
    pub const REPAINT: u8 = 0x82;
    pub const OUTPUT: u8 = 0x83;
    pub const INPUT_ACK: u8 = 0x84;
    pub const EXITED: u8 = 0x85;
    pub const IDLE_WARNING: u8 = 0x86;
    pub const PONG: u8 = 0x87;
    pub const SIZE: u8 = 0x88;
}

/// Bytes of an [`ToViewer::Output`] before its payload.
pub const OUTPUT_HEADER: usize = 9;

impl<'a> FromViewer<'a> {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match *self {
            Self::Hello { viewer, terminal, grid, resume, ticket } => {
                out.u8(kind::HELLO).u8(VERSION).u64(viewer).u16(terminal).grid(grid);
                let Resume { epoch, offset } = resume.unwrap_or(Resume { epoch: 0, offset: 0 });
                out.u8(u8::from(resume.is_some())).u64(epoch).u64(offset).bytes(ticket.as_bytes());
            }
            Self::Input { offset, bytes } => {
                out.u8(kind::INPUT).u64(offset).bytes(bytes);
            }
            Self::Ack { offset } => {
                out.u8(kind::ACK).u64(offset);
            }
            Self::Resize(grid) => {
                out.u8(kind::RESIZE).grid(grid);
            }
            Self::Gesture => {
                out.u8(kind::GESTURE);
            }
            Self::Ping { nonce } => {
                out.u8(kind::PING).u32(nonce);
            }
        }
        out.0
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// [`Malformed`] for any bytes that [`FromViewer::encode`] does not write.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Reader(bytes);
        let frame = match input.u8()? {
            kind::HELLO => {
                input.version()?;
                let (viewer, terminal, grid) = (input.u64()?, input.u16()?, input.grid()?);
                let (resumes, epoch, offset) = (input.u8()?, input.u64()?, input.u64()?);
                let resume = match (resumes, epoch, offset) {
                    (0, 0, 0) => None,
                    (1, epoch, offset) => Some(Resume { epoch, offset }),
                    _ => return Err(Malformed::Range),
                };
                let ticket = std::str::from_utf8(input.rest()).map_err(|_| Malformed::Range)?;
                Self::Hello { viewer, terminal, grid, resume, ticket }
            }
            kind::INPUT => Self::Input { offset: input.u64()?, bytes: input.rest() },
            kind::ACK => Self::Ack { offset: input.u64()? },
            kind::RESIZE => Self::Resize(input.grid()?),
            kind::GESTURE => Self::Gesture,
            kind::PING => Self::Ping { nonce: input.u32()? },
            _ => return Err(Malformed::Kind),
        };
        input.end().map(|()| frame)
    }
}

impl<'a> ToViewer<'a> {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match *self {
            Self::Welcome { terminal, epoch, offset, input_offset, window } => {
                out.u8(kind::WELCOME).u8(VERSION).u16(terminal).u64(epoch).u64(offset);
                out.u64(input_offset).u32(window);
            }
            Self::Repaint { bytes } => {
                out.u8(kind::REPAINT).bytes(bytes);
            }
            Self::Output { offset, bytes } => {
                out.u8(kind::OUTPUT).u64(offset).bytes(bytes);
            }
            Self::InputAck { offset } => {
                out.u8(kind::INPUT_ACK).u64(offset);
            }
            Self::Exited { code } => {
                out.u8(kind::EXITED).u32(code.cast_unsigned());
            }
            Self::IdleWarning { sleeps_in_ms } => {
                out.u8(kind::IDLE_WARNING).u32(sleeps_in_ms);
            }
            Self::Pong { nonce } => {
                out.u8(kind::PONG).u32(nonce);
            }
            Self::Size(grid) => {
                out.u8(kind::SIZE).grid(grid);
            }
        }
        out.0
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// [`Malformed`] for any bytes that [`ToViewer::encode`] does not write.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Reader(bytes);
        let frame = match input.u8()? {
            kind::WELCOME => {
                input.version()?;
                Self::Welcome {
                    terminal: input.u16()?,
                    epoch: input.u64()?,
                    offset: input.u64()?,
                    input_offset: input.u64()?,
                    window: input.u32()?,
                }
            }
            kind::REPAINT => Self::Repaint { bytes: input.rest() },
            kind::OUTPUT => Self::Output { offset: input.u64()?, bytes: input.rest() },
            kind::INPUT_ACK => Self::InputAck { offset: input.u64()? },
            kind::EXITED => Self::Exited { code: input.u32()?.cast_signed() },
            kind::IDLE_WARNING => Self::IdleWarning { sleeps_in_ms: input.u32()? },
            kind::PONG => Self::Pong { nonce: input.u32()? },
            kind::SIZE => Self::Size(input.grid()?),
            _ => return Err(Malformed::Kind),
        };
        input.end().map(|()| frame)
    }
}

/// The header of an output frame, for a sender that keeps header and payload
/// in one buffer and copies nothing.
pub fn output_header(offset: u64) -> [u8; OUTPUT_HEADER] {
    let mut header = [kind::OUTPUT; OUTPUT_HEADER];
    header[1..].copy_from_slice(&offset.to_le_bytes());
    header
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
    fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }
    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }
    fn grid(&mut self, grid: Grid) -> &mut Self {
        self.u16(grid.cols).u16(grid.rows)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*head)
    }
    fn u8(&mut self) -> Result<u8, Malformed> {
        self.take::<1>().map(|[byte]| byte)
    }
    fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_le_bytes)
    }
    fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }
    fn u64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_le_bytes)
    }
    fn version(&mut self) -> Result<(), Malformed> {
        if self.u8()? == VERSION { Ok(()) } else { Err(Malformed::Version) }
    }
    fn grid(&mut self) -> Result<Grid, Malformed> {
        let grid = Grid { cols: self.u16()?, rows: self.u16()? };
        let fits = |n: u16| (1..=GRID_MAX).contains(&n);
        if fits(grid.cols) && fits(grid.rows) { Ok(grid) } else { Err(Malformed::Range) }
    }
    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn viewer_frame(which: u8, a: u64, b: u64, n: u16, bytes: &[u8]) -> FromViewer<'_> {
        let grid = Grid { cols: n.clamp(1, GRID_MAX), rows: 24 };
        match which % 6 {
            0 => FromViewer::Hello {
                viewer: a,
                terminal: n,
                grid,
                resume: n.is_multiple_of(2).then_some(Resume { epoch: a, offset: b }),
                ticket: std::str::from_utf8(bytes).unwrap_or("ticket"),
            },
            1 => FromViewer::Input { offset: a, bytes },
            2 => FromViewer::Ack { offset: a },
            3 => FromViewer::Resize(grid),
            4 => FromViewer::Gesture,
            _ => FromViewer::Ping { nonce: b as u32 },
        }
    }

    fn instance_frame(which: u8, a: u64, b: u64, n: u16, bytes: &[u8]) -> ToViewer<'_> {
        match which % 8 {
            0 => {
                ToViewer::Welcome { terminal: n, epoch: a, offset: b, input_offset: a ^ b, window: b as u32 }
            }
            1 => ToViewer::Repaint { bytes },
            2 => ToViewer::Output { offset: a, bytes },
            3 => ToViewer::InputAck { offset: b },
            4 => ToViewer::Exited { code: a as i32 },
            5 => ToViewer::IdleWarning { sleeps_in_ms: a as u32 },
            6 => ToViewer::Size(Grid { cols: n.clamp(1, GRID_MAX), rows: 1 + (a % 4096) as u16 }),
            _ => ToViewer::Pong { nonce: a as u32 },
        }
    }

    proptest! {
        #[test]
        fn frames_read_back_as_written(which: u8, a: u64, b: u64, n: u16, bytes: Vec<u8>) {
            let frame = viewer_frame(which, a, b, n, &bytes);
            let encoded = frame.encode();
            prop_assert_eq!(FromViewer::decode(&encoded), Ok(frame));
            let frame = instance_frame(which, a, b, n, &bytes);
            let encoded = frame.encode();
            prop_assert_eq!(ToViewer::decode(&encoded), Ok(frame));
        }

        #[test]
        fn any_bytes_are_a_frame_in_its_one_spelling_or_refused(kind: u8, rest: Vec<u8>) {
            let mut bytes = vec![kind];
            bytes.extend(rest);
            if let Ok(frame) = FromViewer::decode(&bytes) { prop_assert_eq!(frame.encode(), bytes.clone()); }
            if let Ok(frame) = ToViewer::decode(&bytes) { prop_assert_eq!(frame.encode(), bytes); }
        }

        #[test]
        fn a_frame_cut_short_is_refused_or_another_payload(a: u64, b: u64, keep in 0usize..30) {
            let whole = ToViewer::Welcome { terminal: 1, epoch: a, offset: b, input_offset: 0, window: 9 }.encode();
            prop_assume!(keep < whole.len());
            prop_assert_eq!(ToViewer::decode(&whole[..keep]), Err(Malformed::Short));
        }
    }

    #[test]
    fn the_header_alone_is_the_output_frames_start() {
        let frame = ToViewer::Output { offset: 77, bytes: b"x" }.encode();
        assert_eq!(frame[..OUTPUT_HEADER], output_header(77));
    }

    #[test]
    fn grids_of_nothing_or_of_millions_are_refused() {
        for (cols, rows) in [(0, 24), (80, 0), (GRID_MAX + 1, 24), (80, u16::MAX)] {
            let frame = FromViewer::Resize(Grid { cols, rows }).encode();
            assert_eq!(FromViewer::decode(&frame), Err(Malformed::Range));
        }
    }
}
