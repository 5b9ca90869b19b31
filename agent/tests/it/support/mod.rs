//! A control plane that speaks the protocol and keeps objects in a folder, a
//! daemon, and viewers.

pub mod control;
pub mod daemon;
pub mod viewer;

pub use control::Control;
pub use daemon::Daemon;
pub use viewer::Viewer;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How long anything may take before a test has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets a tenant of another user through a folder.
pub fn open_way(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).unwrap();
}
