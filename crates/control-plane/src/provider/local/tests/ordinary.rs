//! The same as an ordinary user, when the tests run as root: this program is
//! run again as one, with the tests that matter there.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Nobody's number on any distribution.
const USER: &str = "64999";

#[test]
fn an_ordinary_user_can_run_instances_too() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Root's folders are closed to the user: the program goes where it may be read.
    let place = tempfile::tempdir().unwrap();
    fs_open(place.path());
    let program = place.path().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let temporary = place.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all"])
        .arg(&program)
        .args(["provider::local::tests", "--test-threads=2"])
        .env("TMPDIR", &temporary)
        .env("HOME", &temporary)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("it_conforms ... ok"), "{text}");
}

fn fs_open(path: &std::path::Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
