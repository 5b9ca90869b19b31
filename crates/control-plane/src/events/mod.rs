//! What providers tell unasked, where it comes from outside this process.

#[cfg(feature = "aws")]
pub mod sqs;
