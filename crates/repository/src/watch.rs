//! What went wrong beneath the library, which logs some errors and goes on,
//! and turns others into texts.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustic_core::RusticError;

use crate::error::Error;
use crate::object::ObjectError;

/// The code of the library's error for a failed authentication of data.
const NOT_AUTHENTIC: &str = "C001";

/// Collects, for one operation, what the library would swallow.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    store: Option<ObjectError>,
    unreadable: u64,
    first: String,
    vanished: u64,
    offered: u64,
}

impl Watch {
    fn seen<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store refused. The first refusal is the one to tell.
    pub fn refused(&self, error: &ObjectError) {
        self.seen(|seen| {
            seen.store.get_or_insert_with(|| error.clone());
        });
    }

    /// A part of the state could not be read.
    pub fn unreadable(&self, path: &Path, why: &io::Error) {
        self.seen(|seen| {
            if seen.unreadable == 0 {
                seen.first = format!("{} ({why})", path.display());
            }
            seen.unreadable += 1;
        });
    }

    /// A file was handed to the library.
    pub fn offered(&self) {
        self.seen(|seen| seen.offered += 1);
    }

    /// A file that was offered was gone when it was to be read.
    pub fn vanished(&self) {
        self.seen(|seen| seen.vanished += 1);
    }

    /// How many files the library must have saved.
    pub fn expected(&self) -> u64 {
        self.seen(|seen| seen.offered - seen.vanished)
    }

    /// The state is whole so far.
    pub fn complete(&self) -> bool {
        self.seen(|seen| seen.unreadable == 0)
    }

    /// Says what a failure of the library really was.
    pub fn explain(&self, error: &RusticError) -> Error {
        self.seen(|seen| match (seen.unreadable, seen.store.take()) {
            (1.., _) => Error::Unreadable { count: seen.unreadable, first: seen.first.clone() },
            (_, Some(refusal)) => Error::Store(refusal),
            _ => match innermost(error) {
                error if error.is_code(NOT_AUTHENTIC) => Error::NotAuthentic,
                error => Error::Damaged(one_line(error)),
            },
        })
    }
}

/// The library wraps its errors in one another.
fn innermost(error: &RusticError) -> &RusticError {
    let mut found = error;
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(inner) = error.downcast_ref::<RusticError>() {
            found = inner;
        } else if let Some(inner) = error.downcast_ref::<Box<RusticError>>() {
            found = inner;
        }
        cause = error.source();
    }
    found
}

/// The message, without the backtrace and the advice to report it elsewhere.
fn one_line(error: &RusticError) -> String {
    let text = error.display_log();
    let message = text.strip_prefix("Error: ").unwrap_or(&text);
    message.split(" (kind: ").next().unwrap_or(message).to_owned()
}
