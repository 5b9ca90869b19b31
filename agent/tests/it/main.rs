//! The real daemon with real shells, against the other side of its protocol.
#![allow(clippy::unwrap_used)]

mod support;

mod boot;
mod guests;
mod refusals;
mod sandbox;
mod saving;
mod tenant;
mod terminals;
mod usage;
