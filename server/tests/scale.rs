//! Many agents at once, with the quotas that an account has.
#![allow(clippy::unwrap_used)]

mod common;

use common::cloud::{Cloud, brisk};
use common::fleet::Fleet;
use ecs_fake::Status;

/// A test has the machine alone: each is about who waits for whom.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_agents_at_once() {
    let _alone = ALONE.lock().await;
    at_once(&[vec![100; 9], vec![5; 20]].concat()).await;
}

/// So many agents of each owner.
async fn at_once(owners: &[usize]) {
    let count: usize = owners.iter().sum();
    let mut cloud = Cloud::start(brisk()).await;
    // The SDK tells much of each call.
    cloud.env.push(("OPENCLAW_CLOUD_LOG".to_owned(), "warn".to_owned()));
    let server = cloud.server(&[]);
    let fleet = Fleet::of(&server, owners).await;
    fleet.spawn().await;
    let agents = fleet.until("running").await;
    assert_eq!(agents.len(), count);
    assert!(agents.iter().all(|agent| agent["cost"]["running"] == true && agent["generation"] == 1));
    // Paced by the console itself: ECS never had to say «slower».
    let calls = cloud.fake.calls();
    assert_eq!(calls.all().map(|(_, count)| count.throttled).sum::<u64>(), 0, "{calls:?}");
    assert!(cloud.launched_once(count));
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
}

/// Who launches much does not hold up who launches little.
#[tokio::test(flavor = "multi_thread")]
async fn owners_launch_in_turn() {
    const MUCH: usize = 60;
    let _alone = ALONE.lock().await;
    let cloud = Cloud::start(brisk()).await;
    let server = cloud.server(&["--launch-rate", "1", "--launch-burst", "1"]);
    let little = server.person("poco").await;
    Fleet::of(&server, &[MUCH]).await.spawn().await;
    let id = little.spawn("la mía").await;
    let mine = |by: Option<&str>| by.is_some_and(|by| by.starts_with(&id));
    cloud.fake.until(|tasks| tasks.iter().any(|task| mine(task.started_by.as_deref()))).await;
    let launches = cloud.fake.launches();
    let before = launches.iter().position(|launch| mine(launch.started_by.as_deref())).unwrap();
    // All were there before it, and some had been launched by then. In the order
    // of their coming it would be the last.
    assert!(before < MUCH * 2 / 3, "{before} of {MUCH}");
}
