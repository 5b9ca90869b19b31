//! The AWS engine: the real server and real agents, over HTTP against an
//! emulator (DynamoDB, S3, SQS, STS) and a fake ECS.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use common::cloud::{Cloud, brisk};
use common::terminal::Terminal;
use common::{Client, PATIENCE, Person, Server};
use ecs_fake::{Deliveries, Fault, Notice, Operation, Settings, Shortage, StartFailure, Status, StopCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_life_on_fargate() {
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("lejos").await;
    let agent = owner.until(&id, "running").await;
    let phases: Vec<_> = agent["boot"].as_array().unwrap().iter().map(|mark| mark["phase"].clone()).collect();
    assert_eq!(
        phases,
        [
            "queued",
            "placing",
            "networking",
            "pulling",
            "launching",
            "enrolling",
            "hydrating",
            "starting",
            "ready"
        ]
    );
    assert_eq!(agent["cost"]["basis"], "billed");
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo $((6*7)) > answer; pwd", "agent").await;
    // Nothing of the task's own, and nothing that enrols or signs.
    terminal
        .run("env | grep -cE '^(AWS_|ECS_|OPENCLAW_(ENROL|CONTROL|LISTEN))' | sed s/^/left:/", "left:0")
        .await;
    drop(terminal);
    assert_eq!(owner.act(&id, "sleep").await.status, 202);
    let asleep = owner.until(&id, "asleep").await;
    let tasks = cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].exit_code(), Some(0), "{}", cloud.fake.output(&tasks[0].task_arn).unwrap());
    assert_eq!(asleep["cost"]["session"], cloud.owed(&asleep, 1));

    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("cat answer", "42").await;
    assert_eq!(cloud.fake.launches().len(), 2);
    owner.delete(&id).await;
    owner.until_gone(&id).await;
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    drop::<Server>(server);
}

/// Spot takes everything back at once: nothing committed is lost, every
/// terminal goes on, every meter is its task's own seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_spot_storm() {
    const AGENTS: usize = 30;
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let spawned = (0..AGENTS).map(|n| {
        let owner = &owner;
        async move {
            let id = owner.spawn(&format!("agente {n}")).await;
            owner.until(&id, "running").await;
            let mut terminal = Terminal::connect(owner, &id).await;
            terminal.run(&format!("echo {n} > answer; sync; cat answer"), &n.to_string()).await;
            (id, terminal)
        }
    });
    let agents = futures::future::join_all(spawned).await;
    let ids: Vec<_> = agents.iter().map(|(id, _)| id.clone()).collect();
    let before = cloud.fake.launches().len();
    assert_eq!(before, AGENTS, "one task a run");
    assert_eq!(cloud.fake.interrupt_all(StopCode::SpotInterruption, Notice::Full).len(), AGENTS);
    let back = agents.into_iter().enumerate().map(|(n, (id, terminal))| {
        let owner = &owner;
        async move {
            let closed = tokio::time::timeout(PATIENCE, terminal.close_code()).await;
            assert_eq!(closed.unwrap(), domain::wire::close::STOPPING);
            owner.until_runs(&id, 2).await;
            let mut terminal = Terminal::connect(owner, &id).await;
            terminal.run("cat answer", &n.to_string()).await;
        }
    });
    futures::future::join_all(back).await;
    assert_eq!(cloud.fake.launches().len(), 2 * AGENTS, "one task a run");
    let tasks = cloud.fake.tasks();
    for id in &ids {
        let instance = format!("{id}/1");
        let task = tasks.iter().find(|task| task.started_by.as_deref() == Some(&instance)).unwrap();
        assert_eq!(task.exit_code(), Some(0), "it saved before it ended");
        let agent = owner.api.get(&format!("/api/v1/agents/{id}")).await.json();
        let (total, session) = (agent["cost"]["total"].as_i64(), agent["cost"]["session"].as_i64());
        assert_eq!(total.unwrap() - session.unwrap(), cloud.owed(&agent, 1), "{agent}");
    }
}

/// One control plane dies in mid-launch, then one in mid-save: the other goes
/// on, and no run is launched twice.
#[tokio::test(flavor = "multi_thread")]
async fn another_control_plane_takes_over() {
    let cloud = Cloud::start(brisk()).await;
    let (mut first, second) = (cloud.server(&[]), cloud.server(&[]));
    let owner = first.owner().await;
    let there =
        Person { api: owner.api.to(second.port), browser: owner.browser.to(second.port), ..owner.clone() };
    let ids: Vec<_> =
        futures::future::join_all((0..5).map(|n| owner.spawn(["a", "b", "c", "d", "e"][n]))).await;
    cloud.fake.until(|tasks| tasks.len() >= 2).await;
    first.kill();
    let killed = Instant::now();
    futures::future::join_all(ids.iter().map(|id| there.until(id, "running"))).await;
    eprintln!("all ran {:?} after one control plane died in mid-launch", killed.elapsed());
    assert_eq!(runs(&cloud), 5, "each run was launched once");
    assert_eq!(cloud.fake.launches().len(), 5);

    for id in &ids {
        Terminal::connect(&there, id).await.run(&format!("echo {id} > own; echo kept"), "kept").await;
    }
    first.restart();
    futures::future::join_all(ids.iter().map(|id| there.act(id, "sleep"))).await;
    let mut second = second;
    second.kill();
    let killed = Instant::now();
    futures::future::join_all(ids.iter().map(|id| owner.until(id, "asleep"))).await;
    eprintln!("all slept {:?} after the other died in mid-save", killed.elapsed());
    futures::future::join_all(ids.iter().map(|id| owner.act(id, "wake"))).await;
    for id in &ids {
        owner.until_runs(id, 2).await;
        Terminal::connect(&owner, id).await.run("cat own", id).await;
    }
    assert_eq!((runs(&cloud), cloud.fake.launches().len()), (10, 10));
}

/// Runs that were launched, each counted once.
fn runs(cloud: &Cloud) -> usize {
    let launches = cloud.fake.launches();
    launches.iter().filter_map(|launch| launch.started_by.clone()).collect::<BTreeSet<_>>().len()
}

/// What an operator who left out half of it, or all, is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_named_whole() {
    let cloud = Cloud::start(Settings::default()).await;
    let refused = |changes: &[(&str, &str)]| {
        let mut env = cloud.env.clone();
        for (name, value) in changes {
            env.retain(|(known, _)| known != name);
            env.push((name.to_string(), value.to_string()));
        }
        common::refused_to_serve(&env)
    };
    let told = refused(&[
        ("OPENCLAW_CLOUD_BUCKET", ""),
        ("OPENCLAW_CLOUD_SUBNETS", ""),
        ("OPENCLAW_CLOUD_TICKET_KEY", "short-canary"),
        ("OPENCLAW_CLOUD_AGENT_ROLE", "agents"),
    ]);
    for fault in ["--bucket", "--subnets", "--ticket-key is not", "--agent-role is no ARN"] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "bucket = \"from-a-file\"\nbukket = \"x\"\nticket-key = \"canary\"").unwrap();
    let told = refused(&[("OPENCLAW_CLOUD_CONFIG", file.path().to_str().unwrap())]);
    assert!(told.contains("no option «bukket»") && told.contains("«ticket-key» is a secret"), "{told}");
    assert!(!told.contains("canary"), "{told}");
    std::fs::write(file.path(), "cluster = \"none\"\nbucket = \"no-such-bucket\"").unwrap();
    let without_bucket: Vec<_> =
        cloud.env.iter().filter(|(name, _)| name != "OPENCLAW_CLOUD_BUCKET").cloned().collect();
    let named = ("OPENCLAW_CLOUD_CONFIG".to_owned(), file.path().to_str().unwrap().to_owned());
    let told = common::refused_to_serve(&[without_bucket, vec![named]].concat());
    assert!(
        told.contains("no-such-bucket") && !told.contains("the cluster"),
        "variables go before it: {told}"
    );
    let told = refused(&[
        ("OPENCLAW_CLOUD_BUCKET", "no-such-bucket"),
        ("OPENCLAW_CLOUD_TABLES", "nowhere"),
        ("OPENCLAW_CLOUD_QUEUE", "http://127.0.0.1:1/000000000000/none"),
        ("OPENCLAW_CLOUD_CLUSTER", "none"),
    ]);
    for fault in ["no-such-bucket", "nowhere-ledger", "nowhere-expiring", "the queue", "the cluster"] {
        assert!(told.contains(fault), "{fault}: {told}");
    }
}

/// A machine that breaks gives no notice: what was saved last is what is lost at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_without_a_word_loses_no_more_than_the_last_interval() {
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&["--save-every", "1"]);
    let owner = server.owner().await;
    let id = owner.spawn("de golpe").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("echo $((6*7)) > answer; echo do''ne", "done").await;
    let saved = owner.agent(&id).await["snapshot"]["at"].clone();
    Terminal::connect(&owner, &id).await.run("echo more > more; echo do''ne", "done").await;
    owner.until_so(&id, "later save", |agent| agent["snapshot"]["at"] != saved).await;
    let tasks = cloud.fake.tasks();
    assert!(cloud.fake.crash(&tasks[0].task_arn, None));
    let failed = owner.until(&id, "failed").await;
    assert_eq!(failed["failure"]["reason"], "crashed");
    assert_eq!(failed["cost"]["running"], false);
    owner.act(&id, "wake").await;
    owner.until_runs(&id, 2).await;
    Terminal::connect(&owner, &id).await.run("cat answer", "42").await;
}

/// What ECS answers when it does not do it, or does it and does not say so.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_ecs_answers_a_run_is_launched_once_or_its_owner_is_told() {
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let passing = [
        Fault::Throttling,
        Fault::Server,
        Fault::Unavailable,
        Fault::Cut,
        Fault::DoneAndCut,
        Fault::DoneAndServer,
        Fault::Slow(1500),
    ];
    for fault in passing.clone() {
        cloud.fake.inject(Operation::RunTask, fault, 1);
    }
    let ids = futures::future::join_all((0..4).map(|_| owner.spawn("terco"))).await;
    futures::future::join_all(ids.iter().map(|id| owner.until(id, "running"))).await;
    assert_eq!((runs(&cloud), cloud.fake.launches().len()), (4, 4));

    for operation in [Operation::StopTask, Operation::DescribeTasks, Operation::ListTasks] {
        for fault in passing.clone() {
            cloud.fake.inject(operation, fault, 1);
        }
    }
    futures::future::join_all(ids.iter().map(|id| owner.act(id, "sleep"))).await;
    futures::future::join_all(ids.iter().map(|id| owner.until(id, "asleep"))).await;
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    cloud.fake.heal();

    // What no waiting mends ends a launch at once, in ECS's words and with the mend.
    let other = |kind: &str| Fault::Error { kind: kind.to_owned(), status: 400, message: "why".to_owned() };
    let refusals = [
        (Fault::AccessDenied, "lacks the right"),
        (Fault::ClockSkew, "clock"),
        (Fault::UnrecognizedClient, "lacks the right"),
        (Fault::ExpiredToken, "ExpiredTokenException"),
        (other("ClusterNotFoundException"), "ClusterNotFoundException: why"),
        (other("InvalidParameterException"), "InvalidParameterException: why"),
        (other("ClientException"), "ClientException: why"),
        (other("BlockedException"), "BlockedException: why"),
        (other("UnsupportedFeatureException"), "UnsupportedFeatureException: why"),
        (other("PlatformUnknownException"), "PlatformUnknownException: why"),
        (other("PlatformTaskDefinitionIncompatibilityException"), "Incompatibility"),
    ];
    for (fault, mend) in &refusals {
        cloud.fake.inject(Operation::RunTask, fault.clone(), 1);
        let id = owner.spawn("sin permiso").await;
        let failed = owner.until(&id, "failed").await;
        assert_eq!(failed["failure"]["reason"], "launch_refused", "{fault:?}");
        let detail = failed["failure"]["detail"].as_str().unwrap();
        assert!(detail.contains(mend), "{fault:?}: {detail}");
        assert_eq!(failed["cost"]["running"], false);
    }
    // The same where a task is looked for or stopped does not change what becomes of it.
    futures::future::join_all(ids.iter().map(|id| owner.act(id, "wake"))).await;
    futures::future::join_all(ids.iter().map(|id| owner.until_runs(id, 2))).await;
    for operation in [Operation::StopTask, Operation::DescribeTasks, Operation::ListTasks] {
        for (fault, _) in &refusals {
            cloud.fake.inject(operation, fault.clone(), 1);
        }
    }
    futures::future::join_all(ids.iter().map(|id| owner.act(id, "sleep"))).await;
    let asleep = futures::future::join_all(ids.iter().map(|id| owner.until(id, "asleep"))).await;
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    for agent in &asleep {
        assert_eq!(agent["cost"]["session"], cloud.owed(agent, 2), "{agent:#}");
    }
    cloud.fake.heal();
    cloud.fake.change(|settings| settings.start_failures = vec![StartFailure::Pull]);
    let id = owner.spawn("sin imagen").await;
    let failed = owner.until(&id, "failed").await;
    assert!(failed["failure"]["detail"].as_str().unwrap().contains("CannotPullContainer"), "{failed}");
    assert_eq!(failed["failure"]["reason"], "launch_refused");
    assert_eq!(failed["cost"]["running"], false);
}

/// No room on Spot: elsewhere, then on demand if that is allowed, and back at the next wake.
#[tokio::test(flavor = "multi_thread")]
async fn where_spot_is_full() {
    let cloud = Cloud::start(brisk()).await;
    let full = |settings: &mut Settings| {
        let spot = Some("FARGATE_SPOT".to_owned());
        settings.shortages = vec![Shortage { capacity_provider: spot, ..Shortage::default() }];
    };
    cloud.fake.change(full);
    let mut server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("sin sitio").await;
    let failed = owner.until(&id, "failed").await;
    assert_eq!(failed["failure"]["reason"], "no_room");
    assert_eq!(failed["cost"]["running"], false);
    server.kill();

    let server = cloud.server(&["--on-demand", "when-spot-is-full"]);
    let owner = server.person("otra").await;
    let id = owner.spawn("a la carta").await;
    let failed = owner.until(&id, "failed").await;
    assert_eq!((&failed["failure"]["reason"], &failed["on_demand"]), (&json!("no_room"), &json!(false)));
    // Its owner pays for it.
    let allowed = owner.browser.post("/api/console/wake_on_demand", &json!({ "id": id })).await;
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    let dear = owner.until(&id, "running").await["cost"]["per_hour"].as_i64().unwrap();
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    cloud.fake.change(|settings| settings.shortages.clear());
    owner.act(&id, "wake").await;
    let cheap = owner.until_runs(&id, 3).await["cost"]["per_hour"].as_i64().unwrap();
    assert!(dear > 3 * cheap, "{dear} and {cheap}");
    let providers: Vec<_> =
        cloud.fake.tasks().iter().map(|task| task.capacity_provider_name.clone().unwrap()).collect();
    assert_eq!(providers, ["FARGATE", "FARGATE_SPOT"]);
}

/// No event arrives at all: the comparison with ECS tells the same, later.
#[tokio::test(flavor = "multi_thread")]
async fn without_any_event() {
    let deliveries = Deliveries { lost: 1.0, ..Deliveries::default() };
    let cloud = Cloud::start(Settings { deliveries, ..brisk() }).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("sordo").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("echo $((6*7)) > answer; cat answer", "42").await;
    owner.act(&id, "sleep").await;
    let asleep = owner.until(&id, "asleep").await;
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    assert_eq!(asleep["cost"]["session"], cloud.owed(&asleep, 1));
}

/// What a task knows of itself, and may do, its tenant does not come to know.
#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_finds_neither_the_tasks_endpoints_nor_what_its_agent_holds() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("this is not root, and starts no processes of other users: nothing was tested");
        return;
    }
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("inquilino").await;
    owner.until(&id, "running").await;
    let tasks = cloud.fake.tasks();
    let runtime_id = tasks[0].containers[0].runtime_id.clone().unwrap();
    let port = cloud.fake.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(
        Client::at(port).get(&format!("/v4/{runtime_id}/task")).await.status,
        200,
        "who knows it, gets it"
    );

    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo user $(id -u) $(stat -c %u .)", "user 4001 4001").await;
    let secrets = "v4/[0-9a-f]{32}-|v2/credential[s]/|OPENCLAW_(ENROLMEN[T]|CONTRO[L])|ASI[A][A-Z0-9]{12}";
    let look = format!("grep -alE '{secrets}' /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | wc -l");
    terminal.run(&format!("echo found $({look})"), "found 0").await;
    // Where that stands for whom it is meant for: in the environment that the agent began with.
    let holds = |process: &std::path::Path| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&format!("/v4/{runtime_id}"))
    };
    let mut processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    assert!(processes.any(|process| holds(&process)));
    for path in [format!("/v4/{:032}-1/task", 0), "/v2/credentials/1".to_owned()] {
        let ask = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; head -1 <&3"
        );
        terminal.run(&ask, "404 Not Found").await;
    }
    terminal.run("echo kept > file; echo wri''tten", "written").await;
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until_runs(&id, 2).await;
    Terminal::connect(&owner, &id).await.run("cat file; stat -c %u file", "kept\r\n4001").await;
}
