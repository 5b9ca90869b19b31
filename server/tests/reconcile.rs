//! The ledger beside AWS's bill of the same runs: of tasks of the fake, by
//! Fargate's rule and the instants that they had.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::cloud::Cloud;
use common::{Client, Server, end_sandbox};
use domain::time::Hour;
use ecs_fake::{Settings, Task};
use serde_json::json;

const HEAD: &str = "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,\
    lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,\
    resourceTags/user:openclaw:agent,resourceTags/user:openclaw:generation";

/// The two lines that a task of an hour or less has in a bill: its vCPU, its memory.
fn lines(task: &Task) -> [String; 2] {
    assert_eq!(task.capacity_provider_name.as_deref(), Some("FARGATE_SPOT"));
    let instant = |epoch: &Option<ecs_fake::Epoch>| epoch.as_ref().unwrap().0;
    let (start, end) = (instant(&task.pull_started_at), instant(&task.execution_stopped_at));
    let seconds = end.since(start).as_millis().div_ceil(1000).max(60) as f64;
    let hour = |hour: Hour| format!("{hour}:00:00Z");
    let span = format!("{},{}", hour(start.hour()), hour(start.hour().next()));
    let (agent, generation) = task.started_by.as_deref().unwrap().split_once('/').unwrap();
    let line = |usage: &str, size: &str, price: f64| {
        let amount = size.parse::<f64>().unwrap() / 1024.0 * seconds / 3600.0;
        let cost = amount * price;
        format!(
            "Usage,{span},AmazonECS,USE1-SpotUsage-Fargate-{usage},{amount:.10},USD,{cost:.10},{agent},{generation}"
        )
    };
    [line("vCPU-Hours:perCPU", &task.cpu, 0.0125), line("GB-Hours", &task.memory, 0.0015)]
}

fn reconcile(cloud: &Cloud, lines: &[String]) -> Output {
    let report = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(report.path(), [&[HEAD.to_owned()], lines].concat().join("\n")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["spend", "reconcile", "--report"])
        .arg(report.path())
        .envs(cloud.env.iter().cloned())
        .output()
        .unwrap()
}

/// The one difference that there is, as it is told.
fn difference(output: &Output) -> String {
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && why.contains("1 difference between"), "{told}{why}");
    told.lines().find(|line| line.contains("differs") || line.contains("only in")).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_of_what_ran_has_no_difference_and_a_changed_line_is_told_as_one() {
    let cloud = Cloud::start(Settings::default()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let (one, other) = (owner.spawn("gasta").await, owner.spawn("también").await);
    for id in [&one, &other] {
        owner.until(id, "running").await;
        owner.act(id, "sleep").await;
        owner.until(id, "asleep").await;
    }
    owner.act(&one, "wake").await;
    owner.until(&one, "running").await;
    owner.act(&one, "sleep").await;
    owner.until(&one, "asleep").await;
    let bill: Vec<String> = cloud.fake.tasks().iter().flat_map(|task| lines(task)).collect();
    assert_eq!(bill.len(), 6);

    let right = reconcile(&cloud, &bill);
    let told = String::from_utf8_lossy(&right.stdout);
    assert!(right.status.success(), "{told}{}", String::from_utf8_lossy(&right.stderr));
    assert!(told.starts_with('✓') && told.contains("for 3 runs"), "{told}");

    let of = |id: &str, run: u32| format!(",{id},{run}");
    let vcpu = bill.iter().position(|line| line.ends_with(&of(&one, 2)) && line.contains("vCPU")).unwrap();
    let mut dear = bill.clone();
    dear[vcpu] = dear[vcpu].replace(",USD,0.", ",USD,1.");
    let told = difference(&reconcile(&cloud, &dear));
    assert!(told.starts_with(&format!("price differs: {one}:2, bill $1.0")), "{told}");

    let mut long = bill.clone();
    long[vcpu] = long[vcpu].replace("Hours:perCPU,0.", "Hours:perCPU,1.");
    let told = difference(&reconcile(&cloud, &long));
    assert!(
        told.starts_with(&format!("time differs: {one}:2, bill 14460.000 s by vCPU and 60.000 s")),
        "{told}"
    );

    let missing: Vec<String> = bill.iter().filter(|line| !line.ends_with(&of(&other, 1))).cloned().collect();
    let told = difference(&reconcile(&cloud, &missing));
    assert!(told.starts_with(&format!("only in the ledger: {other}:1, 60.000 s")), "{told}");

    let mut orphan = bill.clone();
    orphan.push(bill[vcpu].replace(&of(&one, 2), &of(&one, 9)));
    let told = difference(&reconcile(&cloud, &orphan));
    assert!(told.starts_with(&format!("only in the bill: {one}:9, 0.00")), "{told}");

    let mut wrong = bill;
    wrong[3] = wrong[3].replace("USD", "a,USD");
    let output = reconcile(&cloud, &wrong);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && why.contains("refused at line 5") && output.stdout.is_empty(),
        "{why}"
    );
}

/// What the provider itself tells, beside the ledger.
fn beside(env: &[(String, String)], data: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"));
    command.args(["spend", "reconcile", "--provider"]).envs(env.iter().cloned());
    data.map(|data| command.arg("--data").arg(data));
    command.output().unwrap()
}

/// What it says where there is no difference.
fn right(output: &Output) -> String {
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.starts_with('✓'), "{told}{why}");
    told.into_owned()
}

/// The lines of the differences, where there are so many.
fn wrong(output: &Output, count: usize) -> Vec<String> {
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && why.contains(&format!("{count} difference")), "{told}{why}");
    told.lines().skip(4).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ecs_tells_is_what_was_metered_and_what_nobody_meters_is_told_first() {
    let cloud = Cloud::start(Settings::default()).await;
    let mut server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("gasta").await;
    owner.until(&id, "running").await;
    let told = right(&beside(&cloud.env, None));
    assert!(told.contains("for 1 run\n") && told.contains("for 1 segment,"), "{told}");
    assert!(told.contains("it tells of no run that has ended"), "{told}");
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until_runs(&id, 2).await;
    let told = right(&beside(&cloud.env, None));
    assert!(told.contains("for 2 runs\n") && told.contains("the earliest end that it still tells"), "{told}");

    // Nobody is there to hear that it ends, nor to stop what somebody starts by hand.
    server.kill();
    let second = cloud.fake.tasks().last().unwrap().task_arn.clone();
    assert!(cloud.fake.crash(&second, None));
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.execution_stopped_at.is_some())).await;
    let told = wrong(&beside(&cloud.env, None), 1);
    assert!(told[0].starts_with(&format!("metered, and nothing runs: {id}:2, ")), "{told:?}");
    assert!(told[0].contains(&second) && told[0].ends_with("open, spot"), "{told:?}");

    let port = cloud.fake.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let by_hand = Client::at(port)
        .with("authorization", "AWS4-HMAC-SHA256 by hand")
        .with("content-type", "application/x-amz-json-1.1")
        .with("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask");
    let task = json!({
        "cluster": cloud.bucket,
        "taskDefinition": "agent",
        "startedBy": format!("{id}/9"),
        "tags": [{ "key": "openclaw:agent", "value": id }],
        "capacityProviderStrategy": [{ "capacityProvider": "FARGATE_SPOT", "weight": 1 }],
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-a"] } },
    });
    let started = by_hand.send("POST", "/", task.to_string().into()).await;
    assert_eq!(started.status, 200, "{}", started.text());
    cloud.fake.until(|tasks| tasks.last().unwrap().pull_started_at.is_some()).await;
    let told = wrong(&beside(&cloud.env, None), 2);
    assert!(told[0].starts_with(&format!("unmetered: {id}:9, ")), "{told:?}");
    assert!(told[1].starts_with("metered, and nothing runs"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_this_machine_it_is_what_runs_here() {
    let mut server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("gasta").await;
    owner.until(&id, "running").await;
    let told = right(&beside(&[], Some(&server.data())));
    assert!(told.contains("for 1 run\n") && told.contains("for 1 segment,"), "{told}");
    server.kill();
    for instance in std::fs::read_dir(server.data().join("instances")).unwrap().flatten() {
        end_sandbox(&instance.path());
    }
    let told = wrong(&beside(&[], Some(&server.data())), 1);
    assert!(told[0].starts_with(&format!("metered, and nothing runs: {id}:1, ")), "{told:?}");
}

/// The most memory that the comparison with a report of so many lines took, in KiB.
fn memory(lines: usize) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    let mut report = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    writeln!(report, "{HEAD}").unwrap();
    let padding = "x".repeat(60);
    for n in 0..lines {
        // A few agents, again and again, and lines of other things.
        let agent = domain::id::AgentId::from_random([(n % 5) as u8; 10]);
        let usage = if n % 3 == 0 { &padding } else { "USE1-SpotUsage-Fargate-GB-Hours" };
        writeln!(
            report,
            "Usage,2026-11-02T10:00:00Z,2026-11-02T11:00:00Z,AmazonECS,{usage},1,USD,0.0015,{agent},1"
        )
        .unwrap();
    }
    report.flush().unwrap();
    drop(report);
    let mut child = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["spend", "reconcile", "--month", "2026-11", "--report"])
        .arg(&path)
        .arg("--data")
        .arg(folder.path().join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    most
}

#[test]
fn a_long_report_takes_no_more_memory_than_a_short_one() {
    let (short, long) = (memory(10_000), memory(150_000));
    // The program's own pages come and go by some MiB; all of the report would be 19.
    assert!(short > 0 && long < short + 8 * 1024, "20 MB of a report took {long} KiB, 1.3 MB {short} KiB");
}
