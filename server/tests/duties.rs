//! Pages by one process, everything else by another: the variant whose pages
//! are functions that sleep between requests.
#![allow(clippy::unwrap_used)]

mod common;

use common::cloud::Cloud;
use common::terminal::Terminal;
use common::{Person, Server};
use ecs_fake::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn pages_alone_record_what_another_process_does() {
    let cloud = Cloud::start(Settings::default()).await;
    let whole = cloud.server(&[]);
    // It has neither the queue nor the bucket, and cannot read a snapshot.
    let needless = [
        "BUCKET",
        "AGENT_ROLE",
        "QUEUE",
        "TASK_X86",
        "INSTANCES_URL",
        "REPOSITORY_KEY",
        "SUBNETS",
        "SECURITY_GROUPS",
    ];
    let needless = needless.map(|name| format!("OPENCLAW_CLOUD_{name}"));
    let mut env = cloud.env.clone();
    env.retain(|(name, _)| !needless.contains(name));
    let pages = Server::start_with(&["--engine", "aws", "--duties", "web"], env);

    let owner = pages.owner().await;
    let id = owner.spawn("por páginas").await;
    owner.until(&id, "running").await;
    let there =
        Person { api: owner.api.to(whole.port), browser: owner.browser.to(whole.port), ..owner.clone() };
    Terminal::connect(&there, &id).await.run("echo $((6*7)) > answer; cat answer", "42").await;
    assert_eq!(owner.act(&id, "sleep").await.status, 202);
    owner.until(&id, "asleep").await;
    assert_eq!(cloud.fake.launches().len(), 1);

    // On this machine there is no other process.
    let told = common::refused_to_serve(&[("OPENCLAW_CLOUD_DUTIES".to_owned(), "web".to_owned())]);
    assert!(told.contains("--duties web is for --engine aws"), "{told}");
}
