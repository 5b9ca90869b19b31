//! Random bytes, from the kernel.

use domain::protocol::{Secret, to_hex};

pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // getrandom(2) fails only on kernels older than any that we run on; going
    // on with predictable secrets would be worse than ending here.
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

/// A secret of 256 random bits, as 64 hexadecimal digits.
pub fn secret() -> Secret {
    Secret::new(to_hex(&bytes()))
}
