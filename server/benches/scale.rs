//! What agents cost in calls to AWS: a boot, a sleep, an hour running, an hour
//! asleep. Counted between the real server with real agents and the emulators.
//! Prints a line a figure: what, value, goal.
#![allow(clippy::unwrap_used)] // It measures or it ends.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::cloud::{Cloud, brisk};
use common::fleet::Fleet;
use emulator::proxy::Proxy;

/// Agents of two owners.
const AGENTS: [usize; 2] = [50, 50];
/// How long what goes on by itself is watched: three comparisons with ECS.
const WATCH: Duration = Duration::from_secs(90);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let proxy = Proxy::start(emulator::endpoint()).await;
    let cloud = Cloud::reached_at(&proxy.endpoint, brisk()).await;
    let server = cloud.server(&[]);
    let fleet = Fleet::of(&server, &AGENTS).await;
    let count: usize = AGENTS.iter().sum();
    let taken = || Calls::since_last(&proxy, &cloud);
    taken();
    tokio::time::sleep(WATCH).await;
    let nobody = taken();
    nobody.print("console alone, an hour", per_hour(1));

    fleet.spawn().await;
    fleet.until("running").await;
    let boots = taken();
    boots.print("a boot", 1.0 / count as f64);

    tokio::time::sleep(WATCH).await;
    taken().less(&nobody).print("an agent that runs, an hour", per_hour(count));

    fleet.act("sleep").await;
    fleet.until("asleep").await;
    taken().print("a sleep", 1.0 / count as f64);

    tokio::time::sleep(WATCH).await;
    taken().less(&nobody).print("an agent that sleeps, an hour", per_hour(count));
}

fn per_hour(agents: usize) -> f64 {
    3600.0 / WATCH.as_secs_f64() / agents as f64
}

/// How often what was called, and the units that DynamoDB's writes took.
struct Calls {
    by_operation: BTreeMap<String, f64>,
    write_units: f64,
}

impl Calls {
    fn since_last(proxy: &Proxy, cloud: &Cloud) -> Self {
        let mut by_operation: BTreeMap<String, f64> =
            proxy.count().into_iter().map(|(operation, count)| (operation, count as f64)).collect();
        for (operation, count) in cloud.fake.calls().all() {
            by_operation
                .insert(format!("{operation:?}"), (count.done + count.throttled + count.failed) as f64);
        }
        cloud.fake.reset_calls();
        let writes = ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"];
        let costs = proxy.costs();
        let writes = costs.iter().filter(|(operation, _)| writes.contains(&operation.as_str()));
        Self { by_operation, write_units: writes.filter_map(|(_, units)| *units).sum() }
    }

    /// What is more than in another watch of the same length.
    fn less(mut self, other: &Self) -> Self {
        for (operation, count) in &other.by_operation {
            *self.by_operation.entry(operation.clone()).or_default() -= count;
        }
        self.write_units -= other.write_units;
        self
    }

    fn print(&self, what: &str, times: f64) {
        println!("{what}: write units\t{:.1}\t-", self.write_units * times);
        for (operation, count) in &self.by_operation {
            println!("{what}: {operation}\t{:.2}\t-", count * times);
        }
    }
}
