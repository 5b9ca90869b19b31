//! Passwords, invitations, sessions, and looking into somebody's terminal, on a
//! server with real sandboxes.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::terminal::Terminal;
use common::{Client, Person, Server};
use domain::time::Month;
use domain::wire::close;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

const PASSWORD: &str = "correcto, caballo";
/// What is promised to end within a second, with room for a busy machine.
const SOON: Duration = Duration::from_secs(5);

/// Signs in by name and password; the reply, and the browser that is signed in.
async fn enter(server: &Server, name: &str, password: &str) -> (u16, Option<Client>) {
    let nobody = server.nobody().with("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0");
    let body = json!({ "name": name, "password": password });
    let reply = nobody.post("/api/console/sign_in_with_password", &body).await;
    let cookie = reply.header("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned());
    (reply.status, cookie.map(|cookie| nobody.with("cookie", &cookie)))
}

async fn ask(who: &Client, function: &str, body: &Value) -> (u16, Value) {
    let reply = who.post(&format!("/api/console/{function}"), body).await;
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

fn command(server: &Server, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(arguments)
        .arg("--data")
        .arg(server.data())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What of the log is about these acts, in order, with its outcome.
async fn told(admin: &Person, acts: &[&str]) -> Vec<String> {
    let log = admin.api.get("/api/v1/audit").await.text();
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let words = entries.map(|entry| {
        let by = entry["actor"]["name"].as_str().unwrap_or("-").to_owned();
        (entry["act"].as_str().unwrap().to_owned(), by, entry["outcome"].as_str().unwrap().to_owned())
    });
    words
        .filter(|(act, ..)| acts.contains(&act.as_str()))
        .map(|(act, by, outcome)| format!("{act} by {by}: {outcome}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_becomes_a_person_with_a_password_and_sessions_of_their_own() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let body = json!({ "name": "Ana", "role": "viewer", "team": "Datos" });
    let reply = owner.api.post("/api/v1/invitations", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(owner.api.post("/api/v1/invitations", &body).await.status, 409, "she is invited");
    let link = reply.json()["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned();

    let nobody = server.nobody();
    let reply = nobody.post("/api/console/sign_in", &json!({ "token": link })).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "\"invitation\""));
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let ana = nobody.with("cookie", &cookie);
    assert_eq!(nobody.post("/api/console/sign_in", &json!({ "token": link })).await.status, 401, "spent");
    assert_eq!(owner.api.get("/api/v1/invitations").await.json(), json!([]));

    let set = async |current: &str, new: &str| {
        ask(&ana, "set_password", &json!({ "current": current, "new": new })).await.0
    };
    assert_eq!(set("", "short").await, 422);
    assert_eq!(set("", PASSWORD).await, 200);
    assert_eq!(enter(&server, "Ana", "another, as long").await.0, 401);
    assert_eq!(enter(&server, "Nobody", PASSWORD).await.0, 401);
    let (status, second) = enter(&server, "Ana", PASSWORD).await;
    assert_eq!(status, 200);
    let second = second.unwrap();

    let (_, sessions) = ask(&second, "sessions", &json!({})).await;
    let sessions = sessions.as_array().unwrap();
    let words = |session: &Value| format!("{} {} {}", session["how"], session["browser"], session["this"]);
    assert_eq!(words(&sessions[0]), "\"password\" \"Firefox · Linux\" true");
    assert_eq!(words(&sessions[1]), "\"invitation\" \"\" false");
    let people = owner.api.get("/api/v1/people").await.json();
    let listed = people.as_array().unwrap().iter().find(|person| person["name"] == "Ana").unwrap();
    assert_eq!((&listed["role"], &listed["team"]), (&json!("viewer"), &json!("Datos")));
    assert!(listed["seen_at"].is_string());

    // Whoever came by a password says it to get another; her other sessions end.
    let set = async |current: &str| {
        ask(&second, "set_password", &json!({ "current": current, "new": "otra frase larga" })).await.0
    };
    assert_eq!(set("not that one").await, 401);
    assert_eq!(ask(&ana, "me", &json!({})).await.0, 200);
    assert_eq!(set(PASSWORD).await, 200);
    assert_eq!(ask(&ana, "me", &json!({})).await.0, 401);
    assert_eq!(ask(&second, "me", &json!({})).await.0, 200);
    assert_eq!(enter(&server, "Ana", PASSWORD).await.0, 401);
    let expected = ["invite by owner: allowed", "add_person by -: allowed", "add_person by Ana: allowed"];
    let mut told = told(&owner, &["invite", "add_person"]).await;
    told.sort_by_key(|told| expected.iter().position(|expected| expected == told));
    assert_eq!(told, expected);

    // The file has what the page was asked for, and nothing else.
    let asked = json!({ "month": null, "person": "Ana", "act": "add_person" });
    let (_, page) = ask(&owner.browser, "audit", &asked).await;
    let month: Month = serde_json::from_value(page["month"].clone()).unwrap();
    let file =
        async |query: &str| owner.browser.get(&format!("/audit/export?month={month}&{query}")).await.text();
    let lines = file("format=json&person=+Ana&act=add_person").await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&json!(lines), lines.len()), (&page["entries"], 1));
    assert_eq!(file("format=csv&person=Nobody").await.lines().count(), 1);
    assert_eq!(file("format=csv&act=see_spend&person=").await.lines().count(), 1);
    assert!(file("format=csv&person=&act=").await.lines().count() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_passwords_is_slowed_down_and_so_is_nobody_else() {
    let server = Server::start(&[]);
    let mut tries = Vec::new();
    for _ in 0..6 {
        tries.push(enter(&server, "Ana", "a guess, and a long one").await.0);
    }
    assert_eq!(tries, [401, 401, 401, 401, 401, 429]);
    assert_eq!(enter(&server, "Berta", "a guess, and a long one").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_ends_with_its_session_also_when_a_command_ends_it() {
    let server = Server::start(&["--terminals", "direct"]);
    let owner = server.owner().await;
    let ana = server.person("Ana").await;
    let id = ana.spawn("casa").await;
    ana.until(&id, "running").await;

    let way = ask(&ana.browser, "connect_terminal", &json!({ "id": id })).await.1;
    let direct = way["direct"].as_str().unwrap();
    let mut at_the_instance = Terminal::at(&ana, direct, way["ticket"].as_str().unwrap()).await;
    at_the_instance.run("echo four$((2+2))", "four4").await;
    let outstanding = ask(&ana.browser, "connect_terminal", &json!({ "id": id })).await.1;
    let relayed = Terminal::connect(&ana, &id).await;
    let (feed, _connection) = ana.browser.open("GET", "/live/agents", Vec::new().into()).await;

    let asked = Instant::now();
    command(&server, &["user", "sign-out", "Ana"]);
    assert_eq!(at_the_instance.close_code().await, close::REFUSED);
    relayed.close_code().await;
    let mut feed = feed.into_body();
    while let Some(Ok(_)) = feed.frame().await {}
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    assert_eq!(ask(&ana.browser, "me", &json!({})).await.0, 401);
    // A ticket that she got before is worth nothing now.
    let late = Terminal::at_once(&ana, direct, outstanding["ticket"].as_str().unwrap()).await;
    assert_eq!(late.close_code().await, close::REFUSED);

    // An administrator does the same, and it is told.
    let back = server.person("Ana").await;
    let relayed = Terminal::connect(&back, &id).await;
    assert_eq!(owner.api.send("DELETE", "/api/v1/people/Ana/sessions", Vec::new().into()).await.status, 204);
    relayed.close_code().await;
    assert_eq!(
        told(&owner, &["end_sessions"]).await,
        ["end_sessions by -: allowed", "end_sessions by owner: allowed"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_into_a_terminal_that_its_owner_does_not_show() {
    let server = Server::start(&[]);
    let admin = server.owner().await;
    let (ana, viewer) = (server.person("Ana").await, server.person("viewer").await);
    command(&server, &["user", "role", "viewer", "viewer"]);
    let id = ana.spawn("casa").await;
    ana.until(&id, "running").await;
    let mut hers = Terminal::connect(&ana, &id).await;
    hers.run("echo secret$((2+2))", "secret4").await;

    let about = json!({ "id": id });
    // What the owner saw of it: who asks, and which asking.
    let seen = async || {
        let look = ask(&admin.browser, "look_of", &about).await.1;
        if look.is_null() {
            json!({ "by": "0000000000000000", "until": 0 })
        } else {
            json!({ "by": look["by"], "until": look["until"] })
        }
    };
    let answer_to = async |seen: &Value, step: &str| {
        ask(&ana.browser, "answer_look", &json!({ "id": id, "seen": seen, "step": step })).await.0
    };
    let answer = async |step: &str| answer_to(&seen().await, step).await;
    assert_eq!(ask(&viewer.browser, "ask_to_look", &about).await.0, 403);
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404, "nothing was asked for");
    assert_eq!(answer("accept").await, 404);

    // Asked for and declined; then asked for, and shown.
    assert_eq!(ask(&admin.browser, "ask_to_look", &about).await.0, 200);
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404, "she has not answered");
    assert_eq!(answer("decline").await, 200);
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404);
    assert_eq!(ask(&admin.browser, "ask_to_look", &about).await.0, 200);
    let theirs = json!({ "id": id, "seen": seen().await, "step": "accept" });
    assert_eq!(ask(&admin.browser, "answer_look", &theirs).await.0, 404);
    let mut another = seen().await;
    another["by"] = json!("0000000000000000");
    assert_eq!(answer_to(&another, "accept").await, 409, "that one she did not see");
    let mut before = seen().await;
    before["until"] = json!(before["until"].as_i64().unwrap() - 1);
    assert_eq!(answer_to(&before, "accept").await, 409);
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404);
    assert_eq!(answer("accept").await, 200);
    let (status, way) = ask(&admin.browser, "connect_to_look", &about).await;
    assert_eq!((status, &way["direct"]), (200, &Value::Null));
    let relay = format!("ws://127.0.0.1:{}{}", server.port, way["relay"].as_str().unwrap());
    let mut look = Terminal::at(&admin, &relay, way["ticket"].as_str().unwrap()).await;
    look.until("secret4").await;

    // What is typed there goes nowhere; what its owner types is seen.
    look.kind("echo taken$((3+3))\r").await;
    hers.run("echo mine$((2+3))", "mine5").await;
    look.until("mine5").await;
    assert!(!hers.screen.contains("taken") && !look.screen.contains("taken"));

    // She cuts it off.
    let asked = Instant::now();
    assert_eq!(answer("end").await, 200);
    look.close_code().await;
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404);

    // Left alone it ends at its instant, which is brought nearer here.
    assert_eq!(ask(&admin.browser, "ask_to_look", &about).await.0, 200);
    assert_eq!(answer("accept").await, 200);
    let asked = Instant::now();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + SOON;
    let ledger = rusqlite::Connection::open(server.data().join("console.db")).unwrap();
    let nearer = "UPDATE looks SET look = json_set(look, '$.until', ?2) WHERE agent = ?1";
    let until = i64::try_from(soon.as_millis()).unwrap();
    assert_eq!(ledger.execute(nearer, rusqlite::params![id, until]).unwrap(), 1);
    let (_, way) = ask(&admin.browser, "connect_to_look", &about).await;
    let mut look = Terminal::at(&admin, &relay, way["ticket"].as_str().unwrap()).await;
    look.until("mine5").await;
    look.close_code().await;
    let took = asked.elapsed();
    assert!((SOON - Duration::from_millis(100)..SOON * 3).contains(&took), "it ended after {took:?}");
    assert_eq!(ask(&admin.browser, "connect_to_look", &about).await.0, 404);
    assert_eq!(
        told(&admin, &["ask_to_look", "let_look", "decline_look", "end_look"]).await,
        [
            "ask_to_look by viewer: refused",
            "ask_to_look by owner: allowed",
            "decline_look by Ana: allowed",
            "ask_to_look by owner: allowed",
            "let_look by Ana: allowed",
            "end_look by Ana: allowed",
            "ask_to_look by owner: allowed",
            "let_look by Ana: allowed",
        ]
    );
    let (_, page) =
        ask(&admin.browser, "audit", &json!({ "month": null, "person": "", "act": "let_look" })).await;
    let looker = page["entries"][0]["by"].as_str().unwrap();
    assert_eq!(page["lookers"][looker], "owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_access_is_closed_is_cut_off_and_their_agents_sleep_saved() {
    let server = Server::start(&["--terminals", "direct"]);
    let owner = server.owner().await;
    let ana = server.person("Ana").await;
    let id = ana.spawn("casa").await;
    ana.until(&id, "running").await;
    let way = ask(&ana.browser, "connect_terminal", &json!({ "id": id })).await.1;
    let direct = way["direct"].as_str().unwrap();
    let mut at_the_instance = Terminal::at(&ana, direct, way["ticket"].as_str().unwrap()).await;
    at_the_instance.run("echo kept > file; echo four$((2+2))", "four4").await;
    let (feed, _connection) = ana.browser.open("GET", "/live/agents", Vec::new().into()).await;

    let access = async |name: &str, access: &str| {
        let body = json!({ "access": access }).to_string().into();
        let path = format!("/api/v1/people/{name}/access");
        owner.api.with("content-type", "application/json").send("PUT", &path, body).await.status
    };
    assert_eq!(access("owner", "closed").await, 409, "one's own");
    assert_eq!(access("Ana", "shut").await, 422);
    let asked = Instant::now();
    assert_eq!(access("Ana", "closed").await, 204);
    let code = at_the_instance.close_code().await;
    assert!([close::REFUSED, close::STOPPING].contains(&code), "{code}");
    let mut feed = feed.into_body();
    while let Some(Ok(_)) = feed.frame().await {}
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    assert_eq!(ask(&ana.browser, "me", &json!({})).await.0, 401);
    assert_eq!(ana.api.get("/api/v1/agents").await.status, 401);
    let people = owner.api.get("/api/v1/people").await.json();
    let listed = people.as_array().unwrap().iter().find(|person| person["name"] == "Ana").unwrap();
    assert_eq!(listed["access"], "closed");
    let sleeps = async {
        let row = async || owner.api.get("/api/v1/fleet").await.json()["agents"][0]["phase"].clone();
        while row().await != "asleep" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(common::PATIENCE, sleeps).await.expect("it sleeps");

    // Nothing was lost.
    assert_eq!(access("Ana", "open").await, 204);
    assert_eq!(ana.act(&id, "wake").await.status, 202);
    ana.until(&id, "running").await;
    Terminal::connect(&ana, &id).await.run("cat file", "kept").await;

    // By a command it is the running server that puts them to sleep.
    command(&server, &["user", "close", "Ana"]);
    let sleeps = async {
        while owner.api.get("/api/v1/fleet").await.json()["agents"][0]["phase"] != "asleep" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(common::PATIENCE, sleeps).await.expect("it sleeps");
    let refused = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["user", "add", "Ana", "--data"])
        .arg(server.data())
        .output()
        .unwrap();
    assert!(!refused.status.success(), "a link that would open nothing");
    command(&server, &["user", "open", "Ana"]);
    assert_eq!(ask(&ana.browser, "me", &json!({})).await.0, 200);
    assert_eq!(
        told(&owner, &["close_access", "open_access"]).await,
        [
            "close_access by owner: allowed",
            "open_access by owner: allowed",
            "close_access by -: allowed",
            "open_access by -: allowed",
        ]
    );
}
