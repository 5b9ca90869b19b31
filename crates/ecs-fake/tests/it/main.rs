//! The fake over HTTP, by what it promises. Every answer that a test gets is held to Amazon's model.
#![allow(clippy::unwrap_used)]

mod client;
mod control;
mod environment;
mod events;
mod faults;
mod life;
mod model;
mod program;
mod quotas;
mod reads;
mod resources;
mod run_task;
mod spot;
mod start;
mod tokens;
