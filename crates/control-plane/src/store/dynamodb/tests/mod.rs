//! What is DynamoDB's own; the rest is in the suite that all stores share. All
//! of it over HTTP, by an emulator whose conditional writes are atomic.

mod cost;
mod expiry;
mod faults;
mod limits;
mod open;
mod races;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::TimeToLiveSpecification;

use super::{Config, Dynamo, Lanes, create_tables};
use crate::store::Store;
use crate::store::conformance::suite;

suite!(fresh);

async fn fresh() -> (Arc<dyn Store>, ()) {
    // More than one, for what holds of several holds of one.
    let config = Config { lanes: Lanes::new(3).unwrap(), ..anew() };
    (Arc::new(ledger(&config).await), ())
}

/// A ledger of one's own that nobody made yet.
fn anew() -> Config {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let tables = format!("test-{}", MADE.fetch_add(1, Ordering::Relaxed)).parse().unwrap();
    Config { tables, lanes: Lanes::ONE }
}

/// The ledger, opened; made if it is not there.
async fn ledger(config: &Config) -> Dynamo {
    ledger_by(config, emulator::endpoint()).await
}

/// The same, by another way to the emulator.
async fn ledger_by(config: &Config, endpoint: &str) -> Dynamo {
    create_tables(&sdk(emulator::endpoint()).await, &config.tables).await.unwrap();
    let ledger = Dynamo::open(&sdk(endpoint).await, config).await.unwrap();
    stop_removal(&ledger).await;
    ledger
}

/// The tests' instants are in the past, and the emulator goes by the clock: it
/// would remove what to a test has not expired.
async fn stop_removal(ledger: &Dynamo) {
    let off = TimeToLiveSpecification::builder().enabled(false).attribute_name("remove_after").build();
    let update = ledger.db.client.update_time_to_live().table_name(&*ledger.db.expiring);
    update.time_to_live_specification(off.unwrap()).send().await.unwrap();
}

async fn sdk(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("nobody", "secret", None, None, "tests"))
        .load()
        .await
}
