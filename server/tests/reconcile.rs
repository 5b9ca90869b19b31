//! The ledger beside AWS's bill of the same runs: of tasks of the fake, by
//! Fargate's rule and the instants that they had.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Output};

use common::cloud::Cloud;
use domain::time::Hour;
use ecs_fake::{Settings, Task};

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
