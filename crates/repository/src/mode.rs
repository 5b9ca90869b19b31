//! Permission bits, between Unix's way and restic's (which is Go's).

use rustic_core::repofile::NodeType;

const PERMISSIONS: u32 = 0o777;
/// Unix's bit, and Go's.
const SPECIAL: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
const GO_DIR: u32 = 1 << 31;
const GO_SYMLINK: u32 = 1 << 27;
const GO_FIFO: u32 = 1 << 25;

/// Unix's mode of a node, as restic keeps it.
pub(crate) fn to_restic(mode: u32, node: &NodeType) -> u32 {
    let kind = match node {
        NodeType::Dir => GO_DIR,
        NodeType::Symlink { .. } => GO_SYMLINK,
        NodeType::Fifo => GO_FIFO,
        _ => 0,
    };
    let special = |sum, (unix, go)| if mode & unix == 0 { sum } else { sum | go };
    SPECIAL.into_iter().fold(mode & PERMISSIONS | kind, special)
}

/// The bits for `chmod`.
pub(crate) fn to_unix(mode: u32) -> u32 {
    let special = |sum, (unix, go)| if mode & go == 0 { sum } else { sum | unix };
    SPECIAL.into_iter().fold(mode & PERMISSIONS, special)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_mode_survives(mode in 0u32..0o10000) {
            for node in [NodeType::File, NodeType::Dir, NodeType::Fifo] {
                prop_assert_eq!(to_unix(to_restic(mode, &node)), mode);
            }
        }
    }
}
