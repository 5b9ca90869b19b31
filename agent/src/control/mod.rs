//! The control plane, as an instance sees it.

mod client;
mod link;
mod objects;

pub use client::{Client, Failure};
pub use link::{EnrolError, Link, enrol, is_over};
pub use objects::RemoteObjects;
