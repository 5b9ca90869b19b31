//! The fake as a program: what it is told, and that nothing of it is left behind.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::client::{definition, request};

const TASK: &str = "setsid sleep 600 & echo $$ $! >pid.new; mv pid.new pid; wait";

/// Runs one task of two processes, the second in a session of its own, as a
/// terminal's shell is: the program and their ids.
fn start() -> (Child, Vec<u32>) {
    let folder = tempfile::tempdir().unwrap().keep();
    let file = folder.join("agent.json");
    std::fs::write(&file, definition(TASK).to_string()).unwrap();
    let mut fake = Command::new(env!("CARGO_BIN_EXE_ecs-fake"))
        .args([
            "--task-definition".as_ref(),
            file.as_os_str(),
            "--folder".as_ref(),
            folder.join("tasks").as_os_str(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(fake.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let body = request().to_string();
    let mut stream = TcpStream::connect(line.trim().strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: ecs\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.RunTask\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AKIA\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut pid = None;
    until(|| {
        let tasks = std::fs::read_dir(folder.join("tasks")).into_iter().flatten().flatten();
        pid = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("pid")).ok()).next();
        pid.is_some()
    });
    std::fs::remove_dir_all(&folder).unwrap();
    (fake, pid.unwrap().split_whitespace().map(|id| id.parse().unwrap()).collect())
}

fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never was so");
}

/// Whether it is there and not just unburied.
fn runs(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[test]
fn its_tasks_end_with_it_however_it_ends() {
    for signal in [Signal::TERM, Signal::KILL] {
        let (mut fake, task) = start();
        assert!(task.len() == 2 && task.iter().all(|process| runs(*process)));
        kill_process(Pid::from_child(&fake), signal).unwrap();
        fake.wait().unwrap();
        until(|| !task.iter().any(|process| runs(*process)));
    }
}

#[test]
fn a_wrong_task_definition_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({"family": "agent"}).to_string()).unwrap();
    let fake = Command::new(env!("CARGO_BIN_EXE_ecs-fake"))
        .arg("--task-definition")
        .arg(file.path())
        .output()
        .unwrap();
    assert!(!fake.status.success());
    assert!(String::from_utf8_lossy(&fake.stderr).contains("containerDefinitions is required"));
}
