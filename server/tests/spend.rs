//! The books of what was spent, by the commands that an operator runs beside a
//! server.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Output};

use common::cloud::Cloud;
use common::{Person, Server};
use ecs_fake::Settings;
use serde_json::Value;

/// `openclaw-cloud spend …` on a server's ledger.
fn spend(server: &Server, env: &[(String, String)], args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .arg("spend")
        .args(args)
        .arg("--data")
        .arg(server.data())
        .envs(env.iter().cloned())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// An agent that ran and sleeps, and what its page says that it cost.
async fn slept(owner: &Person) -> (String, Value) {
    let id = owner.spawn("gasta").await;
    owner.until(&id, "running").await;
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    let agent = owner.browser.post("/api/console/agent", &serde_json::json!({ "id": id })).await.json();
    (id, agent["meter"].clone())
}

/// The one agent's days in the export, summed.
fn exported(server: &Server, env: &[(String, String)], id: &str) -> (i64, Vec<Value>) {
    let lines = said(&spend(server, env, &["export", "--format", "json"]));
    let lines: Vec<Value> = serde_json::from_str(&lines).unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["agent"] == id), "{lines:?}");
    let nanos = |line: &Value| line["usd"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    (lines.iter().map(nanos).sum(), lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_what_the_meter_showed_and_a_changed_line_is_found() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let (id, meter) = slept(&owner).await;
    // Whether or not the server has folded it by now.
    assert_eq!(exported(&server, &[], &id).0, meter["total"].as_i64().unwrap());
    let verified = said(&spend(&server, &[], &["verify"]));
    assert!(verified.starts_with('✓') && verified.contains("from 1 segments"), "{verified}");
    let (total, lines) = exported(&server, &[], &id);
    assert_eq!(total, meter["total"].as_i64().unwrap());
    assert_eq!(
        (&lines[0]["provider"], &lines[0]["basis"]),
        (&Value::from("local"), &Value::from("estimate"))
    );
    let csv = said(&spend(&server, &[], &["export"]));
    assert_eq!(csv.lines().count(), 1 + lines.len(), "{csv}");
    assert!(csv.lines().nth(1).unwrap().ends_with(",machine,\"owner\",\"\",\"gasta\""), "{csv}");
    assert_eq!(
        (&lines[0]["owner_name"], &lines[0]["agent_name"]),
        (&Value::from("owner"), &Value::from("gasta"))
    );
    let hours = said(&spend(&server, &[], &["export", "--each", "hour"]));
    let row: Vec<&str> = hours.lines().nth(1).unwrap().split(',').collect();
    assert!(row[0].len() == 13 && row[0].starts_with(lines[0]["day"].as_str().unwrap()), "{hours}");

    let ledger = rusqlite::Connection::open(server.data().join("console.db")).unwrap();
    let changed = "UPDATE usage SET cost = cost + 1 WHERE book LIKE 'fleet#%' AND line LIKE 'agent#%'";
    assert!(ledger.execute(changed, []).unwrap() > 0);
    let output = spend(&server, &[], &["verify"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains('✗'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_by_the_api_is_the_meters_and_the_fleets_is_for_staff() {
    let server = Server::start(&[]);
    let (owner, other) = (server.owner().await, server.person("otra").await);
    let (_, mine) = slept(&owner).await;
    let (_, theirs) = slept(&other).await;
    let month = |person: &Person, query: &str| {
        let (api, path) = (person.api.clone(), format!("/api/v1/spend{query}"));
        async move { api.get(&path).await }
    };
    let total = |meter: &Value| meter["total"].as_i64().unwrap();
    let own = month(&owner, "").await.json();
    assert_eq!(own["total"], mine["total"], "{own:#}");
    assert_eq!((&own["series"][0]["of"], &own["estimate"]), (&Value::from("local estimate"), &own["total"]));
    let all = month(&owner, "?of=fleet&by=size").await.json();
    assert_eq!(all["total"].as_i64(), Some(total(&mine) + total(&theirs)), "{all:#}");
    assert_eq!(all["people"].as_array().unwrap().len(), 2);
    let days: i64 =
        all["series"][0]["days"].as_array().unwrap().iter().map(|day| day.as_i64().unwrap()).sum();
    assert_eq!(Some(days), all["total"].as_i64());
    assert_eq!(month(&owner, "?month=2020-01").await.json()["total"], 0);
    assert_eq!(month(&owner, "?month=2020-13").await.status, 422);
    for query in ["format=xml", "each=minute"] {
        assert_eq!(month(&owner, &format!("/export?{query}")).await.status, 422, "{query}");
    }
    let hours = month(&other, "/export?each=hour&format=json").await.text();
    let hours = hours.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let usd = |line: Value| line["usd"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(hours.map(usd).sum::<i64>(), total(&theirs));

    for query in ["?of=fleet", "/export?of=fleet"] {
        assert_eq!(month(&other, query).await.status, 403, "{query}");
        assert_eq!(
            other.browser.get(&format!("/spend{query}").replace("/spend?", "/spend/export?")).await.status,
            403
        );
    }
    let csv = owner.browser.get("/spend/export?of=fleet").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.header("content-disposition").unwrap().contains("openclaw-cloud-fleet-"));
    assert_eq!(csv.text().lines().count(), 3, "{}", csv.text());
    let lines = month(&other, "/export?format=json").await.text();
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let usd = line["usd"].as_str().unwrap().replace('.', "");
    assert_eq!(usd.parse::<i64>().unwrap(), total(&theirs));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_aws_too_and_a_minute_at_least_is_billed() {
    let cloud = Cloud::start(Settings::default()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let (id, meter) = slept(&owner).await;
    said(&spend(&server, &cloud.env, &["verify"]));
    let (total, lines) = exported(&server, &cloud.env, &id);
    assert_eq!(total, meter["total"].as_i64().unwrap());
    let least = meter["rate"].as_i64().unwrap() / 60;
    assert!(total >= least, "{total} of {least}");
    // The time itself is the task's own, to the millisecond.
    let ran: i64 = lines.iter().map(|line| line["awake_ms"].as_i64().unwrap()).sum();
    assert_eq!(ran, cloud.ran(&id, 1));
    assert_eq!((&lines[0]["purchase"], &lines[0]["basis"]), (&Value::from("spot"), &Value::from("billed")));
}

#[test]
fn a_server_does_not_start_on_a_price_book_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.toml");
    std::fs::write(&path, "version = \"x\"\n\n[[line]]\nprovider = \"fargate\"\nusd = \"-1\"\n").unwrap();
    let told = common::refused_to_serve(&[
        ("OPENCLAW_CLOUD_PRICES".to_owned(), path.to_str().unwrap().to_owned()),
        ("OPENCLAW_CLOUD_DATA".to_owned(), folder.path().join("data").to_str().unwrap().to_owned()),
    ]);
    assert!(told.contains("the price book is refused") && told.contains("line 5"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_over_budget_is_refused_and_told_who_can_raise_it() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let budget = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"));
        said(&command.arg("budget").args(args).arg("--data").arg(server.data()).output().unwrap())
    };
    budget(&["set", "owner", "--month", "0.0001"]);
    let spawn = serde_json::json!({ "name": "too dear", "size": "nano" });
    let refused = owner.api.post("/api/v1/agents/spawn", &spawn).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["type"], "urn:openclaw-cloud:over_budget");
    assert!(refused.json()["title"].as_str().unwrap().contains("administrator"), "{}", refused.text());
    let told = budget(&["set", "owner", "--month", "5", "--sizes", "nano"]);
    assert!(told.contains("$5.00") && told.contains("nano"), "{told}");
    let id = owner.spawn("fits").await;
    owner.until(&id, "running").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_installation_costs_stands_beside_the_fleets_month_and_in_no_sum() {
    let mut cloud = Cloud::start(Settings::default()).await;
    cloud.set("OPENCLAW_CLOUD_NAT_GATEWAYS", "2");
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    cloud.command(&["user", "role", "owner", "admin"]);
    let (id, meter) = slept(&owner).await;
    let month = async |query: &str| owner.api.get(&format!("/api/v1/spend{query}")).await.json();
    assert_eq!(month("").await["installation"], serde_json::json!([]), "it is nobody's");
    let fleet = month("?of=fleet").await;
    assert_eq!(fleet["total"], meter["total"], "{fleet:#}");
    let lines = fleet["installation"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["item"]).collect::<Vec<_>>(), ["ipv4_hour", "nat_hour"]);
    for (line, price) in lines.iter().zip([5_000_000, 45_000_000]) {
        let (ms, total) = (line["ms"].as_i64().unwrap(), line["total"].as_i64().unwrap());
        // Each of the days is rounded down, of each of the two.
        let whole = i128::from(price) * i128::from(ms) / 3_600_000;
        assert!((0..=62).contains(&(whole - i128::from(total))), "{line}");
    }
    assert_eq!(month("?of=fleet&month=2020-01").await["installation"], serde_json::json!([]));
    let export = owner.browser.get("/spend/export?of=fleet&format=json").await.text();
    let rows: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["item"], &rows[0]["agent"]), (&Value::from("machine"), &Value::from(id)));
    let last = rows.last().unwrap();
    assert_eq!((&last["item"], &last["agent"]), (&Value::from("ipv4_hour"), &Value::from("")), "{last}");
    // The page tells it, too.
    let page = owner.browser.with("accept", "text/html").get("/spend?of=fleet").await.text();
    assert!(page.contains("Pasarelas NAT"), "it is on the page");
    assert!(!owner.browser.with("accept", "text/html").get("/spend").await.text().contains("Pasarelas NAT"));
}

/// A book of machines on demand alone: what Spot would cost, no line says.
const WITHOUT_SPOT: &str = r#"
version = "without spot"

[[line]]
provider = "fargate"
region = "us-east-1"
item = "vcpu_hour"
purchase = "on_demand"
from = "2020-01-01"
usd = "0.04048"

[[line]]
provider = "fargate"
region = "us-east-1"
item = "gb_hour"
purchase = "on_demand"
from = "2020-01-01"
usd = "0.004445"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operators_book_does_not_price_is_unknown_and_never_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book.toml");
    std::fs::write(&book, WITHOUT_SPOT).unwrap();
    let server = Server::start(&["--prices", book.to_str().unwrap()]);
    let owner = server.owner().await;
    let (id, meter) = slept(&owner).await;
    assert_eq!(meter["basis"], "unpriced");
    let agent = owner.api.get(&format!("/api/v1/agents/{id}")).await.json();
    assert_eq!(agent["cost"]["basis"], "unpriced");
    for sum in ["per_hour", "session", "today", "month", "total"] {
        assert_eq!(agent["cost"][sum], Value::Null, "{sum}");
    }
    let month = owner.api.get("/api/v1/spend?by=size").await.json();
    assert!(month["unpriced_ms"].as_u64().unwrap() > 0, "{month}");
    for part in [&month, &month["agents"][0], &month["series"][0]] {
        assert_eq!(part["total"], Value::Null, "{part}");
        assert_eq!(part["unpriced_ms"], month["unpriced_ms"], "{part}");
    }
    let days = month["series"][0]["days"].as_array().unwrap();
    assert_eq!(days.iter().filter(|day| day.is_null()).count(), 1, "{days:?}");
    assert_eq!((&month["savings"]["spot"], &month["savings"]["always_on"]), (&Value::Null, &Value::Null));

    // A budget can't hold what is not known, and says so.
    let api = owner.api.with("content-type", "application/json");
    let limit = serde_json::to_vec(&serde_json::json!({ "month": 1 })).unwrap();
    assert_eq!(api.send("PUT", "/api/v1/budgets/people/owner", limit.into()).await.status, 204);
    let budget = owner.api.get("/api/v1/budgets").await.json()[0].clone();
    assert_eq!((&budget["spent"], &budget["unpriced"]), (&Value::Null, &Value::Bool(true)), "{budget}");
    let row = owner.api.get("/api/v1/fleet").await.json()["agents"][0].clone();
    assert_eq!((&row["basis"], &row["month"]), (&Value::from("unpriced"), &Value::Null), "{row}");
}
