//! Stock restic, where it is installed.

use super::*;
use std::process::Command;

#[test]
fn stock_restic_finds_no_error_and_restores_it() {
    if Command::new("restic").arg("version").output().is_err() {
        return;
    }
    let (home, objects, back) = (home(), folder(), folder());
    let ours = repository(objects.path());
    ours.persist(home.path()).unwrap();
    fs::write(home.path().join("later"), b"x").unwrap();
    let saved = ours.persist(home.path()).unwrap();
    ours.add_password("correct horse").unwrap();
    let restic = |arguments: &[&str]| {
        let mut command = Command::new("restic");
        command.args(["--no-cache", "--repo"]).arg(objects.path()).args(arguments);
        let output = command.env("RESTIC_PASSWORD", "correct horse").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}{}", String::from_utf8_lossy(&output.stdout));
    };
    restic(&["check", "--read-data"]);
    restic(&["restore", &saved.id, "--target", back.path().to_str().unwrap()]);
    assert_eq!(tree(&back.path().join("home/agent")), tree(home.path()));
}
