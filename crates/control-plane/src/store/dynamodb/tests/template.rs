//! An installation's template makes the tables that [`super::create_tables`] makes.

use crate::store::dynamodb::TablePrefix;
use crate::store::dynamodb::tables::{PARTITION, RANGE, REMOVE_AFTER};

const TEMPLATE: &str = include_str!("../../../../../../infra/openclaw-cloud.yaml");

/// A resource's part of the template.
fn resource(name: &str) -> &'static str {
    let begin = TEMPLATE.find(&format!("\n  {name}:\n")).unwrap() + 1;
    let end = TEMPLATE[begin..].find("\n\n").unwrap();
    &TEMPLATE[begin..begin + end]
}

fn has(resource: &str, lines: &[String]) {
    for line in lines {
        assert!(resource.lines().any(|known| known.trim() == line), "{line}: not in\n{resource}");
    }
}

fn named(table: impl Fn(&TablePrefix) -> String) -> String {
    format!("TableName: !Sub '{}'", table(&"PREFIX".parse().unwrap()).replace("PREFIX", "${Name}"))
}

#[test]
fn its_ledger_is_the_programs() {
    let ledger = resource("Ledger");
    has(
        ledger,
        &[
            "DeletionPolicy: Retain".to_owned(),
            named(TablePrefix::ledger),
            "BillingMode: PAY_PER_REQUEST".to_owned(),
            format!("- {{ AttributeName: {PARTITION}, AttributeType: S }}"),
            format!("- {{ AttributeName: {RANGE}, AttributeType: S }}"),
            format!("- {{ AttributeName: {PARTITION}, KeyType: HASH }}"),
            format!("- {{ AttributeName: {RANGE}, KeyType: RANGE }}"),
            "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }".to_owned(),
            "DeletionProtectionEnabled: true".to_owned(),
        ],
    );
    assert_eq!(ledger.matches("AttributeName").count(), 4, "{ledger}");
}

#[test]
fn its_table_of_what_expires_is_the_programs() {
    let expiring = resource("Expiring");
    has(
        expiring,
        &[
            named(TablePrefix::expiring),
            "BillingMode: PAY_PER_REQUEST".to_owned(),
            format!("- {{ AttributeName: {PARTITION}, AttributeType: S }}"),
            format!("- {{ AttributeName: {PARTITION}, KeyType: HASH }}"),
            format!("TimeToLiveSpecification: {{ AttributeName: {REMOVE_AFTER}, Enabled: true }}"),
        ],
    );
    assert_eq!(expiring.matches("AttributeName").count(), 3, "{expiring}");
}
