//! Tests that run once more, in surroundings that lack something.

use std::process::Command;

/// bubblewrap, with all of this machine until the caller takes something away.
pub fn command() -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--dev-bind", "/", "/", "--die-with-parent"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--cap-add", "ALL"]);
    }
    command
}

/// Runs one test of the calling program in it.
pub fn test(mut enclosed: Command, name: &str, options: &[&str]) {
    let output =
        enclosed.arg(std::env::current_exe().unwrap()).args([name, "--exact"]).args(options).output();
    let output = output.unwrap();
    // Told only then: its summary is not this program's.
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
