//! Listeners that end when they are dropped.

use std::any::Any;

use crate::sys;

/// A listener at work. Dropping it takes it off; a terminal's end takes off all.
#[must_use = "a listener that is dropped hears nothing"]
pub struct Disposable {
    raw: sys::Disposable,
    /// The closure that JavaScript calls, whatever its type.
    _listener: Box<dyn Any>,
}

impl Disposable {
    pub(crate) fn new(raw: sys::Disposable, listener: impl Any) -> Self {
        Self { raw, _listener: Box::new(listener) }
    }
}

impl Drop for Disposable {
    fn drop(&mut self) {
        self.raw.dispose();
    }
}
