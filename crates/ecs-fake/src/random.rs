//! Names as ECS makes them, of randomness that replays.

pub(crate) use domain::random::Random;

/// So many hexadecimal digits.
pub(crate) fn hex(random: &mut Random, digits: usize) -> String {
    let mut text = String::new();
    while text.len() < digits {
        text.push_str(&format!("{:016x}", random.draw()));
    }
    text.truncate(digits);
    text
}

/// In the form of a UUID, version 4.
pub(crate) fn uuid(random: &mut Random) -> String {
    let hex = hex(random, 32);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
