//! The words and rules of OpenClaw Cloud, pure: no I/O, no clock, no
//! randomness. Time and random bytes come in as arguments, so every rule can
//! be replayed, and all of it also runs in the browser.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod agent;
pub mod audit;
pub mod boot;
pub mod budget;
pub mod event;
pub mod fleet;
pub mod id;
pub mod journal;
pub mod lifecycle;
pub mod look;
pub mod metering;
pub mod money;
pub mod name;
pub mod price;
pub mod protocol;
pub mod random;
pub mod role;
pub mod session;
pub mod size;
pub mod spend;
pub mod stage;
pub mod ticket;
pub mod tier;
pub mod time;
pub mod usage;
pub mod view;
pub mod wire;
