//! Ends what is open but silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that counts its signs of life.
pub struct Lively<T> {
    stream: T,
    pulse: Pulse,
}

#[derive(Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl<T> Lively<T> {
    pub fn new(stream: T) -> (Self, Pulse) {
        let pulse = Pulse::default();
        (Self { stream, pulse: pulse.clone() }, pulse)
    }
}

impl Pulse {
    fn beat<R>(&self, outcome: Poll<R>) -> Poll<R> {
        if outcome.is_ready() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Returns when nothing has moved for `silence`, at most twice that long after.
    pub async fn stops(self, silence: Duration) {
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(silence).await;
            let now = self.0.load(Ordering::Relaxed);
            if now == last {
                return;
            }
            last = now;
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Lively<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.pulse.beat(outcome)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Lively<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.pulse.beat(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
