//! The data plane's daemon: the first process of every instance. It proves who
//! it is, brings the home back, serves terminals, knows whether it is used, and
//! saves the home before it ends.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod certificate;
pub mod config;
pub mod confine;
pub mod control;
pub mod freeze;
pub mod gate;
pub mod home;
pub mod journal;
pub mod proxy;
pub mod reaper;
pub mod run;
pub mod save;
pub mod serve;
pub mod tenant;
pub mod terminal;
pub mod usage;
