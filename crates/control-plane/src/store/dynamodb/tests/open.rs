//! Making tables, and opening what is there or is not.

use std::process::Command;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoveryStatus,
    ScalarAttributeType,
};
use domain::agent::Agent;

use super::{Config, Dynamo, Lanes, anew, create_tables, ledger, sdk, stop_removal};
use crate::store::conformance::fixture::*;
use crate::store::dynamodb::item::{item, n};
use crate::store::dynamodb::{Fault, OpenError, TablePrefix, key};
use crate::store::{Shard, Store};

async fn client() -> Client {
    Client::new(&sdk(emulator::endpoint()).await)
}

async fn faults(config: &Config) -> Vec<Fault> {
    match Dynamo::open(&sdk(emulator::endpoint()).await, config).await {
        Err(OpenError::Faults(faults)) => faults,
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    }
}

#[tokio::test]
async fn all_that_is_missing_is_named_at_once() {
    let config = anew();
    let (ledger, expiring) = (config.tables.ledger(), config.tables.expiring());
    assert_eq!(
        faults(&config).await,
        [Fault::Missing { table: ledger.clone() }, Fault::Missing { table: expiring.clone() }]
    );
    let told = Dynamo::open(&sdk(emulator::endpoint()).await, &config).await.err().unwrap().to_string();
    assert!(told.contains(&ledger) && told.contains(&expiring), "{told}");
}

#[tokio::test]
async fn a_table_of_somebody_elses_is_not_written_to() {
    let config = anew();
    let create = client().await.create_table().table_name(config.tables.ledger());
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::N);
    let hash = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = create.attribute_definitions(id.build().unwrap()).key_schema(hash.build().unwrap());
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    // What is there is left, and the other table is made.
    create_tables(&sdk(emulator::endpoint()).await, &config.tables).await.unwrap();
    let (table, found, expected) = (config.tables.ledger(), "id: N".to_owned(), "pk: S, sk: S".to_owned());
    assert_eq!(faults(&config).await, [Fault::Keys { table, found, expected }]);
}

#[tokio::test]
async fn a_ledger_that_would_keep_what_expired_for_ever_is_refused() {
    let config = anew();
    stop_removal(&ledger(&config).await).await;
    let faults = faults(&config).await;
    assert!(matches!(&faults[..], [Fault::Removal { .. }]), "{faults:?}");
}

#[tokio::test]
async fn tables_are_on_demand_backed_up_and_guarded_and_making_them_twice_does_no_harm() {
    let config = anew();
    let sdk = sdk(emulator::endpoint()).await;
    create_tables(&sdk, &config.tables).await.unwrap();
    let store: Ledger = Arc::new(Dynamo::open(&sdk, &config).await.unwrap());
    let agent = create(&store, id(Shard(0), 1), owner(1)).await;
    create_tables(&sdk, &config.tables).await.unwrap();
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));

    let client = client().await;
    let described = client.describe_table().table_name(config.tables.ledger()).send().await.unwrap();
    let table = described.table.unwrap();
    assert_eq!(table.deletion_protection_enabled, Some(true));
    assert_eq!(table.billing_mode_summary.unwrap().billing_mode, Some(BillingMode::PayPerRequest));
    let backups = client.describe_continuous_backups().table_name(config.tables.ledger());
    let backups = backups.send().await.unwrap().continuous_backups_description.unwrap();
    let recovery = backups.point_in_time_recovery_description.unwrap().point_in_time_recovery_status;
    assert_eq!(recovery, Some(PointInTimeRecoveryStatus::Enabled));
}

#[tokio::test]
async fn a_ledger_keeps_the_lanes_that_it_was_made_with() {
    let made = Config { lanes: Lanes::new(4).unwrap(), ..anew() };
    let store: Ledger = Arc::new(ledger(&made).await);
    let mut agents: Vec<Agent> = Vec::new();
    for n in 0..12 {
        agents.push(create(&store, id(Shard(1), n), owner(1)).await);
    }
    let store = ledger(&Config { lanes: Lanes::ONE, ..made }).await;
    assert_eq!(store.lanes, Lanes::new(4).unwrap());
    assert_eq!(store.claim_due(Shard(1), at(0), at(9), 100).await.unwrap(), agents);
}

#[tokio::test]
async fn a_layout_of_a_newer_program_is_not_written_to() {
    let config = anew();
    let store = ledger(&config).await;
    let newer = item(&key::layout(), [("version", n(2)), ("lanes", n(1))]);
    store.db.client.put_item().table_name(&*store.db.ledger).set_item(Some(newer)).send().await.unwrap();
    create_tables(&sdk(emulator::endpoint()).await, &config.tables).await.unwrap();
    let table = config.tables.ledger();
    assert_eq!(faults(&config).await, [Fault::Layout { table, found: 2, known: 1 }]);
}

#[test]
fn a_prefix_is_what_a_tables_name_may_begin_with() {
    for text in ["abc", "openclaw-cloud", "a.b_c-d", &"x".repeat(64)] {
        assert_eq!(text.parse::<TablePrefix>().unwrap().to_string(), text);
    }
    for text in ["", "ab", "a b c", "ñandú", "a/b/c", &"x".repeat(65)] {
        assert!(text.parse::<TablePrefix>().is_err(), "{text:?}");
    }
}

const PREFIX: &str = "OPENCLAW_TEST_TABLE_PREFIX";

/// A program of its own, for the variables of this one are all tests'.
#[tokio::test]
#[ignore = "runs as a child of the test below"]
async fn child() {
    let Ok(prefix) = std::env::var(PREFIX) else { return };
    let config = Config { tables: prefix.parse().unwrap(), lanes: Lanes::ONE };
    let store = Dynamo::connect(&config).await.unwrap();
    store.ready().await.unwrap();
    store.create(&spawned(id(Shard(0), 1), owner(1), START), None).await.unwrap();
}

#[tokio::test]
async fn account_region_and_endpoint_are_those_that_the_variables_name() {
    let config = anew();
    let store = ledger(&config).await;
    create_tables(&sdk(emulator::endpoint()).await, &config.tables).await.unwrap();
    let this = format!("{}::child", module_path!().split_once("::").unwrap().1);
    let child = Command::new(std::env::current_exe().unwrap())
        .args([this.as_str(), "--exact", "--ignored"])
        .env(PREFIX, config.tables.to_string())
        .env("AWS_ENDPOINT_URL", emulator::endpoint())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "nobody")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(store.agent(id(Shard(0), 1)).await.unwrap().is_some());
}
