//! A WebSocket whose end is heard once, and which is closed when dropped.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// An open or opening socket.
pub struct Socket {
    raw: WebSocket,
    _opened: Closure<dyn Fn()>,
    _message: Closure<dyn Fn(MessageEvent)>,
    _closed: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Opens one. `closed` hears the close code, 1006 when it never opened.
    pub fn open(
        url: &str,
        opened: impl Fn() + 'static,
        message: impl Fn(Uint8Array) + 'static,
        closed: impl Fn(u16) + 'static,
    ) -> Option<Self> {
        let raw = WebSocket::new(url).ok()?;
        raw.set_binary_type(BinaryType::Arraybuffer);
        let opened = Closure::<dyn Fn()>::new(opened);
        let message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(bytes) = event.data().dyn_into::<ArrayBuffer>() {
                message(Uint8Array::new(&bytes));
            }
        });
        let closed = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| closed(event.code()));
        raw.set_onopen(Some(opened.as_ref().unchecked_ref()));
        raw.set_onmessage(Some(message.as_ref().unchecked_ref()));
        raw.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { raw, _opened: opened, _message: message, _closed: closed })
    }

    /// Sends a frame, if it is open.
    pub fn send(&self, frame: &[u8]) {
        if self.raw.ready_state() == WebSocket::OPEN {
            // It fails only in states that were just ruled out.
            let _ = self.raw.send_with_u8_array(frame);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.raw.set_onopen(None);
        self.raw.set_onmessage(None);
        self.raw.set_onclose(None);
        let _ = self.raw.close();
    }
}
