//! Makes the tables, where no template of an installation does: on-demand
//! capacity, recovery to any second of the last 35 days for what must last, and
//! removal of what has expired.

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};

use crate::store::StoreError;

use super::client;
use super::error::failed;
use super::read::Db;
use super::tables::{PARTITION, RANGE, REMOVE_AFTER, TablePrefix};

/// How long a new table may take to be there, and its backups to be possible.
const PATIENCE: Duration = Duration::from_secs(120);
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Why the tables could not be made. The operator mends it.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct SetupError {
    doing: String,
    why: String,
}

impl SetupError {
    fn of(doing: &str, table: &str) -> impl FnOnce(StoreError) -> Self {
        let doing = format!("{doing} {table}");
        move |error| Self { doing, why: error.to_string() }
    }
}

/// Makes the two tables and waits until they serve. What is there already is
/// left; it is safe to repeat.
///
/// # Errors
/// [`SetupError`] says at which step of which table it stopped.
pub async fn create_tables(sdk: &SdkConfig, tables: &TablePrefix) -> Result<(), SetupError> {
    let db = Db::new(Client::from_conf(client::settings(sdk).build()), tables);
    let (client, ledger, expiring) = (&db.client, &*db.ledger, &*db.expiring);
    let lasting = keyed(client, ledger, &[(PARTITION, KeyType::Hash), (RANGE, KeyType::Range)]);
    create(lasting.deletion_protection_enabled(true)).await.map_err(SetupError::of("creating", ledger))?;
    let passing = keyed(client, expiring, &[(PARTITION, KeyType::Hash)]);
    create(passing).await.map_err(SetupError::of("creating", expiring))?;
    for table in [ledger, expiring] {
        let exists = client.wait_until_table_exists().table_name(table).wait(PATIENCE).await;
        exists.map_err(|error| SetupError {
            doing: format!("waiting for table {table}"),
            why: DisplayErrorContext(&error).to_string(),
        })?;
    }
    remove_expired(client, expiring).await.map_err(SetupError::of("enabling time to live on", expiring))?;
    keep_backups(client, ledger).await.map_err(SetupError::of("enabling point-in-time recovery of", ledger))
}

fn keyed(client: &Client, table: &str, keys: &[(&str, KeyType)]) -> CreateTableFluentBuilder {
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    keys.iter().fold(request, |request, (name, kind)| {
        let definition = AttributeDefinition::builder().attribute_name(*name);
        let definition = definition.attribute_type(ScalarAttributeType::S).build();
        let element = KeySchemaElement::builder().attribute_name(*name).key_type(kind.clone()).build();
        request.attribute_definitions(definition.expect(COMPLETE)).key_schema(element.expect(COMPLETE))
    })
}

const COMPLETE: &str = "name and type are given";

/// One that is there stays as it is; opening it says whether it fits.
async fn create(request: CreateTableFluentBuilder) -> Result<(), StoreError> {
    match request.send().await {
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        outcome => outcome.map(drop).map_err(failed),
    }
}

async fn remove_expired(client: &Client, table: &str) -> Result<(), StoreError> {
    let described = client.describe_time_to_live().table_name(table).send().await.map_err(failed)?;
    let status = described.time_to_live_description.and_then(|removal| removal.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        // Asking for what is so already is an error to DynamoDB.
        return Ok(());
    }
    let removal = TimeToLiveSpecification::builder().enabled(true).attribute_name(REMOVE_AFTER).build();
    let update = client.update_time_to_live().table_name(table);
    update
        .time_to_live_specification(removal.expect("the attribute is given"))
        .send()
        .await
        .map(drop)
        .map_err(failed)
}

/// What expires has none: a restored session would be one that had ended.
async fn keep_backups(client: &Client, table: &str) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        let recovery =
            PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
        let update = client.update_continuous_backups().table_name(table);
        let update = update.point_in_time_recovery_specification(recovery.expect("the wish is given"));
        match update.send().await {
            // A table that was just made is not ready for it for a while.
            Err(error)
                if error.code() == Some("ContinuousBackupsUnavailableException")
                    && started.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(ASK_EVERY).await;
            }
            outcome => return outcome.map(drop).map_err(failed),
        }
    }
}
