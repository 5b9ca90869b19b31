//! The stage: a fleet that is played, real agents beside it, and the
//! presenter's cues.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::terminal::Terminal;
use common::{PATIENCE, Person, Server, enclosed, refused_to_serve, sandbox_pid};
use serde_json::{Value, json};

async fn look(person: &Person) -> Value {
    let reply = person.browser.post("/api/console/stage_look", &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn cue(person: &Person, cue: Value) -> Value {
    let reply = person.browser.post("/api/console/stage_cue", &json!({ "cue": cue })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn until(person: &Person, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let look = look(person).await;
        if so(&look) {
            return look;
        }
        assert!(started.elapsed() < PATIENCE, "no {what}, but {look:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether Spot took it, and it could be used again after that.
fn ran_again(events: &[Value]) -> bool {
    let taken = events.iter().position(|event| event["event"] == "interrupted");
    taken.is_some_and(|taken| events[taken..].iter().any(|event| event["phase"] == "ready"))
}

fn agents(look: &Value) -> u64 {
    ["awake", "waking", "asleep", "failed"].iter().map(|state| look[state].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presenter_runs_the_fleet_and_begins_anew() {
    let server = Server::start(&["--demo"]);
    let presenter = server.owner().await;
    let first = look(&presenter).await;
    assert_eq!((agents(&first), &first["speed"], &first["presents"]), (100, &json!(1), &json!(true)));
    let own = presenter.api.get("/api/v1/agents").await.json();

    cue(&presenter, json!({ "speed": 600 })).await;
    let hours = |look: &Value| (look["now"].as_i64().unwrap() - first["now"].as_i64().unwrap()) / 3_600_000;
    let later = until(&presenter, "two hours later", |look| hours(look) >= 2).await;
    assert!(later["month"].as_i64() > first["month"].as_i64(), "{later:#}");

    cue(&presenter, json!({ "speed": 60 })).await;
    cue(&presenter, json!("burst")).await;
    let crowded = until(&presenter, "burst that woke", |look| look["awake"].as_u64() >= Some(100)).await;
    assert_eq!(agents(&crowded), 200);
    let taken = cue(&presenter, json!("interrupt")).await["agent"].as_str().unwrap().to_owned();
    // A new boot takes less than a second at this speed: what is seen of it is its events.
    let started = Instant::now();
    while !ran_again(&presenter.events_so_far(&taken).await) {
        assert!(started.elapsed() < PATIENCE, "no interruption, or no run after it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    cue(&presenter, json!("sleep_all")).await;
    until(&presenter, "fleet asleep", |look| look["asleep"].as_u64() >= Some(150)).await;

    let started = Instant::now();
    assert_eq!(cue(&presenter, json!("reset")).await["agents"], 100);
    eprintln!("begun anew in {:?}", started.elapsed());
    let again = look(&presenter).await;
    assert_eq!((agents(&again), &again["speed"], hours(&again)), (100, &json!(1), 0));
    let ids =
        |list: &Value| list.as_array().unwrap().iter().map(|agent| agent["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&presenter.api.get("/api/v1/agents").await.json()), ids(&own));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_itself_it_gives_every_cue_and_begins_anew() {
    let server = Server::start(&["--demo", "--demo-loop", "--demo-round", "24"]);
    let presenter = server.owner().await;
    let number = |look: &Value| look["show"].as_u64().unwrap();
    let first = number(&look(&presenter).await);
    until(&presenter, "burst on the fleet's page", |look| agents(look) > 150 && look["room"] == "fleet")
        .await;
    until(&presenter, "haste on the page of what was spent", |look| {
        look["speed"] == 600 && look["room"] == "spend"
    })
    .await;
    let concerns = presenter.browser.post("/api/console/concerns", &json!({})).await.json();
    let mut told = concerns["budgets"].as_array().unwrap().iter();
    assert!(told.any(|told| told["percent"] == 100), "{concerns:#}");
    let again = until(&presenter, "beginning anew", |look| number(look) > first).await;
    assert_eq!((agents(&again), &again["speed"], &again["room"]), (100, &json!(1), &json!("agents")));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_it_agents_are_real_every_page_says_demo_and_nothing_stays() {
    let mut server = Server::start(&["--demo"]);
    let presenter = server.owner().await;
    let nobody = server.nobody().with("accept", "text/html");
    let door = nobody.get("/sign-in").await.text();
    assert!(door.contains("data-demo=\"played\"") && door.contains(">DEMO<"), "{door}");
    let page = presenter.browser.with("accept", "text/html").get("/stage").await;
    assert_eq!(page.status, 200, "{}", page.text());

    // One of the fleet's owners has agents, and no cues.
    let owner = server.person("Alba Ruiz").await;
    assert!(!owner.api.get("/api/v1/agents").await.json().as_array().unwrap().is_empty());
    let refused = owner.browser.post("/api/console/stage_cue", &json!({ "cue": "sleep_all" })).await;
    assert_eq!(refused.status, 404, "{}", refused.text());
    assert_eq!(owner.browser.with("accept", "text/html").get("/stage").await.status, 404);

    // On this machine there are none yet, and one that is made is a real one.
    let here = presenter.with_cookie("stage=real");
    assert_eq!(here.api.get("/api/v1/agents").await.json(), json!([]));
    let page = here.browser.with("accept", "text/html").get("/").await.text();
    assert!(page.contains("data-demo=\"real\""), "{page}");
    let id = here.spawn("de verdad").await;
    here.until(&id, "running").await;
    Terminal::connect(&here, &id).await.run("echo $((6*7))", "42").await;
    let instances = std::fs::read_dir(server.data().join("instances")).unwrap();
    let sandbox = instances.flatten().find_map(|entry| sandbox_pid(&entry.path())).unwrap();
    let process = PathBuf::from(format!("/proc/{sandbox}"));
    assert!(process.exists());
    assert_eq!(presenter.api.get(&format!("/api/v1/agents/{id}")).await.status, 404);

    server.stop();
    assert!(!server.data().exists() && !process.exists());
}

#[test]
fn where_there_is_no_network_it_is_the_same() {
    for test in [
        "a_presenter_runs_the_fleet_and_begins_anew",
        "beside_it_agents_are_real_every_page_says_demo_and_nothing_stays",
    ] {
        let mut enclosed = enclosed::command();
        enclosed.arg("--unshare-net");
        enclosed::test(enclosed, test, &[]);
    }
}

#[test]
fn it_takes_no_account_and_no_folder_that_holds_something() {
    let demo = ("OPENCLAW_CLOUD_DEMO".to_owned(), "true".to_owned());
    let told = refused_to_serve(&[demo.clone(), ("OPENCLAW_CLOUD_ENGINE".to_owned(), "aws".to_owned())]);
    assert!(told.contains("--demo touches no account"), "{told}");
    let there = tempfile::tempdir().unwrap();
    std::fs::write(there.path().join("console.db"), "somebody's").unwrap();
    let data = ("OPENCLAW_CLOUD_DATA".to_owned(), there.path().to_str().unwrap().to_owned());
    let told = refused_to_serve(&[demo, data]);
    assert!(told.contains("holds something"), "{told}");
    assert_eq!(std::fs::read_to_string(there.path().join("console.db")).unwrap(), "somebody's");
    assert_eq!(std::fs::read_dir(there.path()).unwrap().count(), 1);
}

/// A demonstration in a folder that it chooses itself, once it is open.
fn demo_in(temporary: &Path, site: &Path) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--site"])
        .arg(site)
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("sign-in link")));
    child
}

#[test]
fn what_a_killed_one_leaves_the_next_one_removes_and_no_other() {
    let (temporary, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let site = common::site(site.path());
    let folders = || {
        let entries = std::fs::read_dir(temporary.path()).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let of = |child: &Child| format!("openclaw-cloud-demo-{}", child.id());
    std::fs::create_dir(temporary.path().join("openclaw-cloud-demo-mine")).unwrap();
    let mut first = demo_in(temporary.path(), &site);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(folders().contains(&of(&first)), "{:?}", folders());

    let (mut second, mut third) = (demo_in(temporary.path(), &site), demo_in(temporary.path(), &site));
    let mut expected = vec!["openclaw-cloud-demo-mine".to_owned(), of(&second), of(&third)];
    expected.sort();
    assert_eq!(folders(), expected, "one that runs keeps its own");
    for child in [&mut second, &mut third] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
